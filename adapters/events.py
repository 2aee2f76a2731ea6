"""Builds Activity Feed events from a CRM's rows by the rules that hold for every CRM (CONTRACT section 6)."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import get_args

import msgspec

from adapters.contract import ActivityEvent, EventType, Icon, RejectedEvent, SourceReply
from adapters.plain_text import one_line, plain_text
from adapters.timestamps import Reading, TimestampRefused, render

ICONS = frozenset(get_args(Icon))
DEALS = frozenset({"won", "lost", "open"})
_CURRENCY = re.compile(r"[A-Z]{3}")
_NOT_ID = re.compile(r"[^A-Za-z0-9_.-]+")
_OBJECT = (dict, Mapping)
"""What a row has to be. A dict nearly always is, and to ask that first saves asking the abstract class."""


class EventDraft(msgspec.Struct, frozen=True):
    """What an adapter reads off one row, still in the CRM's own spelling."""

    record_id: object
    """The CRM's id of the row; where there is none, the id is made from the row's content."""
    timestamp: object
    """As the adapter's `read` takes it."""
    type: EventType
    header: object = ""
    text: object = ""
    icon: str = ""
    user_email: object = ""
    location: object = ""
    hide_time: bool = False
    value: object = None
    currency: object = ""
    probability_percent: object = None


class EventBuilder:
    """Turns drafts into events; `prefix` is the adapter's name, `read` its reading of timestamps."""

    def __init__(self, prefix: str, read: Callable[[object], Reading]) -> None:
        self._prefix = prefix
        self._read = read

    def collect(
        self, kind: str, rows: list[object], draft: Callable[[Mapping[str, object]], EventDraft | None]
    ) -> SourceReply:
        """Every row as an event or as a rejection; a row for which `draft` returns None is left out."""
        reply = SourceReply()
        for row in rows:
            if not isinstance(row, _OBJECT):
                name = type(row).__name__
                reply.rejected.append(
                    RejectedEvent(f"{self._prefix}-{kind}", "shape", f"a row that is {name}, no object")
                )
                continue
            drafted = draft(row)
            if drafted is not None:
                self.add(reply, kind, drafted, row)
        return reply

    def add(self, reply: SourceReply, kind: str, draft: EventDraft, row: Mapping[str, object]) -> None:
        """Append one draft to `reply`: as an event, or as a rejection if its timestamp cannot be read."""
        event_id = self._id(kind, draft.record_id, row)
        try:
            reading = self._read(draft.timestamp)
        except TimestampRefused as refused:
            reply.rejected.append(RejectedEvent(event_id, refused.reason, str(refused)))
            return
        reply.events.append(_event(event_id, draft, reading))

    def _id(self, kind: str, record_id: object, row: Mapping[str, object]) -> str:
        text = _id_text(record_id)
        if not text:
            canonical = json.dumps(row, sort_keys=True, default=str, ensure_ascii=True)
            text = hashlib.sha256(canonical.encode()).hexdigest()[:24]
        return f"{self._prefix}-{kind}-{text}"


def _id_text(record_id: object) -> str:
    if isinstance(record_id, str):
        text = record_id.strip()
        return text if text.isalnum() and text.isascii() else _NOT_ID.sub("_", text)
    return str(record_id) if isinstance(record_id, int) and not isinstance(record_id, bool) else ""


def _event(event_id: str, draft: EventDraft, reading: Reading) -> ActivityEvent:
    deal = draft.type in DEALS
    return ActivityEvent(
        id=event_id,
        timestamp=render(reading.at),
        type=draft.type,
        header=one_line(draft.header),
        text=plain_text(draft.text),
        icon=draft.icon if draft.icon in ICONS else "",  # type: ignore[arg-type]  # narrowed by the test
        user_email=one_line(draft.user_email),
        location=one_line(draft.location),
        hide_time=draft.hide_time or reading.date_only,
        value=number(draft.value) if deal else None,
        currency=currency(draft.currency) if deal else "",
        probability_percent=percent(draft.probability_percent) if deal else None,
    )


def number(value: object) -> int | float | None:
    """A CRM amount as a JSON number: numbers, or text such as "5.00", "1 234.5", "1,234.50", "2 000,5"; else None."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return value if abs(value) < 10**15 else None
    if isinstance(value, float):
        return _tidy(Decimal(repr(value))) if math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    try:
        return _tidy(Decimal(_one_decimal_point(value)))
    except InvalidOperation:
        return None


def _one_decimal_point(text: str) -> str:
    compact = re.sub(r"[\s\u00a0']", "", text[:40])
    comma, point = compact.rfind(","), compact.rfind(".")
    if comma > point:
        thousands = point < 0 and (compact.count(",") > 1 or len(compact) - comma == 4)
        return compact.replace(",", "") if thousands else compact.replace(".", "").replace(",", ".")
    return compact.replace(",", "")


def _tidy(value: Decimal) -> int | float | None:
    if not value.is_finite() or abs(value) >= 10**15:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def currency(value: object) -> str:
    """An ISO 4217 code in upper case, or "" for anything that does not look like one."""
    code = value.strip().upper() if isinstance(value, str) else ""
    return code if _CURRENCY.fullmatch(code) else ""


def percent(value: object) -> int | float | None:
    """A probability from 0 to 100; text and a trailing % are read; anything outside is None."""
    read = number(value.rstrip("% ") if isinstance(value, str) else value)
    return read if read is not None and 0 <= read <= 100 else None
