"""Deliveries that go to a remote system many at once: claimed together, sent together, each with an ending of its own.

Of a connection and kind one batch is under way in each process, and what comes in meanwhile is the next one: many
small requests become few calls, and nobody waits for a timer. Knows no rule of any kind of delivery.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog
from sqlalchemy import Connection

from adapters.contract import RemoteError
from adapters.deadline import Deadline
from gateway.clock import Clock
from gateway.endings import after_failure
from gateway.handling import InternalFault, Traced, refused_by_store
from gateway.runtime import LiveConnection
from gateway.store import DeliveryState, Store, StoreUnavailable, WriteRefused, claims, deliveries, events
from gateway.store.claims import DueWork, Lease
from gateway.store.deliveries import Delivery, Ending

log = structlog.get_logger()

BATCH_SECONDS = 60.0
"""The longest one batch may take."""
_RECORDED_AT_ONCE = 100
"""How many endings go into one commit: others who write wait only that long."""
_STORE_PAUSE_MS = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery of a batch."""

    error: RemoteError | None = None
    """None: it is done."""
    result: str | None = None
    """What is kept of it, done or not."""
    is_known: bool = True
    """False where the remote system may have it although it is not done."""


class BatchHandler(Protocol):
    """What some kinds of delivery mean that go in batches."""

    most: int
    """How many deliveries a batch has at most."""

    def takes(self, kind: str) -> bool:
        """Whether deliveries of this kind are its own."""
        ...

    async def act(self, batch: Sequence[Delivery], live: LiveConnection, deadline: Deadline) -> Sequence[Outcome]:
        """Send deliveries of one connection and kind; an outcome for each, in their order.

        Those with a `sent_at` may be at the remote system already, and must not be sent again unasked.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Batch:
    deliveries: Sequence[Delivery]
    task: "asyncio.Task[None]"


_Ended = tuple[Delivery, Ending]


@dataclass(slots=True)
class Batches:
    """The batches of one process, for its `Worker` to start."""

    store: Store
    handler: BatchHandler
    clock: Clock
    observe: Callable[[str, str, Mapping[str, int]], None]
    """Hears of every batch that was sent: the connection, the kind, how many ended `ok` or with which reason word."""
    observe_ending: Callable[[Delivery, Ending], None] = lambda _delivery, _ending: None
    """Hears of every delivery of a batch whose attempt ended."""
    traced: Traced | None = None
    _running: dict[tuple[str, str], _Batch] = field(default_factory=dict)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, kind: str) -> bool:
        """Whether deliveries of this kind go in batches."""
        return self.handler.takes(kind)

    @property
    def tasks(self) -> dict[int, "asyncio.Task[None]"]:
        """The deliveries under way, each with the task of its batch."""
        return {delivery.id: batch.task for batch in self._running.values() for delivery in batch.deliveries}

    @property
    def next_end(self) -> asyncio.Event:
        """Is set when the next batch has ended, whichever it is."""
        return self._ended

    async def start(
        self, due: DueWork, live: LiveConnection, lease: Callable[[], Lease], then: Callable[[], None]
    ) -> None:
        """Claim what is due of a connection and kind and send it, unless a batch of it is under way; `then` follows."""
        key = due.connection, due.kind
        if key in self._running:
            return
        now, ours = self.clock(), lease()
        claimed = await self.store.write(
            lambda c: claims.claim(c, ours, now, due.connection, due.kind, self.handler.most), "batch.claim"
        )
        if claimed:
            work = self._work(claimed, live, lease, then)
            task = asyncio.create_task(work, name=f"batch-{due.connection}-{due.kind}")
            self._running[key] = _Batch(claimed, task)

    async def _work(
        self, batch: Sequence[Delivery], live: LiveConnection, lease: Callable[[], Lease], then: Callable[[], None]
    ) -> None:
        started = self.clock()
        try:
            with live.in_use():
                ended = await self._at_pace(batch, live, lease)
            for place in range(0, len(ended), _RECORDED_AT_ONCE):
                await self._finish(ended[place : place + _RECORDED_AT_ONCE], lease().owner, started)
        finally:
            del self._running[batch[0].connection, batch[0].kind]
            self._ended.set()
            self._ended = asyncio.Event()
            then()

    async def _at_pace(
        self, batch: Sequence[Delivery], live: LiveConnection, lease: Callable[[], Lease]
    ) -> Sequence[_Ended]:
        """Send the batch when it is its turn; the endings of those that are still ours then."""
        circuit = live.pace.circuit(batch[0].kind)
        later = circuit.wait_until(self.clock())
        if later is not None:
            return _postponed(batch, later, "circuit_open")
        try:
            async with live.pace.turn():
                outcomes = await self._sent(await self._leaving(batch, lease), live)
        except StoreUnavailable as trouble:
            circuit.abandoned()
            log.warning("batch.store_unavailable", connection=live.name, kind=batch[0].kind, detail=str(trouble))
            return _postponed(batch, self.clock() + _STORE_PAUSE_MS, "store_unavailable")
        except BaseException:
            circuit.abandoned()
            raise
        errors = [outcome.error for _delivery, outcome in outcomes]
        if errors and errors[0] is not None and None not in errors:
            circuit.failed(errors[0], self.clock())
        else:
            circuit.worked()
        # one for all: what failed together is tried again together
        jitter = random.random()  # noqa: S311 - jitter, nothing secret
        ended = [(delivery, self._ending(delivery, outcome, live, jitter)) for delivery, outcome in outcomes]
        for delivery, ending in ended:
            self.observe_ending(delivery, ending)
        return ended

    async def _leaving(self, batch: Sequence[Delivery], lease: Callable[[], Lease]) -> list[Delivery]:
        ids, now, ours = [delivery.id for delivery in batch], self.clock(), lease()
        held = await self.store.write(lambda c: events.leave(c, ours, ids, now), "batch.leave")
        return [delivery for delivery in batch if delivery.id in held]

    async def _sent(self, batch: Sequence[Delivery], live: LiveConnection) -> Sequence[tuple[Delivery, Outcome]]:
        if not batch:
            return []
        if self.traced is None:
            return await self._acted(batch, live)
        async with self.traced(batch) as tell:
            outcomes = await self._acted(batch, live)
            tell(next((each.error.reason for _delivery, each in outcomes if each.error), "ok"))
        return outcomes

    async def _acted(self, batch: Sequence[Delivery], live: LiveConnection) -> Sequence[tuple[Delivery, Outcome]]:
        try:
            outcomes = await self.handler.act(batch, live, Deadline.after(BATCH_SECONDS))
        except Exception:
            log.exception("batch.internal_error", connection=live.name, kind=batch[0].kind)
            outcomes = [Outcome(InternalFault("an internal error; see the log"), is_known=False) for _each in batch]
        words = Counter(each.error.reason if each.error else "ok" for each in outcomes)
        log.info("batch.sent", connection=live.name, kind=batch[0].kind, outcomes=dict(words))
        self.observe(live.name, batch[0].kind, words)
        return list(zip(batch, outcomes, strict=True))

    def _ending(self, delivery: Delivery, outcome: Outcome, live: LiveConnection, jitter: float) -> Ending:
        if outcome.error is None:
            return Ending(DeliveryState.DONE, "ok", result=outcome.result)
        detail = live.redact(outcome.error.detail)
        ending, _decision = after_failure(
            live.settings.deliveries.policy,
            delivery,
            outcome.error,
            detail,
            now=self.clock(),
            jitter=jitter,
            result=outcome.result,
        )
        return replace(ending, did_not_arrive=outcome.is_known)

    async def _finish(self, ended: Sequence[_Ended], owner: str, started: int) -> None:
        """Record endings, however long the store takes: what became of a remote write must not be lost."""
        try:
            await self._recorded(ended, owner, started)
        except WriteRefused:
            if len(ended) == 1:
                delivery, _ending = ended[0]
                log.exception("batch.outcome_refused_by_store", delivery=delivery.id)
                await self._recorded([(delivery, _dead_for_the_store())], owner, started)
                return
            for each in ended:
                await self._finish([each], owner, started)

    async def _recorded(self, ended: Sequence[_Ended], owner: str, started: int) -> None:
        while True:
            try:
                await self.store.write(lambda c: self._record(c, ended, owner, started), "batch.finish")
            except WriteRefused:
                raise
            except StoreUnavailable as error:
                log.error("batch.outcomes_wait_for_store", deliveries=len(ended), detail=str(error))
                await asyncio.sleep(_STORE_PAUSE_MS / 1000)
            else:
                return

    def _record(self, connection: Connection, ended: Sequence[_Ended], owner: str, started: int) -> None:
        now = self.clock()
        lost = [
            delivery.id
            for delivery, ending in ended
            if not deliveries.finish(connection, delivery, owner, ending, started, now)
        ]
        if lost:
            log.warning("batch.lease_lost", deliveries=lost)


def _postponed(batch: Sequence[Delivery], at: int, reason: str) -> list[_Ended]:
    """Not before `at`; nobody's failure, and not an attempt."""
    return [
        (delivery, Ending(DeliveryState.PENDING, reason, result=delivery.result, due_at=at, counts=False))
        for delivery in batch
    ]


def _dead_for_the_store() -> Ending:
    fault = refused_by_store()
    return Ending(DeliveryState.DEAD, fault.reason, fault.detail)
