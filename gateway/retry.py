"""Whether a failed attempt is tried again, and when: a pure function, executed elsewhere."""

from dataclasses import dataclass

from adapters.contract import RemoteError


@dataclass(frozen=True, slots=True)
class Policy:
    """The bounds of a delivery's attempts. Seconds."""

    max_attempts: int = 24
    max_age_seconds: float = 3 * 86_400
    first_seconds: float = 0.3
    """The first retry comes fast: most faults are a moment's, and Vainu waits only 3 s."""
    base_seconds: float = 1.0
    cap_seconds: float = 900.0
    least_attempts: int = 3
    """Before this many, age alone ends nothing: work that waited for days, for its connection or for a gateway
    that was down, must not be lost to the first fault of a moment."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again at this time, Unix milliseconds."""

    at: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make it a dead letter."""

    why: str
    """One line for a person: which bound was met."""


def decide(
    policy: Policy,
    error: RemoteError,
    *,
    attempts: int,
    created_at: int,
    expires_at: int | None,
    now: int,
    jitter: float,
) -> RetryAt | GiveUp:
    """What to do after attempt number `attempts` (from 1) failed with `error`.

    Exponential from `base_seconds`, never above `cap_seconds`, spread by `jitter` (0 to 1) over the upper half;
    never before the `retry_after` the remote asked for; bounded by attempts, age and `expires_at`. Times are Unix
    milliseconds, `attempts` and `created_at` those of the delivery or of its last replay.
    """
    if not error.retryable:
        return GiveUp("the remote refused it for good")
    if attempts >= policy.max_attempts:
        return GiveUp(f"gave up after {attempts} attempts")
    asked = error.retry_after or 0.0
    if asked > policy.max_age_seconds:
        return GiveUp(f"the remote asked to wait for {asked / 3600:.0f} hours")
    at = now + round(1000 * max(_pause(policy, attempts, jitter), asked))
    if expires_at is not None and at >= expires_at:
        return GiveUp("no time is left for another attempt")
    if attempts >= policy.least_attempts and at - created_at > policy.max_age_seconds * 1000:
        return GiveUp(f"gave up after {round(policy.max_age_seconds / 3600)} hours")
    return RetryAt(at)


def _pause(policy: Policy, attempts: int, jitter: float) -> float:
    if attempts <= 1:
        full = policy.first_seconds
    else:
        # the exponent is bounded so that it cannot overflow a float
        full = min(policy.cap_seconds, policy.base_seconds * 2 ** min(attempts - 2, 40))
    return full * (0.5 + 0.5 * jitter)
