"""What the webhook bodies of CRMs have in common: where a record lies in them, and which ids can be ids. Pure.

None of our CRMs documents its webhooks (upstream-apis 1.10 and 2.7, U), so bodies are read as widely as is safe: an
object, a list of objects, or either of them one level below an envelope. A vendor's `webhook.py` adds its nouns.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.contract import CrmEvent

Row = Mapping[str, Any]
WRAPPERS = ("data", "payload", "record", "event", "customer")
"""Under which keys of an envelope the record may lie (G)."""

_RECORD_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,256}")
_EVENT_ID_NAMES = ("eventId", "event_id")
_EVENT_NAMES = ("event", "eventType", "event_type")
_NOUN_NAMES = (*_EVENT_NAMES, "type", "object", "object_type", "objectType", "objectName", "entity", "resource")
_WORDS = re.compile(r"[a-z0-9]+")
_NO_IDS = frozenset({"0", "null"})
_LARGEST_NUMBER = 10**18


@dataclass(frozen=True, slots=True)
class BodyForm:
    """How one vendor names things in a body."""

    customers_of: Callable[[Row, Row], list[str]]
    """The customers that an object names, given the envelope it lies in (empty if it lies in none)."""
    event_id_of: Callable[[Row], str | None]
    """The id of the event that an object tells."""


def crm_events(body: object, form: BodyForm) -> list[CrmEvent]:
    """The events of a body, one for each customer, in the order of the body; empty where it names none."""
    found: dict[str, CrmEvent] = {}
    for customer, event in _told(body, form):
        # of two events in one neither id may stand for both, or the other would later pass for a repeat
        is_first = customer not in found or found[customer].event_id == event
        found[customer] = CrmEvent(customer, event if is_first else None)
    return list(found.values())


def _told(body: object, form: BodyForm) -> Iterator[tuple[str, str | None]]:
    for row in objects(body):
        event = form.event_id_of(row)
        own = form.customers_of(row, {})
        yield from ((customer, event) for customer in own)
        if own:
            continue
        for inner in (inner for name in WRAPPERS for inner in objects(row.get(name))):
            for customer in form.customers_of(inner, row):
                yield customer, form.event_id_of(inner) or event


def objects(value: object) -> list[Row]:
    """The object, or the objects of the list, that a value is; none for anything else."""
    if isinstance(value, dict):
        return [value]
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def record_id(value: object) -> str | None:
    """A number or text as a record's id; None for what can be none: no id is 0, null, or has other characters."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return str(value) if 0 < value < _LARGEST_NUMBER else None
    text = value.strip() if isinstance(value, str) else ""
    return text if _RECORD_ID.fullmatch(text) and text not in _NO_IDS else None


def event_id(row: Row, record_ids: re.Pattern[str]) -> str | None:
    """The event's id (G): `eventId` or `event_id`; or an `id` beside the name of an event.

    That name is a text under `event`, `eventType` or `event_type`, or a dotted one under `type`. An `id` that has the
    form of the vendor's `record_ids` is not believed: were it the record's, its next change would pass for a repeat.
    """
    for name in _EVENT_ID_NAMES:
        if found := _event_id(row.get(name)):
            return found
    if "id" not in row:
        return None
    kind = row.get("type")
    is_event = any(isinstance(row.get(name), str) for name in _EVENT_NAMES) or (isinstance(kind, str) and "." in kind)
    found = _event_id(row.get("id")) if is_event else None
    return None if found is None or record_ids.fullmatch(found) else found


def _event_id(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and _EVENT_ID.fullmatch(value):
        return value
    return None if isinstance(value, str) else record_id(value)


def is_about(row: Row, noun: str) -> bool | None:
    """Whether an object says that it is about this noun; None where it says nothing.

    It says so in the name of its type or event: "Contact Information", `contact_information.updated`, "Customers".
    """
    texts = [text for name in _NOUN_NAMES if isinstance(text := row.get(name), str) and text.strip()]
    names = ["_".join(_WORDS.findall(text[:200].casefold())) for text in texts]
    if not names:
        return None
    return any(name in (noun, f"{noun}s") or name.startswith(f"{noun}_") for name in names)
