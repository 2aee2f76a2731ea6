"""How often a caller may ask, and how often an address may guess."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import CallerRate, FailedSignIns, retry_after


@dataclass
class Clock:
    """A monotonic clock that moves when told."""

    now: float = 1_000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_a_burst_of_as_many_passes_and_no_more() -> None:
    """With 5 a second, the sixth at once waits a fifth of a second."""
    rate = CallerRate(5, clock=Clock())
    assert [rate.take("a") for _ in range(5)] == [0.0] * 5
    assert rate.take("a") == pytest.approx(0.2)


@pytest.mark.parametrize("per_second", [1, 3, 7, 500])
def test_a_steady_caller_at_the_rate_is_never_refused(per_second: int) -> None:
    """After the burst, one request each 1/n seconds passes for ever, whatever the clock rounds."""
    clock = Clock(now=1_234_567.891)
    rate = CallerRate(per_second, clock=clock)
    for _ in range(per_second):
        rate.take("a")
    for step in range(2_000):
        clock.now = 1_234_567.891 + (step + 1) / per_second
        assert rate.take("a") == 0.0


def test_a_refused_request_costs_nothing_and_callers_are_apart() -> None:
    """Hammering on does not lengthen the wait, and does not touch another caller."""
    clock = Clock()
    rate = CallerRate(2, clock=clock)
    waits = [rate.take("a") for _ in range(50)]
    assert waits[2:] == [pytest.approx(0.5)] * 48
    assert rate.take("b") == 0.0
    clock.now += 0.5
    assert rate.take("a") == 0.0


@given(st.integers(1, 20), st.lists(st.floats(0, 2), max_size=60))
def test_no_span_of_time_admits_more_than_rate_and_burst(per_second: int, pauses: list[float]) -> None:
    """Over any time t, at most n + n·t requests pass; and the told wait is enough."""
    clock = Clock()
    rate = CallerRate(per_second, clock=clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += rate.take("a") == 0.0
    assert passed <= per_second + per_second * (clock.now - 1_000) + 0.001
    while not (wait := rate.take("a")):
        continue
    clock.now += wait
    assert rate.take("a") == 0.0


def test_callers_are_kept_in_bounds() -> None:
    """Beyond the bound the caller who was quiet for longest is forgotten, not the busy one."""
    clock = Clock()
    rate = CallerRate(1, clock=clock, max_callers=100)
    rate.take("busy")
    for number in range(1_000):
        rate.take(f"caller-{number}")
        assert rate.take("busy") > 0
    assert len(rate._buckets) == 100


def test_failed_sign_ins_close_the_address_until_the_window_moves() -> None:
    """Twenty in a minute, then nothing from there is tried until the first of them is a minute old."""
    clock = Clock()
    sign_ins = FailedSignIns(20, clock=clock)
    for _ in range(20):
        assert sign_ins.wait("192.0.2.1") == 0.0
        sign_ins.record("192.0.2.1")
        clock.now += 1
    assert sign_ins.wait("192.0.2.1") == pytest.approx(40)
    assert sign_ins.wait("192.0.2.2") == 0.0
    clock.now += 40
    assert sign_ins.wait("192.0.2.1") == 0.0
    sign_ins.record("192.0.2.1")
    assert sign_ins.wait("192.0.2.1") == pytest.approx(1)


def test_few_failures_never_close_an_address() -> None:
    """One less than the limit in every minute goes on for ever."""
    clock = Clock()
    sign_ins = FailedSignIns(20, clock=clock)
    for _ in range(200):
        assert sign_ins.wait("192.0.2.1") == 0.0
        sign_ins.record("192.0.2.1")
        clock.now += 60 / 19


def test_addresses_are_kept_in_bounds() -> None:
    """A flood of addresses costs bounded memory; the one that still fails is not forgotten."""
    sign_ins = FailedSignIns(2, clock=Clock(), max_addresses=100)
    for number in range(5_000):
        sign_ins.record(f"address-{number}")
        sign_ins.record("busy")
        assert sign_ins.wait("busy") > 0 or number == 0
    assert len(sign_ins._failures) == 100


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (40.0, "40"), (59.2, "60")]
)
def test_retry_after_is_whole_seconds_upwards(seconds: float, expected: str) -> None:
    """Who comes back after that time is not too early."""
    assert expected == retry_after(seconds)
