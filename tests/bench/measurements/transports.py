"""What aiohttp, httpx over aiohttp and httpx's own transport make of many calls at once, side by side in one run.

A Starlette endpoint on loopback, in a process of its own, answers 2 kB of JSON; so many callers ask it, each again as
soon as it has its answer. The endpoint and the caller have a process each.
"""

import asyncio
import contextlib
import multiprocessing
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

import aiohttp
import httpx
import uvicorn
from httpx_aiohttp import AiohttpTransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bench.frame.results import Figure, Mode, Ratio, Result, alternated, percentile

CALLERS = 64
ROWS = [{"id": number, "subject": f"Call number {number}", "at": "2026-05-04T07:11:26Z"} for number in range(28)]
LIMITS = httpx.Limits(max_connections=CALLERS, max_keepalive_connections=CALLERS)
Call = Callable[[str], Awaitable[None]]


@asynccontextmanager
async def by_aiohttp() -> AsyncIterator[Call]:
    """aiohttp itself."""
    connector = aiohttp.TCPConnector(limit=CALLERS)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def call(url: str) -> None:
            async with session.get(url, raise_for_status=True) as response:
                await response.read()

        yield call


@asynccontextmanager
async def by_httpx(transport: httpx.AsyncBaseTransport) -> AsyncIterator[Call]:
    """httpx's interface over a transport."""
    async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=30) as client:

        async def call(url: str) -> None:
            (await client.get(url)).raise_for_status()

        yield call


CLIENTS: dict[str, Callable[[], AbstractAsyncContextManager[Call]]] = {
    "aiohttp": by_aiohttp,
    "httpx over aiohttp": lambda: by_httpx(AiohttpTransport(limits=LIMITS)),
    "httpx's own transport": lambda: by_httpx(httpx.AsyncHTTPTransport(limits=LIMITS)),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    per_second: float
    p99_ms: float


async def called(client: str, url: str, seconds: float) -> Run:
    """One run of one client."""
    durations: list[float] = []
    async with CLIENTS[client]() as call:

        async def call_until(end: float) -> None:
            while (started := time.perf_counter()) < end:
                await call(url)
                durations.append(time.perf_counter() - started)

        await asyncio.gather(*(call_until(time.perf_counter() + 0.5) for _ in range(CALLERS)))
        durations.clear()
        started = time.perf_counter()
        await asyncio.gather(*(call_until(started + seconds) for _ in range(CALLERS)))
        took = time.perf_counter() - started
    return Run(len(durations) / took, percentile(durations, 99) * 1000)


async def rows(_request: Request) -> Response:
    """The endpoint."""
    return JSONResponse({"data": ROWS, "countOfRecords": len(ROWS)})


def serve(listening: socket.socket) -> None:
    """The endpoint's process."""
    app = Starlette(routes=[Route("/rows", rows)])
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listening])


def measure(mode: Mode) -> Iterator[Result]:
    """Ours, beside the others."""
    seconds, rounds = mode.pick(0.7, 3.0), mode.pick(2, 5)
    with _endpoint() as url:
        found = alternated(
            rounds,
            {name: partial(_run, name, url, seconds) for name in CLIENTS},
        )
    ours, *others = CLIENTS
    for other in others:
        yield Result(
            f"64 calls to a CRM at once, {ours}",
            other,
            Ratio.of([run.per_second for run in found[ours]], [run.per_second for run in found[other]]),
            tuple(figure for name in (ours, other) for figure in _figures(name, found[name])),
        )


def _run(name: str, url: str, seconds: float) -> Run:
    return asyncio.run(called(name, url, seconds))


def _figures(name: str, runs: list[Run]) -> Iterator[Figure]:
    yield Figure(name, median(run.per_second for run in runs), "/s")
    yield Figure(f"{name} p99", median(run.p99_ms for run in runs), "ms")


@contextlib.contextmanager
def _endpoint() -> Iterator[str]:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listening,), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/rows"
    finally:
        server.terminate()
        server.join(5)
        listening.close()
