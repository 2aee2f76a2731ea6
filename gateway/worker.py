"""Claims due deliveries, has them acted on, records how it ended. Knows no rule of any kind of delivery."""

import asyncio
import os
import random
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from sqlalchemy import Connection

from adapters.contract import RemoteError, TimedOut
from adapters.deadline import Deadline
from gateway.clock import Clock, now_ms
from gateway.retry import GiveUp, Policy, decide
from gateway.runtime import LiveConnection, Runtime
from gateway.store import DeliveryState, Store, StoreUnavailable, deliveries
from gateway.store.deliveries import Delivery, Ending, Lease

log = structlog.get_logger()

LEASE_MS = 6_000
BEAT_SECONDS = 0.5
ATTEMPT_SECONDS = 60.0
"""The longest one attempt may take."""
_RENEW_EVERY_BEATS = 4
_STORE_PAUSE_MS = 500


@dataclass(frozen=True, slots=True)
class Act:
    """What a handler has done: the result to keep, and what belongs into the same transaction."""

    result: str | None = None
    also: Callable[[Connection], None] = lambda _connection: None


class Postponed(Exception):
    """The delivery cannot be acted on before a certain time; nobody's failure, and not an attempt."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        """Unix milliseconds."""
        self.reason = reason


class InternalFault(RemoteError):
    """A defect of ours while acting on a delivery; retried, because nothing must be lost to it."""

    reason = "internal_error"
    outcome_known = False


class Handler(Protocol):
    """What one kind of delivery means. Everything it does must be safe to do twice."""

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Do it; raise a `RemoteError` or `Postponed` if it cannot be done now."""
        ...


@dataclass(slots=True)
class _Running:
    delivery: Delivery
    task: "asyncio.Task[None]"


@dataclass(slots=True)
class Worker:
    """One per process. `start` takes what the caller has claimed itself; `run` claims the rest."""

    store: Store
    runtime: Runtime
    handlers: Mapping[str, Handler]
    clock: Clock = now_ms
    policy: Policy = field(default_factory=Policy)
    capacity: int = 256
    owner: str = field(default_factory=lambda: f"{socket.gethostname()[:30]}-{os.getpid()}-{secrets.token_hex(4)}")
    beat_at: float = 0.0
    """When the loop last came round, on the event loop's clock."""
    _running: dict[int, _Running] = field(default_factory=dict)
    _finished: dict[int, list[asyncio.Event]] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False

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

    async def finished(self, delivery_id: int, deadline: Deadline) -> None:
        """Wait until this process has finished an attempt of the delivery, at most until the deadline."""
        event = asyncio.Event()
        self._finished.setdefault(delivery_id, []).append(event)
        try:
            async with asyncio.timeout(deadline.remaining()):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._forget(delivery_id, event)

    def _forget(self, delivery_id: int, event: asyncio.Event) -> None:
        waiting = self._finished.get(delivery_id, [])
        if event in waiting:
            waiting.remove(event)
        if not waiting:
            self._finished.pop(delivery_id, None)

    async def run(self) -> None:
        """Claim and renew until cancelled. A store that fails is waited for."""
        beats = 0
        loop = asyncio.get_running_loop()
        while True:
            self.beat_at = loop.time()
            try:
                if beats % _RENEW_EVERY_BEATS == 0:
                    await self._renew()
                await self._claim()
            except StoreUnavailable as error:
                log.warning("worker.store_unavailable", detail=str(error))
            beats += 1
            self._wake.clear()
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def drain(self, seconds: float) -> None:
        """Claim nothing more, let running work finish for `seconds`, then give the rest back."""
        self._stopping = True
        tasks = [running.task for running in self._running.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        left = list(self._running)
        for running in list(self._running.values()):
            running.task.cancel()
        await asyncio.gather(*(task for task in tasks if not task.done()), return_exceptions=True)
        if left:
            owner, now = self.owner, self.clock()
            await self.store.write(lambda c: deliveries.release(c, owner, left, now), "delivery.release")

    async def _renew(self) -> None:
        if self._running:
            lease, held = self.lease(), list(self._running)
            await self.store.write(lambda c: deliveries.renew(c, lease, held), "delivery.renew")

    async def _claim(self) -> None:
        names = list(self.runtime.connections)
        while self.has_room and names:
            now, lease, room = self.clock(), self.lease(), min(64, self.capacity - len(self._running))
            if not await self.store.read(lambda c, now=now: deliveries.any_claimable(c, now, names)):  # type: ignore[misc]  # mypy infers no lambda with defaults
                return
            claimed = await self.store.write(
                lambda c, lease=lease, now=now, room=room: deliveries.claim(c, lease, now, names, room),  # type: ignore[misc]  # as above
                "delivery.claim",
            )
            self.start(claimed)
            if len(claimed) < room:
                return

    async def _work(self, delivery: Delivery) -> None:
        started = self.clock()
        try:
            ending, also = await self._attempt(delivery)
            follow = await self._finish(delivery, ending, also, started)
        finally:
            self._running.pop(delivery.id, None)
            for event in self._finished.pop(delivery.id, []):
                event.set()
        self.start(follow)

    async def _attempt(self, delivery: Delivery) -> tuple[Ending, Callable[[Connection], None]]:
        nothing: Callable[[Connection], None] = lambda _connection: None  # noqa: E731 - typed in one place
        try:
            act = await self._act(delivery)
        except Postponed as pause:
            return Ending(DeliveryState.PENDING, pause.reason, due_at=pause.at, counts=False), nothing
        except RemoteError as error:
            return self._failed(delivery, error), nothing
        except StoreUnavailable as error:
            # our own trouble, not the remote's: it must not use up the delivery's attempts
            log.warning("delivery.store_unavailable", delivery=delivery.id, detail=str(error))
            again = self.clock() + _STORE_PAUSE_MS
            return Ending(DeliveryState.PENDING, "store_unavailable", due_at=again, counts=False), nothing
        except Exception:
            log.exception("delivery.internal_error", delivery=delivery.id, kind=delivery.kind)
            return self._failed(delivery, InternalFault("an internal error; see the log")), nothing
        return Ending(DeliveryState.DONE, "ok", result=act.result), act.also

    async def _act(self, delivery: Delivery) -> Act:
        live = self.runtime.connections.get(delivery.connection)
        if live is None:
            # the connection was removed from the configuration: its work waits
            raise Postponed(self.clock() + 1_000, "no_connection")
        seconds = ATTEMPT_SECONDS
        if delivery.expires_at is not None:
            seconds = min(seconds, (delivery.expires_at - self.clock()) / 1000)
        if seconds <= 0:
            raise TimedOut("the time for it was over before an attempt could begin")
        with live.in_use():
            return await self._at_pace(delivery, live, Deadline.after(seconds))

    async def _at_pace(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Act within the connection's pace; `Postponed` while the circuit is open."""
        circuit = live.pace.circuit(delivery.kind)
        later = circuit.wait_until(self.clock())
        if later is not None:
            raise Postponed(later, "circuit_open")
        try:
            async with live.pace.turn():
                act = await self.handlers[delivery.kind].act(delivery, live, deadline)
        except RemoteError as error:
            circuit.failed(error, self.clock())
            raise
        except BaseException:
            circuit.abandoned()
            raise
        circuit.worked()
        return act

    def _failed(self, delivery: Delivery, error: RemoteError) -> Ending:
        number = delivery.attempts + 1
        live = self.runtime.connections.get(delivery.connection)
        detail = live.redact(error.detail) if live else error.detail
        decision = decide(
            live.settings.deliveries.policy if live else self.policy,
            error,
            attempts=delivery.bounded_attempts + 1,
            created_at=delivery.bounds_from,
            expires_at=delivery.expires_at,
            now=self.clock(),
            jitter=random.random(),  # noqa: S311 - jitter, nothing secret
        )
        gone = isinstance(decision, GiveUp)
        log.warning(
            "delivery.dead" if gone else "delivery.retry",
            delivery=delivery.id,
            connection=delivery.connection,
            kind=delivery.kind,
            attempt=number,
            reason=error.reason,
            detail=detail,
        )
        if isinstance(decision, GiveUp):
            return Ending(DeliveryState.DEAD, error.reason, detail)
        return Ending(DeliveryState.PENDING, error.reason, detail, due_at=decision.at)

    async def _finish(
        self, delivery: Delivery, ending: Ending, also: Callable[[Connection], None], started: int
    ) -> list[Delivery]:
        """Record the ending, with what belongs to it, and claim the key's next delivery in the same transaction."""

        def record(connection: Connection) -> list[Delivery]:
            now = self.clock()
            also(connection)
            if not deliveries.finish(connection, delivery, self.owner, ending, started, now):
                log.warning("delivery.lease_lost", delivery=delivery.id)
                return []
            names = list(self.runtime.connections)
            if self._stopping:
                return []
            return deliveries.claim(connection, self.lease(), now, names, 1, order_key=delivery.order_key)

        while True:
            try:
                return await self.store.write(record, f"{delivery.kind}.finish")
            except StoreUnavailable as error:
                # the outcome of a remote write must not be lost: keep it until the store is back
                log.error("delivery.outcome_waits_for_store", delivery=delivery.id, detail=str(error))
                await asyncio.sleep(0.5)
