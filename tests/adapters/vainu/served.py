"""What the tests of Vainu's client share: a simulator being served, and a client that uses it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.deadline import Deadline
from adapters.simulation import Simulator
from adapters.vainu import MatchData, VainuClient, VainuSettings
from adapters.vainu.simulator import FAKE_API_KEY, VainuState

T = TypeVar("T")
VAINU = MatchData("Vainu Finland Oy", "2822996-6", "FI")
SAMLINK = MatchData("Oy Samlink Ab", "0970409-8", "FI")
NOBODY = MatchData("Nobody Oy", country="FI")


def soon(seconds: float = 5) -> Deadline:
    return Deadline.after(seconds)


def use(url: str, act: Callable[[VainuClient], Awaitable[T]], version: int = 2, **settings: Any) -> T:
    """What `act` returns with a client of the account at `url`."""

    async def whole() -> T:
        given = {"base_url": url, "api_version": version, "api_key": FAKE_API_KEY, **settings}
        client = VainuClient(VainuSettings.model_validate(given))
        try:
            return await act(client)
        finally:
            await client.aclose()

    return asyncio.run(whole())


async def all_of(stream: AsyncIterator[T]) -> list[T]:
    return [each async for each in stream]


@dataclass
class Served:
    """A simulator being served, as it was at the start."""

    sim: Simulator
    url: str

    @property
    def state(self) -> VainuState:
        assert isinstance(self.sim.state, VainuState)
        return self.sim.state

    @property
    def calls(self) -> list[str]:
        """`METHOD path?query` of every call so far."""
        return [f"{call['method']} {call['path']}?{call['query']}".rstrip("?") for call in self.sim.journal.calls]

    def use(self, act: Callable[[VainuClient], Awaitable[T]], version: int = 2) -> T:
        return use(self.url, act, version)


def answering(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Starlette:
    """A server that answers every call alike."""

    async def answer(_request: Request) -> Response:
        return Response(status_code=status) if body is None else JSONResponse(body, status, headers)

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])])
