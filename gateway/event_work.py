"""The work behind customer events: rows of any number of requests go to the CRM together, and end one by one.

Each row is a delivery whose payload is the row, in the CRM's own format, and whose kind is `events_<kind of event>`.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.contract import (
    BadCredentials,
    BulkEvents,
    ConnectionCut,
    NotFound,
    Refused,
    RemoteError,
    RowOutcome,
    ServerFault,
    Throttled,
    TimedOut,
    UnexpectedReply,
    Unreachable,
)
from adapters.deadline import Deadline
from gateway.batches import Outcome
from gateway.body import parse_json
from gateway.runtime import LiveConnection
from gateway.store.deliveries import Delivery

IDENTIFIER = "request_unique_identifier"
_PREFIX = "events_"
_OF_A_WHOLE_CALL: Mapping[str, type[RemoteError]] = {
    error.reason: error
    for error in (
        Unreachable,
        TimedOut,
        ConnectionCut,
        Throttled,
        ServerFault,
        UnexpectedReply,
        Refused,
        BadCredentials,
        NotFound,
    )
}


class RowFailed(RemoteError):
    """The CRM did not take this one row; the same row may be taken later."""

    reason = "row_failed"


class RowRefused(Refused):
    """The CRM refused this one row for good."""

    reason = "row_refused"


def delivery_kind(event_kind: str) -> str:
    """The kind of the deliveries of a kind of event."""
    return _PREFIX + event_kind


def event_kind(delivery_kind: str) -> str:
    """The kind of event of a kind of delivery that is `EventWork`'s."""
    return delivery_kind.removeprefix(_PREFIX)


def bulk_events(live: LiveConnection, kind: str) -> BulkEvents | None:
    """The connection's adapter, if its CRM takes events of this kind."""
    adapter = live.adapter
    return adapter if isinstance(adapter, BulkEvents) and kind in adapter.event_kinds else None


class EventWork:
    """Pushes rows of customer events; what may have arrived already is looked up before it is sent again."""

    most = 1_000
    """What CONTRACT and S004 allow for one call; an adapter makes more calls of them where it must."""

    def takes(self, kind: str) -> bool:
        """Whether these are customer events."""
        return kind.startswith(_PREFIX)

    async def act(self, batch: Sequence[Delivery], live: LiveConnection, deadline: Deadline) -> Sequence[Outcome]:
        """Push the rows, new ones together and repeated ones together."""
        kind = event_kind(batch[0].kind)
        adapter = bulk_events(live, kind)
        if adapter is None:
            gone = Refused(f"the connection's CRM takes no customer events of the kind {kind}; correct its setting crm")
            return [Outcome(gone) for _each in batch]
        parts: dict[bool, list[Delivery]] = {}
        for each in batch:
            parts.setdefault(each.sent_at is not None, []).append(each)
        answers = await asyncio.gather(
            *(_pushed(adapter, kind, part, is_repeat, deadline) for is_repeat, part in parts.items())
        )
        outcomes = {delivery_id: outcome for answer in answers for delivery_id, outcome in answer.items()}
        return [outcomes[each.id] for each in batch]


async def _pushed(
    adapter: BulkEvents, kind: str, part: Sequence[Delivery], is_repeat: bool, deadline: Deadline
) -> dict[int, Outcome]:
    rows = [parse_json(each.payload) for each in part]
    outcomes = await adapter.push_events(kind, rows, deadline, is_repeat=is_repeat)
    return {each.id: _outcome(row) for each, row in zip(part, outcomes, strict=True)}


def _outcome(row: RowOutcome) -> Outcome:
    told: dict[str, Any] = {IDENTIFIER: row.request_unique_identifier}
    if row.is_done:
        return Outcome(result=json.dumps({**told, "id": row.id, "number": row.number}))
    told |= {"error_code": row.error_code, "error_description": row.error_description}
    return Outcome(_error(row), json.dumps(told), row.is_outcome_known)


def _error(row: RowOutcome) -> RemoteError:
    """The failure as the rest of the gateway knows failures: by the whole call's word, where the whole call failed."""
    of_call = _OF_A_WHOLE_CALL.get(row.error_code)
    if of_call is not None and of_call.retryable is row.is_retryable:
        return of_call(row.error_description, retry_after=row.retry_after)
    detail = ": ".join(part for part in (row.error_code, row.error_description) if part)
    return (RowFailed if row.is_retryable else RowRefused)(detail, retry_after=row.retry_after)
