"""An open loop: requests leave on a fixed schedule, whether or not earlier ones were answered.

A latency counts from when its request was due, so that waiting for a busy server is part of it.
"""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop

from tests.bench.parts.wire import Answer, exchange

T = TypeVar("T")
_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Timed:
    """An answer, and the seconds from when its request was due."""

    seconds: float
    answer: Answer

    @property
    def is_good(self) -> bool:
        """Whether it is a 2xx."""
        return self.answer.status // 100 == 2


@dataclass(slots=True)
class Client:
    """Connections to one server, opened as they are needed and kept."""

    port: int
    idle: list[_Streams] = field(default_factory=list)

    async def ask(self, request: bytes) -> Answer:
        """One request on a connection of its own."""
        streams = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
        answer = await exchange(*streams, request)
        self.idle.append(streams)
        return answer

    async def open(self, count: int, at_once: int = 200) -> None:
        """Have so many connections ready; not all in one go, or the server's queue of new ones overflows."""
        while len(self.idle) < count:
            wanted = min(at_once, count - len(self.idle))
            opened = (asyncio.open_connection("127.0.0.1", self.port) for _ in range(wanted))
            self.idle += await asyncio.gather(*opened)

    async def on_schedule(self, requests: Sequence[tuple[float, bytes]], began: float) -> list[Timed]:
        """Send each so many seconds after `began` (of `time.perf_counter`); what came of each."""

        async def one(due: float, request: bytes) -> Timed:
            await asyncio.sleep(due - (time.perf_counter() - began))
            answer = await self.ask(request)
            return Timed(time.perf_counter() - began - due, answer)

        return await asyncio.gather(*(one(due, request) for due, request in requests))

    async def evenly(self, requests: Sequence[bytes], per_second: float) -> list[Timed]:
        """Send so many a second, from now on."""
        return await self.on_schedule(
            [(at / per_second, each) for at, each in enumerate(requests)], time.perf_counter()
        )

    async def all_at_once(self, requests: Sequence[bytes]) -> list[Timed]:
        """Send all in one moment, each on a connection that is open already."""
        await self.open(len(requests))
        began = time.perf_counter()

        async def one(request: bytes) -> Timed:
            answer = await self.ask(request)
            return Timed(time.perf_counter() - began, answer)

        return await asyncio.gather(*(one(request) for request in requests))

    def close(self) -> None:
        """Close every connection."""
        for _reader, writer in self.idle:
            writer.close()
        self.idle.clear()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run the clients' work, on the quick event loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
