"""What httpx's own transport and httpx-aiohttp make of many calls at once, side by side in one run.

    python -m tests.bench.transports [--seconds 10] [--callers 64]

A Starlette endpoint on loopback, in a process of its own, answers 2 kB of JSON; so many callers ask it, each again as
soon as it has its answer. Prints calls per second, the median and the 99th percentile of one call in milliseconds.
The two take turns, three times each, and the middle run of each counts: a machine has better and worse minutes.
"""

import argparse
import asyncio
import multiprocessing
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import httpx
import uvicorn
from httpx_aiohttp import AiohttpTransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ROUNDS = 3
ROWS = [{"id": number, "subject": f"Call number {number}", "at": "2026-05-04T07:11:26Z"} for number in range(28)]
TRANSPORTS: dict[str, Callable[[httpx.Limits], httpx.AsyncBaseTransport]] = {
    "httpx (httpcore)": lambda limits: httpx.AsyncHTTPTransport(limits=limits),
    "httpx-aiohttp": lambda limits: AiohttpTransport(limits=limits),
}


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    per_second: float
    median_ms: float
    p99_ms: float


async def measure(transport: str, url: str, callers: int, seconds: float) -> Result:
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
    return Result(len(durations) / took, median(durations) * 1000, quantiles(durations, n=100)[98] * 1000)


async def rows(_request: Request) -> Response:
    """The endpoint."""
    return JSONResponse({"data": ROWS, "countOfRecords": len(ROWS)})


def serve(listening: socket.socket) -> None:
    """The endpoint's process."""
    app = Starlette(routes=[Route("/rows", rows)])
    uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False)).run(sockets=[listening])


def compare(callers: int, seconds: float) -> dict[str, Result]:
    """The middle run of each transport, by calls per second."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/rows"
    server = multiprocessing.get_context("fork").Process(target=serve, args=(listening,), daemon=True)
    server.start()
    try:
        runs: dict[str, list[Result]] = {name: [] for name in TRANSPORTS}
        for _ in range(ROUNDS):
            for name in TRANSPORTS:
                runs[name].append(asyncio.run(measure(name, url, callers, seconds / ROUNDS)))
    finally:
        server.terminate()
        server.join(5)
        listening.close()
    return {name: sorted(found, key=lambda run: run.per_second)[len(found) // 2] for name, found in runs.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Compare httpx's transports on loopback.")
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10, help="per transport, all rounds together")
    given = parser.parse_args(arguments)
    results = compare(given.callers, given.seconds)
    first = next(iter(results.values()))
    print(f"{given.callers} callers at once".ljust(24) + f"{'calls/s':>10}{'median ms':>12}{'p99 ms':>10}{'ratio':>8}")
    for name, run in results.items():
        ratio = run.per_second / first.per_second
        print(f"{name:<24}{run.per_second:>10,.0f}{run.median_ms:>12.1f}{run.p99_ms:>10.1f}{ratio:>8.1f}")


if __name__ == "__main__":
    main()
