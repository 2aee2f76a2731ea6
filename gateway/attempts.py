"""One attempt at a delivery: at the connection's pace, within its time, and what its failure means."""

import contextlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from adapters.contract import RemoteError, TimedOut
from adapters.deadline import Deadline
from adapters.precedence import Precedence
from gateway.clock import Clock, now_ms
from gateway.endings import after_failure
from gateway.handling import Act, Handler, InternalFault, Postponed, Traced
from gateway.retry import GiveUp, Policy
from gateway.runtime import LiveConnection, Runtime
from gateway.store import DeliveryState, StoreUnavailable
from gateway.store.deliveries import Delivery, Ending

log = structlog.get_logger()

ATTEMPT_SECONDS = 60.0
"""The longest one attempt may take."""
_STORE_PAUSE_MS = 500


class _OutOfTime(TimedOut):
    """Its time was over before an attempt could begin: says nothing about the remote system."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Makes attempts at deliveries of every kind; one per process."""

    runtime: Runtime
    handlers: Mapping[str, Handler]
    clock: Clock = now_ms
    policy: Policy = field(default_factory=Policy)
    """For deliveries of connections that the configuration does not have any more."""
    precedence: Precedence = field(default_factory=Precedence)
    awaited: frozenset[str] = frozenset()
    """The kinds of delivery that a caller may wait for; all others give way to callers."""
    observe: Callable[[Delivery, Ending, float], None] = lambda _delivery, _ending, _seconds: None
    """Hears of every attempt: the delivery, how it ended, and how many seconds it took."""
    traced: Traced | None = None

    def takes(self, kind: str) -> bool:
        """Whether deliveries of this kind are made here."""
        return kind in self.handlers

    async def make(self, delivery: Delivery) -> tuple[Ending, Act]:
        """Act on a delivery once; how that ended, and what belongs to it. Raises nothing but a cancellation."""
        started = time.perf_counter()
        if self.traced is None:
            ending, act = await self._made(delivery)
        else:
            async with self.traced([delivery]) as tell:
                ending, act = await self._made(delivery)
                tell(ending.outcome)
        self.observe(delivery, ending, time.perf_counter() - started)
        return ending, act

    async def _made(self, delivery: Delivery) -> tuple[Ending, Act]:
        try:
            act = await self._act(delivery)
        except Postponed as pause:
            return Ending(DeliveryState.PENDING, pause.reason, due_at=pause.at, counts=False), Act()
        except RemoteError as error:
            return self.failed(delivery, error), Act()
        except StoreUnavailable as error:
            # our own trouble, not the remote's: it must not use up the delivery's attempts
            log.warning("delivery.store_unavailable", delivery=delivery.id, detail=str(error))
            again = self.clock() + _STORE_PAUSE_MS
            return Ending(DeliveryState.PENDING, "store_unavailable", due_at=again, counts=False), Act()
        except Exception:
            log.exception("delivery.internal_error", delivery=delivery.id, kind=delivery.kind)
            return self.failed(delivery, InternalFault("an internal error; see the log")), Act()
        if act.ignored is not None:
            return Ending(DeliveryState.IGNORED, act.ignored, act.detail, act.result), act
        return Ending(DeliveryState.DONE, "ok", result=act.result), act

    async def _act(self, delivery: Delivery) -> Act:
        live = self.runtime.connections.get(delivery.connection)
        if live is None:
            # the connection was removed from the configuration: its work waits
            raise Postponed(self.clock() + 1_000, "no_connection")
        awaited = delivery.kind in self.awaited
        with live.in_use(), contextlib.nullcontext() if awaited else self.precedence.giving_way():
            return await self._at_pace(delivery, live)

    def _deadline(self, delivery: Delivery) -> Deadline:
        """The end of an attempt that begins now."""
        seconds = ATTEMPT_SECONDS
        if delivery.expires_at is not None:
            seconds = min(seconds, (delivery.expires_at - self.clock()) / 1000)
        if seconds <= 0:
            raise _OutOfTime("the time for it was over before an attempt could begin")
        return Deadline.after(seconds)

    async def _at_pace(self, delivery: Delivery, live: LiveConnection) -> Act:
        """Act within the connection's pace; `Postponed` while the circuit is open."""
        self._deadline(delivery)
        circuit = live.pace.circuit(delivery.kind)
        later = circuit.wait_until(self.clock())
        if later is not None:
            raise Postponed(later, "circuit_open")
        try:
            async with live.pace.turn():
                # not before its turn: to wait for the others is no part of the attempt
                act = await self.handlers[delivery.kind].act(delivery, live, self._deadline(delivery))
        except _OutOfTime:
            circuit.abandoned()
            raise
        except RemoteError as error:
            circuit.failed(error, self.clock())
            raise
        except BaseException:
            circuit.abandoned()
            raise
        circuit.worked()
        return act

    def failed(self, delivery: Delivery, error: RemoteError) -> Ending:
        """What becomes of a delivery whose attempt failed: another one later, or a dead letter."""
        number = delivery.attempts + 1
        live = self.runtime.connections.get(delivery.connection)
        detail = live.redact(error.detail) if live else error.detail
        ending, decision = after_failure(
            live.settings.deliveries.policy if live else self.policy,
            delivery,
            error,
            detail,
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
            # the store has it whole, for those who may see what it quotes
            detail=error.for_log,
            why=decision.why if isinstance(decision, GiveUp) else None,
        )
        return ending
