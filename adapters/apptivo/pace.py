"""How fast we call one firm's Apptivo: by a setting, and slower while Apptivo itself asks for it.

That Apptivo throttles is C (phpmt waits a second before each call); its numbers are U, so none is assumed here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from adapters.contract import Throttled
from adapters.deadline import Deadline

LONGEST_HOLD_SECONDS = 60.0
"""The longest that Apptivo's own wish is believed."""


class Pace:
    """A token bucket with a burst of one second's calls; `per_second` None is no limit of ours."""

    def __init__(
        self,
        per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._burst = max(1.0, per_second or 1.0) - 1
        self._clock = clock
        self._sleep = sleep
        self._next = float("-inf")
        """When a call may go that comes after all the burst is used up."""
        self._held_until = float("-inf")

    async def turn(self, deadline: Deadline) -> None:
        """Wait for this call's turn. `Throttled`, with nothing sent, where that would be after the deadline."""
        now = self._clock()
        due = max(self._next, now)
        seconds = max(due - self._burst * self._gap, self._held_until) - now
        if seconds > deadline.remaining():
            raise Throttled(
                f"apptivo: not called, since our own pace allows it in {seconds:.1f} s only; "
                "see the setting requests_per_second",
                retry_after=seconds,
            )
        self._next = due + self._gap
        if seconds > 0:
            await self._sleep(seconds)

    def hold(self, seconds: float | None) -> None:
        """Call no more for a while, because Apptivo said so; None where it did not say for how long."""
        if seconds is not None:
            self._held_until = max(self._held_until, self._clock() + min(seconds, LONGEST_HOLD_SECONDS))
