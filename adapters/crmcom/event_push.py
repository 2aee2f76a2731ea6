"""Customer events in bulk: at most 1000 rows a call, each row's outcome on its own, nothing sent twice unasked (S004).

CRM.COM has no idempotency key, so rows that may be there already are looked for before they are sent again.
"""

import asyncio
import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.bulk_events import RowOutcome
from adapters.contract import BadCredentials, Refused, RemoteError
from adapters.crmcom.client import CrmcomClient
from adapters.crmcom.envelope import code_word, identity, is_passing
from adapters.crmcom.event_body import IDENTIFIER, INTENDED_CURRENCY, REFERENCE, reference_of
from adapters.crmcom.event_calls import Batch, batches, halves
from adapters.crmcom.event_look_up import EventLookUp
from adapters.crmcom.models import set_name
from adapters.crmcom.records import Records, outcome_sets
from adapters.deadline import Deadline
from adapters.plain_text import one_line

AT_ONCE = 6
"""Look-ups that run at the same time."""
MOST_SPLITS = 64
"""How often one push halves a call that was refused as a whole, to find the rows that it was refused for."""
_ABOUT_A_ROW = (None, 400, 413, 422)
_DESCRIPTION_CHARACTERS = 500
_Outcomes = dict[int, RowOutcome]


class EventPush:
    """Pushes the events of one CRM.COM account."""

    def __init__(self, client: CrmcomClient, records: Records) -> None:
        self._client = client
        self._look_up = EventLookUp(records)

    async def push(
        self, kind: str, rows: Sequence[Mapping[str, Any]], deadline: Deadline, is_repeat: bool
    ) -> list[RowOutcome]:
        """See `adapters.bulk_events.BulkEvents.push_events`."""
        everything = {place: _with_reference(row) for place, row in enumerate(rows)}
        outcomes = await self._there(kind, everything, deadline) if is_repeat else {}
        todo = deque(batches({place: row for place, row in everything.items() if place not in outcomes}))
        splits = MOST_SPLITS
        while todo:
            batch = todo.popleft()
            try:
                outcomes |= await self._sent(kind, batch, deadline)
            except RemoteError as error:
                if len(batch) > 1 and splits > 0 and _may_be_about_a_row(error):
                    splits -= 1
                    todo.extendleft(reversed(halves(batch)))
                    continue
                outcomes |= await self._failed(kind, batch, error, deadline)
                if not _may_be_about_a_row(error):
                    # who is down, busy or shut to us now is so for the next call too
                    outcomes |= {place: _not_sent(row, error) for rest in todo for place, row in rest.items()}
                    break
        return [outcomes[place] for place in range(len(rows))]

    async def _sent(self, kind: str, batch: Batch, deadline: Deadline) -> _Outcomes:
        first = next(iter(batch.values()))
        currency = {name: first[name] for name in (INTENDED_CURRENCY,) if name in first}
        rows = [{name: value for name, value in row.items() if name != INTENDED_CURRENCY} for row in batch.values()]
        body = {set_name(kind): rows, **currency}
        data = await self._client.post(f"customer_events/bulk/{kind}/create", deadline, body)
        processed, unprocessed = outcome_sets(data)
        told = {str(row.get(IDENTIFIER)): self._refusal(row) for row in unprocessed}
        told |= {str(row.get(IDENTIFIER)): _success(row) for row in processed}
        return {place: told.get(_identifier(row)) or _not_in_reply(row) for place, row in batch.items()}

    async def _failed(self, kind: str, batch: Batch, error: RemoteError, deadline: Deadline) -> _Outcomes:
        outcomes = {place: _failure(row, error) for place, row in batch.items()}
        if not error.outcome_known:
            # the answer was lost, not the work: what shows at once needs no second attempt
            found = await self._there(kind, batch, deadline)
            outcomes |= {place: outcome for place, outcome in found.items() if outcome.is_done}
        return outcomes

    async def _there(self, kind: str, rows: Batch, deadline: Deadline) -> _Outcomes:
        """Of rows that may be in CRM.COM: those that are, and those of which nobody can say; never one that is not."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def look(owner: tuple[str, str] | None, group: Batch) -> _Outcomes:
            async with slots:
                return await self._look_up.found(kind, owner, group, deadline)

        answers = await asyncio.gather(*(look(owner, group) for owner, group in self._look_up.groups(rows)))
        return {place: outcome for answer in answers for place, outcome in answer.items()}

    def _refusal(self, row: Mapping[str, Any]) -> RowOutcome:
        code = self._client.redact(one_line(row.get("error_code"))) or "no_code"
        # redacted before it is cut: a secret that the cut goes through would no longer be found
        said = self._client.redact(one_line(row.get("error_description"), 20_000))[:_DESCRIPTION_CHARACTERS]
        may_pass = is_passing(code_word(code))
        return RowOutcome(_identifier(row), False, error_code=code, error_description=said, is_retryable=may_pass)


def _may_be_about_a_row(error: RemoteError) -> bool:
    """Whether a call was refused for what it holds: its other rows may do better in a call of their own."""
    return isinstance(error, Refused) and not isinstance(error, BadCredentials) and error.status in _ABOUT_A_ROW


def _with_reference(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if row.get(REFERENCE):
        return row
    return {**row, REFERENCE: reference_of(json.dumps(row, sort_keys=True, default=str), row)}


def _identifier(row: Mapping[str, Any]) -> str:
    return str(row.get(IDENTIFIER))


def _success(row: Mapping[str, Any]) -> RowOutcome:
    return RowOutcome(_identifier(row), True, id=identity(row), number=one_line(row.get("number")))


def _failure(row: Mapping[str, Any], error: RemoteError) -> RowOutcome:
    return RowOutcome(
        request_unique_identifier=_identifier(row),
        is_done=False,
        error_code=error.reason,
        error_description=error.detail,
        is_retryable=error.retryable,
        is_outcome_known=error.outcome_known,
        retry_after=error.retry_after,
    )


def _not_sent(row: Mapping[str, Any], error: RemoteError) -> RowOutcome:
    detail = f"not sent, since the call before failed: {error.detail}"
    return RowOutcome(
        request_unique_identifier=_identifier(row),
        is_done=False,
        error_code="not_sent",
        error_description=detail,
        is_retryable=error.retryable,
        retry_after=error.retry_after,
    )


def _not_in_reply(row: Mapping[str, Any]) -> RowOutcome:
    detail = "CRM.COM answered neither that it took the event nor that it did not"
    return RowOutcome(_identifier(row), False, "", "", "not_in_reply", detail, True, is_outcome_known=False)
