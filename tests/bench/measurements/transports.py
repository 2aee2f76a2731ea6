"""What httpx's own transport and httpx-aiohttp make of many calls at once, side by side in one run.

A Starlette endpoint on loopback, in a process of its own, answers 2 kB of JSON; so many callers ask it, each again as
soon as it has its answer. The endpoint and the caller have a process each.
"""

import asyncio
import contextlib
import multiprocessing
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

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
TRANSPORTS: dict[str, Callable[[httpx.Limits], httpx.AsyncBaseTransport]] = {
    "httpx (httpcore)": lambda limits: httpx.AsyncHTTPTransport(limits=limits),
    "httpx-aiohttp": lambda limits: AiohttpTransport(limits=limits),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    per_second: float
    p99_ms: float


async def called(transport: str, url: str, callers: int, seconds: float) -> Run:
    """One run of one transport."""
    limits = httpx.Limits(max_connections=callers, max_keepalive_connections=callers)
    durations: list[float] = []
    async with httpx.AsyncClient(transport=TRANSPORTS[transport](limits), trust_env=False, timeout=30) as client:

        async def call_until(end: float) -> None:
            while (started := time.perf_counter()) < end:
                response = await client.get(url)
                response.raise_for_status()
                durations.append(time.perf_counter() - started)

        await asyncio.gather(*(call_until(time.perf_counter() + 0.5) for _ in range(callers)))
        durations.clear()
        started = time.perf_counter()
        await asyncio.gather(*(call_until(started + seconds) for _ in range(callers)))
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
    """Ours, beside httpx's own."""
    seconds, rounds = mode.pick(0.7, 3.0), mode.pick(2, 5)
    with _endpoint() as url:
        found = alternated(
            rounds,
            {name: partial(_run, name, url, seconds) for name in TRANSPORTS},
        )
    own, ours = (found[name] for name in TRANSPORTS)
    yield Result(
        "64 calls to a CRM at once, httpx-aiohttp",
        "httpx's own transport",
        Ratio.of([run.per_second for run in ours], [run.per_second for run in own]),
        tuple(figure for name, runs in found.items() for figure in _figures(name, runs)),
    )


def _run(name: str, url: str, seconds: float) -> Run:
    return asyncio.run(called(name, url, CALLERS, seconds))


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
