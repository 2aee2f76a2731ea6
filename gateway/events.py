"""Customer events as a use case: keep every row, have them pushed, tell row by row (CONTRACT section 4)."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.contract import BulkEvents
from adapters.deadline import Deadline
from adapters.plain_text import one_line
from gateway.batches import Batches
from gateway.body import parse_json
from gateway.clock import Clock
from gateway.event_work import IDENTIFIER, delivery_kind
from gateway.handling import Note
from gateway.ids import new_id
from gateway.pushed import BodyFault
from gateway.runtime import LiveConnection
from gateway.store import UNFINISHED, DeliveryState, Store, StoreUnavailable, events
from gateway.store.events import KeptRow, NewEvents, NewRow
from gateway.worker import Worker

_KEEP_SECONDS = 5.0
"""How long a caller waits for the store: a hung one must end in a 503 too."""
_LOOK_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.2
"""How soon to look for the end of rows that another process may be working on; then less and less often."""
_LOOK_AGAIN_SECONDS_MOST = 1.0
_LONGEST_SUBJECT = 128


class BadEvents(ValueError):
    """The body is not what the CRM takes; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: list[BodyFault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Report:
    """Where a request's rows stand, each list in the request's order; the rows are as JSON tells them."""

    request_id: str
    processed: list[dict[str, Any]]
    """`request_unique_identifier`, and the CRM's `id` and `number`."""
    failed: list[dict[str, Any]]
    """`request_unique_identifier`, `error_code`, `error_description`: those that gave up."""
    pending: list[dict[str, Any]]
    """`request_unique_identifier` and `attempts`; after an attempt, what it failed of."""


class Events:
    """Takes customer events; one instance serves all connections."""

    def __init__(self, store: Store, worker: Worker, batches: Batches, clock: Clock, note: Note | None = None) -> None:
        self._note = note
        self._store = store
        self._worker = worker
        self._batches = batches
        self._clock = clock

    async def take(self, live: LiveConnection, adapter: BulkEvents, kind: str, body: Any, deadline: Deadline) -> Report:
        """Keep the rows of a body, have them pushed, and tell how they stand when the deadline comes.

        Raises `BadEvents` with every fault of every row, or `StoreUnavailable` if they could not be kept; then nothing
        was kept.
        """
        request_id = new_id("evt", self._clock())
        # some milliseconds for a thousand rows: not on the loop, where feeds wait
        read = await asyncio.to_thread(adapter.read_event_body, kind, body, request_id)
        if read.faults:
            raise BadEvents([BodyFault(fault.path, fault.message) for fault in read.faults])
        new = NewEvents(request_id, live.name, delivery_kind(kind), [new_row(row) for row in read.rows])
        if self._note:
            await self._note(request_id)
        await self._store.write_many(events.keep, new, "events.keep", Deadline.after(_KEEP_SECONDS))
        self._worker.wake()
        if not await self.ended(live.name, kind, request_id, deadline):
            return Report(request_id, [], [], [{IDENTIFIER: row[IDENTIFIER], "attempts": 0} for row in read.rows])
        report = await self.report(live.name, kind, request_id)
        assert report is not None  # noqa: S101 - kept a moment ago; retention counts in days
        return report

    async def ended(self, name: str, kind: str, request_id: str, deadline: Deadline) -> bool:
        """Wait until every row of a request is finished; False at the deadline, or if the store does not tell."""
        pause = _LOOK_AGAIN_SECONDS
        while deadline.remaining() > 0:
            # before the look: a batch that ends while we look is then not missed
            ends = self._batches.next_end
            try:
                counts = await self._store.read(
                    lambda c: events.counts_of(c, name, delivery_kind(kind), request_id), deadline
                )
            except StoreUnavailable:
                return False
            if not events.unfinished(counts):
                return True
            try:
                async with asyncio.timeout(deadline.earlier(pause)):
                    await ends.wait()
            except TimeoutError:
                pause = min(pause * 1.5, _LOOK_AGAIN_SECONDS_MOST)
        return False

    async def report(self, name: str, kind: str, request_id: str) -> Report | None:
        """Where a request of this connection and kind stands; None if there is none with this id."""
        rows = await self._store.read(
            lambda c: events.rows_of(c, name, delivery_kind(kind), request_id), Deadline.after(_LOOK_SECONDS)
        )
        return report_of(request_id, rows) if rows else None


def new_row(row: Any, dedupe_key: str | None = None) -> NewRow:
    """A row that was read, ready to be kept."""
    return NewRow(one_line(row[IDENTIFIER], _LONGEST_SUBJECT), msgspec.json.encode(row), dedupe_key)


def report_of(request_id: str, rows: Sequence[KeptRow]) -> Report:
    """The rows of a request as they stand."""
    report = Report(request_id, [], [], [])
    for row in rows:
        if row.state == DeliveryState.DONE:
            report.processed.append(_told(row))
        elif row.state in UNFINISHED:
            report.pending.append(_told(row) | {"attempts": row.attempts})
        else:
            report.failed.append(_failed(row))
    return report


def _told(row: KeptRow) -> dict[str, Any]:
    """What the last attempt told of the row; before the first, its identifier alone."""
    if row.result is not None:
        told: dict[str, Any] = json.loads(row.result)
        return told
    return {IDENTIFIER: parse_json(row.payload or b"{}").get(IDENTIFIER)}


def _failed(row: KeptRow) -> dict[str, Any]:
    return {"error_code": row.reason or "", "error_description": row.detail or "", **_told(row)}
