"""Webhooks as a use case: what is verified is kept before it is answered, once (CONTRACT section 8)."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from adapters.contract import CrmEvent
from adapters.deadline import Deadline
from gateway.clock import Clock
from gateway.folding import Folding
from gateway.handling import Note
from gateway.ids import new_id
from gateway.inbound_work import COMPANY_CHANGE, CRM_WEBHOOK, record_key
from gateway.pushed import read_change
from gateway.runtime import LiveConnection
from gateway.store import DeliveryState, Store, companies, inbox
from gateway.store.inbox import InboundEvent, Kept
from gateway.worker import Worker

_KEEP_SECONDS = 5.0
"""How long a sender waits for the store: a hung one must end in a 503 too, and senders seldom wait longer."""


class Webhooks:
    """Keeps what CRMs and Vainu tell; one instance serves all connections."""

    def __init__(self, store: Store, worker: Worker, clock: Clock, note: Note | None = None) -> None:
        self._note = note
        self._store = store
        self._worker = worker
        self._clock = clock
        self._folding = Folding()

    async def from_crm(self, live: LiveConnection, webhook_id: str | None, body: bytes, parsed: Any) -> Kept:
        """Keep a CRM's webhook; an event that needs no action is kept and marked ignored."""
        return await self._keep(self._rows(live, webhook_id, body, parsed), Deadline.after(_KEEP_SECONDS))

    def hand_over_from_crm(
        self,
        live: LiveConnection,
        webhook_id: str | None,
        body: bytes,
        parsed: Any,
        done: Callable[[Kept | Exception], None],
    ) -> None:
        """As `from_crm`, for a caller that does not wait: `done` is told on this event loop."""
        rows = self._rows(live, webhook_id, body, parsed)

        def kept(result: Kept | Exception) -> None:
            self._wake(rows, result)
            done(result)

        deadline = Deadline.after(_KEEP_SECONDS)
        is_one = inbox.is_one_statement(rows)
        self._store.hand_over(inbox.keep, rows, "inbox.keep", deadline, kept, is_one_statement=is_one)

    def _rows(self, live: LiveConnection, webhook_id: str | None, body: bytes, parsed: Any) -> Sequence[InboundEvent]:
        events = live.webhooks.read_events(parsed) if live.webhooks else ()
        key, by_body = _dedupe_key(webhook_id, events, body)
        now = self._clock()
        if not events or live.vainu is None:
            reason = "unknown_event" if not events else "no_vainu"
            return [_ignored(live.name, key, by_body, body, now, reason)]
        first = self._event(live.name, events[0], key, by_body, body, now)
        # the body is kept once: of thousands of customers in one it would be kept thousands of times
        others = [
            self._event(live.name, each, f"{key}#{n}", by_body, _part_of(first, each), now)
            for n, each in enumerate(events[1:], 1)
        ]
        return [first, *others]

    def _event(self, name: str, event: CrmEvent, key: str, by_body: bool, body: bytes, now: int) -> InboundEvent:
        order_key = record_key(name, event.record_id)
        return InboundEvent(
            event_id=new_id("whk", now),
            connection=name,
            kind=CRM_WEBHOOK,
            order_key=order_key,
            subject=event.record_id,
            payload=body,
            dedupe_key=key,
            by_body=by_body,
            received_at=now,
            pause_ms=self._folding.pause_ms(order_key, now),
        )

    async def from_vainu(self, live: LiveConnection, body: bytes, parsed: Any) -> Kept:
        """Keep a company change; raises `NotACompany`. Its key is the content: Vainu sends no id (fact sheet 3.3)."""
        unique_id, _company = read_change(parsed)
        content = {key: value for key, value in parsed.items() if key != "number_of_tries"}
        digest = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
        deadline = Deadline.after(_KEEP_SECONDS)
        company = await self._store.read(lambda c: companies.by_unique_id(c, live.name, unique_id), deadline)
        now = self._clock()
        row = InboundEvent(
            event_id=new_id("whk", now),
            connection=live.name,
            kind=COMPANY_CHANGE,
            # one record is written by one delivery at a time, an export's or a change's
            order_key=f"{live.name}:{company.id if company else unique_id}",
            subject=unique_id,
            payload=body,
            dedupe_key=f"body:{digest}",
            by_body=True,
            received_at=now,
        )
        return await self._keep([row], deadline)

    async def _keep(self, rows: Sequence[InboundEvent], deadline: Deadline) -> Kept:
        if self._note:
            await self._note(*(row.event_id for row in rows))
        kept = await self._store.write_many(inbox.keep, rows, "inbox.keep", deadline)
        self._wake(rows, kept)
        return kept

    def _wake(self, rows: Sequence[InboundEvent], result: Kept | Exception) -> None:
        # what waits for more is found by the worker's own beat
        if isinstance(result, Kept) and not result.duplicate and not rows[0].pause_ms:
            self._worker.wake()


def _dedupe_key(webhook_id: str | None, events: Sequence[CrmEvent], body: bytes) -> tuple[str, bool]:
    """The sender's id of the message, else the adapter's id of the event, else the body; and whether it is the last."""
    if webhook_id is not None:
        return f"id:{webhook_id}", False
    event_ids = [event.event_id for event in events if event.event_id]
    if event_ids and len(event_ids) == len(events):
        return f"event:{hashlib.sha256(','.join(event_ids).encode()).hexdigest()}", False
    return f"body:{hashlib.sha256(body).hexdigest()}", True


def _part_of(first: InboundEvent, event: CrmEvent) -> bytes:
    return msgspec.json.encode({"record": event.record_id, "in_the_body_of": first.event_id})


def _ignored(name: str, key: str, by_body: bool, body: bytes, now: int, reason: str) -> InboundEvent:
    return InboundEvent(
        event_id=new_id("whk", now),
        connection=name,
        kind=CRM_WEBHOOK,
        order_key=record_key(name, ""),
        subject="",
        payload=body,
        dedupe_key=key,
        by_body=by_body,
        received_at=now,
        state=DeliveryState.IGNORED,
        reason=reason,
    )
