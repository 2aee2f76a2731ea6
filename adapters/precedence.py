"""Who waits for an answer goes first: calls that nobody waits for give way to those of a feed or an export.

All of them share one event loop. Fifty updates that come due together are fifty bursts of work in a row, and a feed
that is asked for meanwhile would stand behind them (tests/bench/README.md).
"""

import asyncio
import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_LONGEST_SECONDS = 0.1
"""How long one call gives way at most: those that nobody waits for must come to their end, too."""


class Precedence:
    """Of one event loop; made before or in it."""

    def __init__(self) -> None:
        self._served = 0
        self._idle = asyncio.Event()
        self._turnstile = asyncio.Lock()

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Serve somebody who waits for the answer."""
        self._served += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._served -= 1
            if self._served == 0:
                self._idle.set()

    @contextlib.contextmanager
    def giving_way(self) -> Iterator[None]:
        """Have the calls that are made inside, by this task and those it starts, let others go first."""
        token = _giving_way.set(self)
        try:
            yield
        finally:
            _giving_way.reset(token)

    async def _pass(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _LONGEST_SECONDS
        # one at a time, and whatever else is ready comes in between
        async with self._turnstile:
            if self._served:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(until):
                        await self._idle.wait()
            await asyncio.sleep(0)


_giving_way: ContextVar[Precedence | None] = ContextVar("giving_way", default=None)


async def give_way() -> None:
    """Before a call to a remote system: let those go first who have precedence, if this call is to give way."""
    precedence = _giving_way.get()
    if precedence is not None:
        await precedence._pass()
