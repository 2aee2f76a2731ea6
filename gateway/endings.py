"""How a delivery goes on after an attempt that failed."""

from adapters.contract import RemoteError
from gateway.retry import GiveUp, Policy, RetryAt, decide
from gateway.store import DeliveryState
from gateway.store.deliveries import Delivery, Ending


def after_failure(
    policy: Policy,
    delivery: Delivery,
    error: RemoteError,
    detail: str,
    *,
    now: int,
    jitter: float,
    result: str | None = None,
) -> tuple[Ending, RetryAt | GiveUp]:
    """The ending of an attempt that failed with `error` now (Unix milliseconds), and the decision behind it.

    `jitter` is that of `decide`. `detail` and `result` are kept as they are: secrets are redacted already.
    """
    decision = decide(
        policy,
        error,
        attempts=delivery.bounded_attempts + 1,
        created_at=delivery.bounds_from,
        expires_at=delivery.expires_at,
        now=now,
        jitter=jitter,
    )
    if isinstance(decision, GiveUp):
        return Ending(DeliveryState.DEAD, error.reason, detail, result), decision
    return Ending(DeliveryState.PENDING, error.reason, detail, result, due_at=decision.at), decision
