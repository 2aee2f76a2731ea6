"""Claims due deliveries, has them acted on, records how it ended. Knows no rule of any kind of delivery."""

import asyncio
import contextlib
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from adapters.deadline import Deadline
from gateway.attempts import Attempts
from gateway.batches import Batches
from gateway.clock import Clock, now_ms
from gateway.clock_watch import ClockWatch
from gateway.handling import Act, refused_by_store
from gateway.owner import is_gone, new_owner
from gateway.runtime import Runtime
from gateway.store import UNFINISHED, Store, StoreUnavailable, WriteRefused, claims, deliveries
from gateway.store.claims import DueWork, Lease
from gateway.store.deliveries import Delivery, Ending

log = structlog.get_logger()

LEASE_MS = 6_000
BEAT_SECONDS = 0.5
_RENEW_SECONDS = 2.0
_TURNS_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
"""Between two looks for work: what comes in between is found by one look."""
_CLAIMED_AT_ONCE = 64
_RELEASE_SECONDS = 0.3
"""How long a drain waits for the store to give work back; else the leases run out."""
_REFUSED_BY_STORE_MOST = 3
"""How often the store may refuse an outcome for what it holds: once or twice it may be a race for an order key."""


_Recorded = tuple[Delivery | None, list[Delivery]]
"""A delivery as it was kept (None: its lease was lost), and the next of its key, claimed in the same transaction."""


@dataclass(slots=True)
class _Running:
    delivery: Delivery
    task: "asyncio.Task[None]"


@dataclass(slots=True)
class Worker:
    """One per process. `start` takes what the caller has claimed itself; `run` claims the rest."""

    store: Store
    runtime: Runtime
    attempts: Attempts
    clock: Clock = now_ms
    batches: Batches | None = None
    """What goes many at once; claimed, leased and drained here like everything else."""
    capacity: int = 1024
    owner: str = field(default_factory=new_owner)
    beat_at: float = 0.0
    """When the loop last came round, on the event loop's clock."""
    _running: dict[int, _Running] = field(default_factory=dict)
    _waiting: dict[int, list["asyncio.Future[Delivery | None]"]] = field(default_factory=dict)
    """Who waits for the end of an attempt, by delivery."""
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _clock_watch: ClockWatch = field(init=False)

    def __post_init__(self) -> None:
        """Begin to watch the clock."""
        self._clock_watch = ClockWatch(self.store, self.clock, LEASE_MS)

    def lease(self) -> Lease:
        """A lease from now."""
        return Lease(self.owner, self.clock() + LEASE_MS)

    @property
    def has_room(self) -> bool:
        """Whether another delivery may be claimed now."""
        return not self._stopping and len(self._running) < self.capacity

    def is_acting_on(self, delivery_id: int) -> bool:
        """Whether this process is at work on the delivery just now."""
        return delivery_id in self._running

    def wake(self) -> None:
        """Look for work at once instead of at the next beat."""
        self._wake.set()

    def start(self, claimed: list[Delivery]) -> None:
        """Act on deliveries whose lease is ours."""
        for delivery in claimed:
            if delivery.id not in self._running:
                task = asyncio.create_task(self._work(delivery), name=f"delivery-{delivery.id}")
                self._running[delivery.id] = _Running(delivery, task)

    async def finished(self, delivery_id: int, deadline: Deadline) -> Delivery | None:
        """Wait until this process has finished an attempt of the delivery; the delivery as it was kept then.

        None at the deadline, or where its lease was lost: then somebody else will finish it, or has.
        """
        end: asyncio.Future[Delivery | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(delivery_id, []).append(end)
        try:
            async with asyncio.timeout(deadline.remaining()):
                return await end
        except TimeoutError:
            return None
        finally:
            self._forget(delivery_id, end)

    def _forget(self, delivery_id: int, end: "asyncio.Future[Delivery | None]") -> None:
        waiting = self._waiting.get(delivery_id, [])
        if end in waiting:
            waiting.remove(end)
        if not waiting:
            self._waiting.pop(delivery_id, None)

    async def run(self) -> None:
        """Claim and renew until cancelled. After a defect it goes on, without a beat."""
        loop = asyncio.get_running_loop()
        chores = {self._renew: _RENEW_SECONDS, self._take_over: BEAT_SECONDS, self._give_turns: _TURNS_SECONDS}
        due = dict.fromkeys(chores, loop.time())
        is_well = True
        while True:
            now = loop.time()
            if is_well:
                self.beat_at = now
            is_well = True
            # before the look: what is kept while we look is looked for again
            self._wake.clear()
            try:
                if self._clock_watch.notices():
                    due[self._renew] = now
                await self._clock_watch.put_right()
                for chore, seconds in chores.items():
                    if now >= due[chore]:
                        await chore()
                        due[chore] = now + seconds
                await self._claim()
            except StoreUnavailable as error:
                log.warning("worker.store_unavailable", detail=str(error))
            except Exception:
                # health sees that no round ends well, and the next one may
                is_well = False
                log.exception("worker.internal_error")
            await asyncio.sleep(_PAUSE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS - _PAUSE_SECONDS):
                    await self._wake.wait()

    async def drain(self, seconds: float) -> None:
        """Claim nothing more, let running work finish for `seconds`, then give the rest back."""
        self._stopping = True
        tasks = self._tasks()
        if tasks:
            await asyncio.wait(tasks.values(), timeout=seconds)
        self._cancel_all()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        left = [delivery_id for delivery_id, task in tasks.items() if task.cancelled()]
        if left:
            owner, now = self.owner, self.clock()
            by = Deadline.after(_RELEASE_SECONDS)
            try:
                await self.store.write(lambda c: claims.release(c, owner, left, now), "delivery.release", by)
            except StoreUnavailable as error:
                log.warning("delivery.not_released", deliveries=left, detail=str(error))

    def hurry(self) -> None:
        """End a drain that is under way now: what still runs is given back."""
        if self._stopping:
            self._cancel_all()

    def _cancel_all(self) -> None:
        for task in self._tasks().values():
            task.cancel()

    def _tasks(self) -> "dict[int, asyncio.Task[None]]":
        """What this process is at work on: by delivery, alone or in batches."""
        alone = {delivery_id: running.task for delivery_id, running in self._running.items()}
        return alone | self.batches.tasks if self.batches else alone

    async def _renew(self) -> None:
        lease, held = self.lease(), list(self._tasks())
        if held:
            await self.store.write(lambda c: claims.renew(c, lease, held), "delivery.renew")

    async def _take_over(self) -> None:
        """Give back what nobody works on any more: at once where a process of this machine was killed."""
        now, ours = self.clock(), list(self._tasks())
        # a clock that was just set says nothing about leases: whoever lives renews them first
        judged_at = now if self._clock_watch.is_steady and not self._clock_watch.notices() else 0
        held = await self.store.read(claims.holders)
        gone = [owner for owner in held if is_gone(owner)]
        if gone or any(until < judged_at for until in held.values()):
            count = await self.store.write(
                lambda c: claims.release_abandoned(c, gone, judged_at, now, but=ours), "delivery.take_over"
            )
            if count:
                log.warning("worker.took_over", owners=gone, deliveries=count)

    async def _give_turns(self) -> None:
        for order_key in await self.store.read(claims.stranded_keys):
            now = self.clock()
            await self.store.write(lambda c, k=order_key, n=now: claims.give_turn(c, k, n), "delivery.give_turn")  # type: ignore[misc]  # mypy infers no lambda with defaults

    async def _claim(self) -> None:
        now = self.clock()
        if not self.has_room or self._clock_watch.notices():
            # where the clock was set, first the store's times are put right
            return
        for due in await self.store.read(lambda c: claims.due_work(c, now)):
            live = self.runtime.connections.get(due.connection)
            if live is None or not live.pace.circuit(due.kind).lets_through(now):
                continue
            if self.batches and self.batches.takes(due.kind):
                await self.batches.start(due, live, self.lease, self.wake)
            elif self.attempts.takes(due.kind):
                await self._claim_all(due, now)

    async def _claim_all(self, due: DueWork, now: int) -> None:
        """Claim until this process has enough of the connection, or there is no more."""
        while room := self._room(due.connection):
            lease = self.lease()
            claimed = await self.store.write(
                lambda c, r=room, le=lease: claims.claim(c, le, now, due.connection, due.kind, r),  # type: ignore[misc]  # mypy infers no lambda with defaults
                "delivery.claim",
            )
            self.start(claimed)
            # a round takes long where much is due
            self.beat_at = asyncio.get_running_loop().time()
            if len(claimed) < room:
                return

    def _room(self, name: str) -> int:
        """How many deliveries of a connection to claim now: what waits here would keep others' out."""
        live = self.runtime.connections.get(name)
        if live is None:
            return 0
        held = sum(running.delivery.connection == name for running in self._running.values())
        return min(_CLAIMED_AT_ONCE, self.capacity - len(self._running), live.pace.room(held))

    async def _work(self, delivery: Delivery) -> None:
        started = self.clock()
        kept = None
        try:
            ending, act = await self.attempts.make(delivery)
            kept, follow = await self._finish(delivery, ending, act, started)
        finally:
            self._running.pop(delivery.id, None)
            for end in self._waiting.pop(delivery.id, []):
                if not end.done():
                    end.set_result(kept)
        self.start(follow)

    async def _finish(self, delivery: Delivery, ending: Ending, act: Act, started: int) -> _Recorded:
        """Record the ending, with what belongs to it, however long the store takes."""
        refused = 0
        while True:
            try:
                return await self.store.write(
                    lambda c, e=ending, a=act: self._record(c, delivery, e, a, started),  # type: ignore[misc]  # mypy infers no lambda with defaults
                    f"{delivery.kind}.finish",
                )
            except WriteRefused:
                refused += 1
                if refused == _REFUSED_BY_STORE_MOST:
                    log.exception("delivery.outcome_refused_by_store", delivery=delivery.id)
                    ending, act = self.attempts.failed(delivery, refused_by_store()), Act()
            except StoreUnavailable as error:
                # the outcome of a remote write must not be lost: keep it until the store is back
                log.error("delivery.outcome_waits_for_store", delivery=delivery.id, detail=str(error))
            await asyncio.sleep(0.5)

    def _record(self, connection: Connection, delivery: Delivery, ending: Ending, act: Act, started: int) -> _Recorded:
        now = self.clock()
        act.learned(connection)
        # first: on PostgreSQL it locks out whoever would add to the delivery's work (exports.mark_accepted)
        kept = deliveries.finish(connection, delivery, self.owner, ending, started, now)
        if kept is None:
            log.warning("delivery.lease_lost", delivery=delivery.id)
            return None, []
        act.also(connection)
        if ending.state not in UNFINISHED:
            claims.give_turn(connection, delivery.order_key, now)
        if self._stopping:
            return kept, []
        return kept, claims.claim_next(connection, self.lease(), now, delivery.order_key)
