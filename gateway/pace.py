"""How fast a connection's deliveries go to its remote system: so many at once, so many a second, and not at all
for a while when it keeps failing.

The circuit is a pure state machine: it is told of outcomes and asked for the next time to try.

    closed ──(threshold failures in a row)──▶ open until T ──(T comes: one trial)──▶ half open
      ▲                                          ▲                                    │   │
      │                                          └──────────(the trial fails)─────────┘   │
      └──────────────────────────────(the trial works)───────────────────────────────────┘
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from adapters.contract import RemoteError, ServerFault, TimedOut, UnexpectedReply, Unreachable

_COUNTED = (Unreachable, TimedOut, ServerFault, UnexpectedReply)
"""What says that the remote system is down, rather than that it dislikes one request."""


@dataclass(slots=True)
class Circuit:
    """Opens after `threshold` failures in a row; times are Unix milliseconds."""

    threshold: int = 5
    first_ms: int = 2_000
    cap_ms: int = 60_000
    failures: int = 0
    open_until: int | None = None
    """Set while open, and while the one trial is under way."""
    _trial: bool = False

    @property
    def is_open(self) -> bool:
        """Whether calls wait."""
        return self.open_until is not None

    def wait_until(self, now: int) -> int | None:
        """When to come back, or None to go ahead; going ahead while open is the trial."""
        if self.open_until is None:
            return None
        if now >= self.open_until and not self._trial:
            self._trial = True
            return None
        return max(self.open_until, now + self.first_ms // 4)

    def worked(self) -> None:
        """A call was answered."""
        self.failures, self.open_until, self._trial = 0, None, False

    def failed(self, error: RemoteError, now: int) -> None:
        """A call failed; only some failures say that the remote system is down."""
        if not isinstance(error, _COUNTED):
            self.worked()
            return
        self.failures += 1
        self._trial = False
        beyond = self.failures - self.threshold
        if beyond >= 0:
            # the exponent is bounded so that the number stays small
            self.open_until = now + min(self.cap_ms, self.first_ms * 2 ** min(beyond, 10))

    def abandoned(self) -> None:
        """A call ended without telling anything; a trial may be made again."""
        self._trial = False


@dataclass(slots=True, eq=False)
class Pace:
    """The pace of one connection: `max_concurrent` deliveries at once, `per_second` begun a second (None: any)."""

    max_concurrent: int
    per_second: float | None = None
    _circuits: dict[str, Circuit] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(init=False)
    _next_at: float = 0.0

    def __post_init__(self) -> None:
        """Make the slots."""
        self._slots = asyncio.Semaphore(self.max_concurrent)

    def circuit(self, kind: str) -> Circuit:
        """The circuit of a kind of delivery: what one remote system refuses must not stop the other's work."""
        return self._circuits.setdefault(kind, Circuit())

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot and for the rate; the slot is given back at the end."""
        async with self._slots:
            if self.per_second is not None:
                await self._wait_for_rate(1.0 / self.per_second)
            yield

    async def _wait_for_rate(self, interval: float) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + interval
        await asyncio.sleep(at - now)
