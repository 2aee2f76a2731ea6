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
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from adapters.contract import ConnectionCut, RemoteError, ServerFault, TimedOut, UnexpectedReply, Unreachable

_COUNTED = (Unreachable, TimedOut, ConnectionCut, ServerFault, UnexpectedReply)
"""What says that the remote system is down, rather than that it dislikes one request."""


@dataclass(slots=True)
class Circuit:
    """Opens after `threshold` failures in a row, each time for longer; times are Unix milliseconds."""

    threshold: int = 5
    first_ms: int = 2_000
    cap_ms: int = 60_000
    failures: int = 0
    """In a row, while closed."""
    openings: int = 0
    """Since it was last closed."""
    open_until: int | None = None
    """Set while open, and while the one trial is under way."""
    _trial: bool = False

    @property
    def is_open(self) -> bool:
        """Whether calls wait."""
        return self.open_until is not None

    def lets_through(self, now: int) -> bool:
        """Whether `wait_until` would let a call go ahead; changes nothing."""
        return self.open_until is None or (self._is_over(now) and not self._trial)

    def _is_over(self, now: int) -> bool:
        """Whether the pause has ended; one longer than any pause means that the clock was put back."""
        return self.open_until is not None and not now < self.open_until <= now + self.cap_ms

    def wait_until(self, now: int) -> int | None:
        """When to come back, or None to go ahead; going ahead while open is the trial."""
        if self.open_until is None:
            return None
        if self._is_over(now):
            # also where the clock was put back: those who come during the trial are not to wait for the old hour
            self.open_until = min(self.open_until, now)
            if not self._trial:
                self._trial = True
                return None
        return max(self.open_until, now + self.first_ms // 4)

    def worked(self) -> None:
        """A call was answered."""
        self.failures, self.openings, self.open_until, self._trial = 0, 0, None, False

    def failed(self, error: RemoteError, now: int) -> None:
        """A call failed; only some failures say that the remote system is down."""
        if not isinstance(error, _COUNTED):
            self.worked()
            return
        if self.open_until is None:
            self.failures += 1
            if self.failures >= self.threshold:
                self._open(now)
        elif self._trial:
            self._trial = False
            self._open(now)
        # else it began before the circuit opened, with many others at once: they all tell of one fault

    def _open(self, now: int) -> None:
        # the exponent is bounded so that the number stays small
        self.open_until = now + min(self.cap_ms, self.first_ms * 2 ** min(self.openings, 10))
        self.openings += 1

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
    _waiting: int = 0
    """How many are in `turn` and have not begun."""

    def __post_init__(self) -> None:
        """Make the slots."""
        self._slots = asyncio.Semaphore(self.max_concurrent)

    def circuit(self, kind: str) -> Circuit:
        """The circuit of a kind of delivery: what one remote system refuses must not stop the other's work."""
        return self._circuits.setdefault(kind, Circuit())

    def circuits(self) -> list[tuple[str, bool]]:
        """Every kind of delivery that was tried, and whether its circuit is open."""
        return [(kind, circuit.is_open) for kind, circuit in self._circuits.items()]

    def waiting_kinds(self, now: int) -> list[str]:
        """The kinds of delivery whose circuits let nothing through now."""
        return [kind for kind, circuit in self._circuits.items() if not circuit.lets_through(now)]

    def room(self, held: int) -> int:
        """How many more deliveries can begin within about a second, when this process holds `held` already."""
        room = self.max_concurrent - held
        if self.per_second is not None:
            room = min(room, math.ceil(self.per_second) - self._waiting)
        return max(0, room)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot and for the rate; the slot is given back at the end."""
        async with contextlib.AsyncExitStack() as slot:
            self._waiting += 1
            try:
                await slot.enter_async_context(self._slots)
                if self.per_second is not None:
                    await self._wait_for_rate(1.0 / self.per_second)
            finally:
                self._waiting -= 1
            yield

    async def _wait_for_rate(self, interval: float) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + interval
        await asyncio.sleep(at - now)
