"""How often: a rate per caller, and failed sign-ins per address. In memory, bounded, for one event loop.

Ours and not the `limits` package, which has no token bucket and no clock to set, and whose moving window keeps every
address it ever saw: 50,002 keys after 50,000 addresses whose windows had all run out (limits 5.8).
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from math import ceil

MAX_CALLERS = 10_000
MAX_ADDRESSES = 10_000
"""Beyond these the one that was quiet for longest is forgotten."""
SIGN_IN_WINDOW_SECONDS = 60.0
# a caller at exactly the allowed pace must not trip over the clock's last bits
_ROUNDING = 1e-6


class CallerRate:
    """A token bucket per caller: `per_second` requests a second, with a burst of as many.

    `clock` gives monotonic seconds.
    """

    def __init__(
        self, per_second: int, *, clock: Callable[[], float] = time.monotonic, max_callers: int = MAX_CALLERS
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._max_callers = max_callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Seconds to wait before the next request of this caller; 0.0 if this one is within the rate, and counted."""
        now = self._clock()
        tokens, at = self._buckets.get(caller, (float(self._per_second), now))
        tokens = min(float(self._per_second), tokens + (now - at) * self._per_second)
        wait = max(0.0, (1.0 - tokens) / self._per_second)
        admitted = tokens >= 1.0 - _ROUNDING
        self._buckets[caller] = (max(0.0, tokens - 1.0) if admitted else tokens, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > self._max_callers:
            self._buckets.popitem(last=False)
        return 0.0 if admitted else wait


class FailedSignIns:
    """Failed sign-ins per address in the last minute; from `per_minute` on, further attempts wait.

    Ask `wait` before the credentials are verified, with no `await` between it and a verification that needs none, so
    that requests at the same time cannot all pass; call `record` when verification failed. Success clears nothing:
    one good credential must not buy guesses at others. `clock` gives monotonic seconds.
    """

    def __init__(
        self, per_minute: int, *, clock: Callable[[], float] = time.monotonic, max_addresses: int = MAX_ADDRESSES
    ) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._max_addresses = max_addresses
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    @property
    def any(self) -> bool:
        """Whether any address failed within the last minute; while none did, nobody's address needs to be known."""
        if not self._failures:
            return False
        newest = next(reversed(self._failures.values()))
        return newest[-1] + SIGN_IN_WINDOW_SECONDS > self._clock()

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0.0 if it may now. Counts nothing."""
        failures = self._failures.get(address)
        if failures is None or len(failures) < self._per_minute:
            return 0.0
        return max(0.0, failures[0] + SIGN_IN_WINDOW_SECONDS - self._clock())

    def record(self, address: str) -> None:
        """Count a failed sign-in of this address."""
        failures = self._failures.setdefault(address, deque(maxlen=self._per_minute))
        failures.append(self._clock())
        self._failures.move_to_end(address)
        if len(self._failures) > self._max_addresses:
            self._failures.popitem(last=False)


def retry_after(seconds: float) -> str:
    """The value of `Retry-After` (RFC 9110 section 10.2.3): whole seconds, upwards, at least one."""
    return str(max(1, ceil(seconds)))
