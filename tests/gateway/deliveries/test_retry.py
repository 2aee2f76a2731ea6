"""Whether a failed attempt is tried again, and when: a decision made of its arguments alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import (
    BadCredentials,
    ConnectionCut,
    NotFound,
    Refused,
    RemoteError,
    ServerFault,
    Throttled,
    TimedOut,
    UnexpectedReply,
    Unreachable,
)
from gateway.retry import GiveUp, Policy, RetryAt, decide

NOW = 1_700_000_000_000
POLICY = Policy()
HOUR = 3_600_000


def decided(error: RemoteError, policy: Policy = POLICY, **given: float | None) -> RetryAt | GiveUp:
    values = {"attempts": 1, "created_at": NOW, "expires_at": None, "now": NOW, "jitter": 1.0, **given}
    return decide(policy, error, **values)  # type: ignore[arg-type]  # the tests give whole numbers where they must


@pytest.mark.parametrize("kind", [Unreachable, TimedOut, ConnectionCut, Throttled, ServerFault, UnexpectedReply])
def test_what_may_succeed_later_is_tried_again(kind: type[RemoteError]) -> None:
    """Faults of the way and of the remote system are retried."""
    assert decided(kind("x")) == RetryAt(NOW + 300)


@pytest.mark.parametrize("kind", [Refused, BadCredentials, NotFound])
def test_what_the_remote_refused_for_good_is_not(kind: type[RemoteError]) -> None:
    """A refusal is final at the first attempt."""
    assert isinstance(decided(kind("x")), GiveUp)


def test_the_pauses_double_up_to_the_ceiling() -> None:
    """0.3 s, 1, 2, 4 … s, never more than 15 minutes."""
    pauses = [decided(TimedOut("x"), attempts=number) for number in range(1, 24)]

    seconds = [(pause.at - NOW) / 1000 for pause in pauses if isinstance(pause, RetryAt)]
    assert seconds[:6] == [0.3, 1, 2, 4, 8, 16]
    assert seconds[11:] == [900] * 12


def test_the_last_attempt_is_the_last() -> None:
    """The bound of attempts is the number of attempts made."""
    assert isinstance(decided(TimedOut("x"), attempts=23), RetryAt)
    assert decided(TimedOut("x"), attempts=24) == GiveUp("gave up after 24 attempts")


def test_age_ends_it_after_a_few_attempts() -> None:
    """No attempt begins later than 72 h after the beginning; work that waited untried for longer has three."""
    assert isinstance(decided(TimedOut("x"), attempts=3, created_at=NOW - 72 * HOUR + 2_000), RetryAt)
    assert decided(TimedOut("x"), attempts=3, created_at=NOW - 72 * HOUR) == GiveUp("gave up after 72 hours")
    assert isinstance(decided(TimedOut("x"), attempts=2, created_at=NOW - 200 * HOUR), RetryAt)


def test_retry_after_is_honoured_and_bounded() -> None:
    """Never before the remote asks for; but one that asks for longer than the bound of age ends it."""
    assert decided(Throttled("x", retry_after=120)) == RetryAt(NOW + 120_000)
    assert decided(ServerFault("x", retry_after=0.01)) == RetryAt(NOW + 300)
    assert isinstance(decided(Throttled("x", retry_after=80 * 3_600.0)), GiveUp)
    assert isinstance(decided(Throttled("x", retry_after=float("inf"))), GiveUp)


def test_nothing_is_tried_after_its_time_is_up() -> None:
    """Where a caller's budget bounds the work, a retry that would come too late is none."""
    assert isinstance(decided(TimedOut("x"), expires_at=NOW + 300), GiveUp)
    assert isinstance(decided(TimedOut("x"), expires_at=NOW + 301), RetryAt)


@given(
    attempts=st.integers(1, 2_000),
    age=st.integers(0, 10**11),
    jitter=st.floats(0, 1),
    asked=st.none() | st.floats(0, 1e12),
    policy=st.builds(
        Policy,
        max_attempts=st.integers(1, 1_000),
        max_age_seconds=st.floats(1, 1e7),
        first_seconds=st.floats(0.01, 10),
        base_seconds=st.floats(0.01, 100),
        cap_seconds=st.floats(1, 10_000),
    ),
)
def test_every_decision_keeps_the_bounds(
    attempts: int, age: int, jitter: float, asked: float | None, policy: Policy
) -> None:
    """Whatever the numbers: in the future, not before what was asked for, within the ceiling, attempts and age."""
    decision = decided(
        Throttled("x", retry_after=asked), policy, attempts=attempts, created_at=NOW - age, jitter=jitter
    )

    if isinstance(decision, GiveUp):
        assert decision.why
        return
    pause = (decision.at - NOW) / 1000
    ceiling = max(policy.cap_seconds, policy.first_seconds)
    assert (asked or 0) - 0.001 <= pause <= max(asked or 0, ceiling) + 0.001
    assert attempts < policy.max_attempts
    assert attempts < policy.least_attempts or decision.at <= NOW - age + policy.max_age_seconds * 1000


@given(attempts=st.integers(1, 23), low=st.floats(0, 1), high=st.floats(0, 1))
def test_jitter_spreads_over_the_upper_half(attempts: int, low: float, high: float) -> None:
    """Between half of the pause and the whole of it, the more the later."""
    less, more = sorted((low, high))
    first, second, full = (decided(TimedOut("x"), attempts=attempts, jitter=each) for each in (less, more, 1.0))
    assert isinstance(first, RetryAt)
    assert isinstance(second, RetryAt)
    assert isinstance(full, RetryAt)
    assert (full.at - NOW) / 2 - 1 <= first.at - NOW <= second.at - NOW <= full.at - NOW
