"""One call for all who ask for the same thing at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from adapters.contract import TimedOut
from adapters.deadline import Deadline

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs at most one call per key; everybody who asks meanwhile gets its result, or its error.

    The call runs on its own time: a caller who gives up takes nobody else's answer away.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self._flights: dict[str, asyncio.Task[T]] = {}

    async def run(self, key: str, start: Callable[[], Coroutine[Any, Any, T]], deadline: Deadline) -> T:
        """The result for `key`; `TimedOut` when `deadline` comes first."""
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(start())
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await self._wait(asyncio.shield(flight), deadline)

    async def _wait(self, flight: Awaitable[T], deadline: Deadline) -> T:
        seconds = deadline.remaining()
        try:
            async with asyncio.timeout(seconds):
                return await flight
        except TimeoutError:
            raise TimedOut(f"{self._who} did not come within {seconds:.1f} s") from None

    def _landed(self, key: str, flight: asyncio.Task[T]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # marks it as seen: all who waited may be gone

    async def aclose(self) -> None:
        """Cancel what still runs."""
        running = list(self._flights.values())
        for flight in running:
            flight.cancel()
        await asyncio.gather(*running, return_exceptions=True)
