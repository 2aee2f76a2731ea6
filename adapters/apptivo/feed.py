"""Apptivo's rows as Activity Feed events: one reading for each source, no `if` ladder."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from adapters.apptivo.dates import Dates
from adapters.apptivo.details import written
from adapters.apptivo.endpoints import CUSTOMER_OBJECT
from adapters.apptivo.models import ApptivoSettings, FeedSource, Outcome
from adapters.contract import EventType
from adapters.events import EventDraft, percent
from adapters.json_text import decoded
from adapters.plain_text import plain_text
from adapters.webhook_bodies import objects, record_id

_Row = Mapping[str, Any]
_CUSTOMER_OBJECT = str(CUSTOMER_OBJECT)
_ASSOCIATIONS = ("associatedObjects", "associations")
_ASSIGNEES = ("assigneeObjectRefName", "assignedToObjectRefName")
_BLANK = (None, "")
_TITLES = ("subject", "title")
_NAMES = ("emailAddress", "emailId", "objectRefName")
_PEOPLE = (*_ASSIGNEES, "createdByName", "postingObjectRefName", "createdBy")


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of a source of activities are read."""

    type: EventType
    dates: tuple[str, ...]
    """Fields that may say when, best first."""
    icon: str = ""
    texts: tuple[str, ...] = ("description",)


_TYPES: Mapping[str, FeedSource] = MappingProxyType(
    {"task": "tasks", "event": "appointments", "follow up": "followups", "call log": "calls"}
)
_ACTIVITIES: Mapping[FeedSource, Reading] = MappingProxyType(
    {
        # a task matters on the day it is due (phplib sorts by endDate); any other on the day it takes place
        "tasks": Reading("task", ("endDate", "startDate", "creationDate", "lastUpdateDate")),
        "appointments": Reading("meeting", ("startDate", "endDate", "creationDate", "lastUpdateDate")),
        "followups": Reading(
            "activity", ("startDate", "followUpDate", "endDate", "creationDate", "lastUpdateDate"), icon="deadline"
        ),
        "calls": Reading("call", ("startDate", "callDate", "endDate", "creationDate", "lastUpdateDate")),
        "emails": Reading(
            "email",
            ("sentDate", "emailDate", "date", "receivedDate", "creationDate", "lastUpdateDate"),
            texts=("message", "body", "emailBody", "content", "description"),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Reads the rows of every source for one connection."""

    settings: ApptivoSettings
    dates: Dates

    def drafts(self, source: FeedSource) -> Callable[[_Row], EventDraft]:
        """The reading of one row of this source."""
        if source == "notes":
            return self._note
        if source == "opportunities":
            return self._opportunity
        if source == "newsfeed":
            return self._news
        reading = _ACTIVITIES[source]
        return lambda row: self._activity(row, reading)

    def _activity(self, row: _Row, reading: Reading) -> EventDraft:
        return EventDraft(
            record_id=id_of(row, "activityId", "emailId"),
            timestamp=self.dates.first_of(row, reading.dates),
            type=reading.type,
            header=_first_text(row, _TITLES),
            text=_first_text(row, reading.texts),
            icon=reading.icon,
            user_email=person_of(row),
            location=row.get("location"),
            hide_time=row.get("allDayEvent") == "Y",
        )

    def _note(self, row: _Row) -> EventDraft:
        return EventDraft(
            record_id=id_of(row, "noteId"),
            timestamp=self.dates.first_of(row, ("creationDate", "noteDate", "createdDate", "lastUpdateDate")),
            type="note",
            header=_first_text(row, _TITLES),
            text=written(row),
            user_email=person_of(row),
        )

    def outcome(self, row: _Row) -> Outcome:
        """What an opportunity has become, by its stage and its probability."""
        return self.settings.outcome(row.get("salesStageName"), percent(row.get("probability")))

    def _opportunity(self, row: _Row) -> EventDraft:
        stage = row.get("salesStageName")
        outcome = self.outcome(row)
        closed = ("closeDate", "lastUpdateDate", "creationDate")
        texts = [text for text in (plain_text(stage), plain_text(row.get("description"))) if text]
        return EventDraft(
            record_id=id_of(row, "opportunityId"),
            timestamp=self.dates.first_of(row, (*closed[1:], closed[0]) if outcome == "open" else closed),
            type=outcome,
            header=row.get("opportunityName"),
            text="\n".join(texts),
            user_email=person_of(row),
            value=row.get("amount") if row.get("amount") not in (None, "") else row.get("actualAmount"),
            currency=row.get("currencyCode"),
            probability_percent=row.get("probability"),
        )

    def _news(self, row: _Row) -> EventDraft:
        content = collaboration(row.get("collabObjectJSON"))
        note = plain_text(content.get("noteText"))
        texts = ("noteText", "text", "message", "description", "comment")
        return EventDraft(
            record_id=id_of(row, "wallEntryId", "wallMessageId"),
            timestamp=self.dates.first_of(row, ("datePosted", "creationDate", "lastUpdateDate")),
            type="note" if note else "event",
            header=_first_text(content, _TITLES),
            text=_first_text(content, texts) or _first_text(row, ("message", "wallMessage", "description")),
            user_email=person_of(row) or person_of(content),
        )


def of_customer(source: FeedSource, rows: Iterable[object], customer_id: str) -> list[object]:
    """The rows without those of other customers; that Apptivo's own filter works is a guess (upstream-apis 1.8).

    A row that names no customer at all is kept, unless another row shows that the filter does not work.
    """
    listed = [row for row in rows if not _is_of_another_type(source, row)]
    verdicts = [_belongs(source, row, customer_id) for row in listed]
    filter_works = False not in verdicts
    return [row for row, belongs in zip(listed, verdicts, strict=True) if belongs or (belongs is None and filter_works)]


def _is_of_another_type(source: FeedSource, row: object) -> bool:
    # activityType is C; that a search for one type brings no other is G
    told = row.get("activityType") if isinstance(row, dict) else None
    return isinstance(told, str) and _TYPES.get(told.strip().casefold(), source) != source


def _belongs(source: FeedSource, row: object, customer_id: str) -> bool | None:
    if not isinstance(row, dict):
        return None
    if source == "opportunities":
        owner = row.get("opportunityCustomerId")
        return None if owner in (None, "") else str(owner).strip() == customer_id
    owners = associated_customers(row)
    return customer_id in owners if owners else None


def associated_customers(row: _Row) -> list[str]:
    """The ids of the customers that a task, a note or the like hangs on (C, upstream-apis 1.8)."""
    tied = [
        record_id(one.get("objectRefId"))
        for name in _ASSOCIATIONS
        if name in row
        for one in objects(row[name])
        if record_id(one.get("objectId")) == _CUSTOMER_OBJECT
    ]
    return [customer for customer in tied if customer]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def collaboration(value: object) -> Mapping[str, Any]:
    """`collabObjectJSON`: JSON inside a string (C, portal viewCase.php), or an object; else its words as `text`."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        return {}
    try:
        content = decoded(value)
    except ValueError:
        return {"text": value}
    if isinstance(content, dict):
        return content
    return {"text": content} if isinstance(content, str) else {}


def person_of(row: _Row) -> str:
    """Who did it, as e-mail address or name: the assignee, the sender, else the author."""
    for name in ("assigneeDetails", "fromAddress"):
        if name in row and (named := next(_people(row[name]), "")):
            return named
    return _first_text(row, _PEOPLE)


def assignees_of(row: _Row) -> list[str]:
    """Whom a record is assigned to, each as e-mail address or name."""
    fields = (row.get(name) for name in _ASSIGNEES)
    return [*_people(row.get("assigneeDetails")), *(text for text in fields if isinstance(text, str))]


def _people(value: object) -> Iterator[str]:
    for one in _listed(value) or [value]:
        found = _first_text(one, _NAMES) if isinstance(one, dict) else one
        if isinstance(found, str) and found.strip():
            yield found


def id_of(row: _Row, *names: str) -> object:
    """The row's own id: `id`, else the first of `names` that holds one; None if none does."""
    for name in ("id", *names):
        found = row.get(name)
        if found not in _BLANK:
            return found
    return None


def _first_text(row: _Row, names: Sequence[str]) -> str:
    # a plain loop: ten of these an event, and a generator doubles what one takes
    for name in names:
        text = row.get(name)
        if isinstance(text, str) and text.strip():
            return text
    return ""
