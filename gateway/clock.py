"""The clock everything durable goes by: Unix time in milliseconds, UTC. Injected, so that tests own it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Now, as Unix time in milliseconds."""


def now_ms() -> int:
    """The system's clock."""
    return time.time_ns() // 1_000_000


_STEP_MS = 1_000
"""Less is not worth the while; a clock that is slewed moves by less."""


@dataclass(slots=True)
class Steps:
    """Notices when a clock is set: it runs beside the monotonic one, and suddenly does not."""

    clock: Clock
    monotonic: Callable[[], float] = time.monotonic
    _ahead: float = field(init=False)

    def __post_init__(self) -> None:
        """Look for the first time."""
        self._ahead = self._look()

    def _look(self) -> float:
        return self.clock() - self.monotonic() * 1000

    def since_last_look(self) -> int:
        """By how many milliseconds the clock was set since this was last asked; negative: back; 0: it was not."""
        ahead, before = self._look(), self._ahead
        self._ahead = ahead
        step = round(ahead - before)
        return step if abs(step) >= _STEP_MS else 0


def moment(milliseconds: int) -> datetime:
    """A stored time as an aware UTC datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
