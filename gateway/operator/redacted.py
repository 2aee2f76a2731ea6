"""What of stored bodies and answers operators may see: no secrets, and no personal data of people in them."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from adapters.redaction import MASK, Redactor
from gateway.body import NotJson, parse_json
from gateway.settings import Settings

LONGEST_REQUEST = 20_000
"""Characters of a request that are shown."""
PERSONAL = "[personal]"
_SECRET_KEY = re.compile(
    r".*(pass(word|wd|phrase)|secret|token|apikey|accesskey|authorization|credentials?)", re.DOTALL
)
_PERSONAL_KEY = re.compile(
    r"(first|last|full|middle|family|given|nick|user|person|contact|owner|assignee|author|createdby|updatedby)names?"
    r"|surname|createdby|updatedby|.*e?mail(s|address|addresses|set)?|.*(phone|mobile|fax)(number|numbers|no|s|set)?|gsm"
    r"|(dateof)?birth(day|date)?|dob|ssn|hetu|idnumber|nationalid|passport(number)?|gender|skype(name|id)?"
)
"""Keys in lower case, letters and digits only."""
_PEOPLE_KEY = re.compile(r"contacts?|persons?|people|employees|decisionmakers?|boardmembers?|users?|owners?|attendees")
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24}")
_PHONE = re.compile(r"(?<![\w+])\+[1-9][0-9 ()./-]{5,18}[0-9]\b")
"""In the international form only: other digits are business ids, times and numbers of records."""
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
_LISTED_NAME = frozenset(
    {"name", "title", "link", "address", "linkedin", "twitter", "facebook", "notes", "description"}
)
"""What tells who a person is, where it stands in a list of people."""


class Redaction:
    """Masks the secrets of the settings in force, and personal data."""

    def __init__(self, settings: Settings) -> None:
        self._redact = Redactor(settings.secret_values())

    def text(self, text: str) -> str:
        """A text without secrets, e-mail addresses and telephone numbers."""
        return _PHONE.sub(PERSONAL, _ADDRESS.sub(PERSONAL, self._redact(text)))

    def optional(self, text: str | None) -> str | None:
        """As `text`; None for None."""
        return None if text is None else self.text(text)

    def value(self, value: Any) -> Any:
        """A JSON value without secrets and personal data."""
        return _masked(value, self.text, among_people=False)

    def answer(self, result: str | None) -> Any:
        """A stored result: JSON, or the text that it is."""
        if result is None:
            return None
        try:
            return self.value(json.loads(result))
        except ValueError:
            return self.text(result)

    def request(self, body: bytes, longest: int = LONGEST_REQUEST) -> str:
        """A body as readable text, cut after so many characters."""
        try:
            text = json.dumps(self.value(parse_json(body)), indent=2, ensure_ascii=False)
        except NotJson:
            text = self.text(body.decode("utf-8", "backslashreplace"))
        more = len(text) - longest
        return text if more <= 0 else f"{text[:longest]}… (cut: {more:,} more characters)"


def _masked(value: Any, redact: Callable[[str], str], *, among_people: bool) -> Any:
    if isinstance(value, Mapping):
        return {redact(str(key)): _of_key(str(key), item, redact, among_people) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, redact, among_people=among_people) for item in value]
    return redact(value) if isinstance(value, str) else value


def _of_key(key: str, value: Any, redact: Callable[[str], str], among_people: bool) -> Any:
    name = _NOT_LETTERS.sub("", key.casefold())
    if value in (None, "", [], {}):
        return value
    if _SECRET_KEY.fullmatch(name):
        return MASK
    if _PERSONAL_KEY.fullmatch(name) or (among_people and name in _LISTED_NAME):
        return PERSONAL
    if _PEOPLE_KEY.fullmatch(name):
        return _people(value, redact)
    return _masked(value, redact, among_people=among_people)


def _people(value: Any, redact: Callable[[str], str]) -> Any:
    """People without what tells who they are; a text is a name."""
    if isinstance(value, list):
        return [_people(item, redact) for item in value]
    return _masked(value, redact, among_people=True) if isinstance(value, Mapping) else PERSONAL
