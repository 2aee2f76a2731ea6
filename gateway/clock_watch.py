"""Notices that the clock was set, and puts the store's times right: no work waits for an hour because of it, none is
done twice."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from gateway.clock import Clock, Steps
from gateway.store import Store, clock_steps

log = structlog.get_logger()

STEADY_SECONDS = 3.0
"""How long after a start leases are not judged: whoever lives renews them within that time."""


@dataclass(slots=True)
class ClockWatch:
    """One per worker, which asks it before it claims anything. `lease_ms` is how long a lease runs."""

    store: Store
    clock: Clock
    lease_ms: int
    monotonic: Callable[[], float] = time.monotonic
    _steps: Steps = field(init=False)
    _steady_at: float = field(init=False)
    _step_ms: int = 0
    """By how much the clock was set; not yet put right in the store."""
    _compared: bool = False

    def __post_init__(self) -> None:
        """Begin to watch."""
        self._steps = Steps(self.clock, self.monotonic)
        self._steady_at = self.monotonic() + STEADY_SECONDS

    @property
    def is_steady(self) -> bool:
        """Whether the clock tells which leases have run out: it was not set just now."""
        return self.monotonic() >= self._steady_at

    def notices(self) -> bool:
        """Whether the clock was set and the store's times are to be put right before anything is claimed."""
        step = self._steps.since_last_look()
        if step:
            log.warning("worker.clock_was_set", by_seconds=step / 1000)
            self._step_ms += step
            self._steady_at = self.monotonic() + self.lease_ms / 1000
        return self._step_ms != 0

    async def put_right(self) -> None:
        """Move the store's times by what the clock was set; `StoreUnavailable` leaves that for the next time."""
        if not self._compared:
            await self._compare()
        step, now = self._step_ms, self.clock()
        if step < 0:
            until = now + self.lease_ms
            await self.store.write(lambda c: clock_steps.put_back(c, now, -step, until), "clock.put_back")
        elif step > 0:
            await self.store.write(lambda c: clock_steps.put_forward(c, now, step), "clock.put_forward")
        self._step_ms -= step

    async def _compare(self) -> None:
        """Notice a clock that was put back while no gateway ran."""
        behind = await self.store.read(clock_steps.latest_time) - self.clock()
        if behind > STEADY_SECONDS * 1000:
            log.warning("worker.clock_is_behind_store", by_seconds=behind / 1000)
            self._step_ms -= behind
        self._compared = True
