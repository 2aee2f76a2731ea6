"""The clock everything durable goes by: Unix time in milliseconds, UTC. Injected, so that tests own it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Now, as Unix time in milliseconds."""


def now_ms() -> int:
    """The system's clock."""
    return time.time_ns() // 1_000_000


def moment(milliseconds: int) -> datetime:
    """A stored time as an aware UTC datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
