"""We call a firm's Apptivo no faster than we allow ourselves, and not at all while it asks us to wait."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from adapters.apptivo.pace import Pace
from adapters.contract import Throttled
from adapters.deadline import Deadline


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def run(act: Callable[[Pace, Clock], Awaitable[Any]], per_second: float | None = 10) -> Any:
    clock = Clock()
    return asyncio.run(act(Pace(per_second, clock, clock.sleep), clock))  # type: ignore[arg-type]  # a coroutine


def test_after_the_burst_calls_keep_their_distance() -> None:
    """One second's calls at once, then one in a tenth of a second."""

    async def act(pace: Pace, clock: Clock) -> list[float]:
        times = []
        for _call in range(13):
            await pace.turn(Deadline.after(60, clock))
            times.append(round(clock.now, 3))
        return times

    assert run(act) == [0.0] * 10 + [0.1, 0.2, 0.3]


def test_without_a_limit_nobody_waits() -> None:
    """No number of Apptivo's is known, so none is assumed."""

    async def act(pace: Pace, clock: Clock) -> float:
        for _call in range(1000):
            await pace.turn(Deadline.after(0, clock))
        return clock.now

    assert run(act, None) == 0


def test_a_call_that_would_come_too_late_is_not_made() -> None:
    """`Throttled`, with the time to wait: nothing was sent. Its turn goes to the next."""

    async def act(pace: Pace, clock: Clock) -> float | None:
        for _call in range(10):
            await pace.turn(Deadline.after(1, clock))
        with pytest.raises(Throttled) as caught:
            await pace.turn(Deadline.after(0.05, clock))
        await pace.turn(Deadline.after(0.11, clock))
        return caught.value.retry_after

    assert run(act) == pytest.approx(0.1)


def test_when_apptivo_says_wait_we_wait() -> None:
    """As long as it says, a minute at most; where it does not say how long, not at all."""

    async def act(pace: Pace, clock: Clock) -> list[float]:
        times = []
        for seconds in (None, 5, 3600):
            pace.hold(seconds)
            await pace.turn(Deadline.after(100, clock))
            times.append(clock.now)
        return times

    assert run(act, None) == [0, 5, 65]


def test_a_throttled_firm_is_left_alone(bench: Any) -> None:
    """After a 429 the next call waits as told; one that cannot wait is not sent."""
    bench.fault("429", times=1, seconds=30)

    async def act(adapter: Any, _deadline: Any) -> int:
        for _call in range(2):
            with pytest.raises(Throttled):
                await adapter.check(Deadline.after(2))
        return len(bench.lines())

    assert bench.run(act) == 1
