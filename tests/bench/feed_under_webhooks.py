"""The feed's 99th percentile while 200 signed webhooks a second come in, against the same without them.

    python -m tests.bench.feed_under_webhooks [SECONDS]

Open loop: a feed is asked for every 50 ms, whether or not the last one was answered, so that waiting is counted. The
CRM and Vainu are the simulators, in a process of their own; the webhooks are about one of 50 customers each, and what
they ask for is done.
"""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

from adapters.vainu.samples import samples
from tests.bench.webhooks import answers, free_port, requests, webhook_gateway
from tests.harness import AUTH, GatewayProcess, gateway_process, wait_until

SECONDS = 20.0
FEEDS_PER_SECOND = 20.0
WEBHOOKS_PER_SECOND = 200.0


@contextlib.contextmanager
def simulators() -> Iterator[str]:
    """All simulated systems in a process of their own; the address."""
    port = free_port()
    command = [sys.executable, "-m", "gateway", "simulate", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(port), "the simulators answer")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def _feeds(http: httpx.AsyncClient, path: str, seconds: float) -> list[float]:
    """Each feed's seconds, counted from when it was due."""
    began = time.perf_counter()

    async def one(due: float) -> float:
        await asyncio.sleep(due - (time.perf_counter() - began))
        (await http.get(path)).raise_for_status()
        return time.perf_counter() - began - due

    return list(await asyncio.gather(*(one(n / FEEDS_PER_SECOND) for n in range(int(seconds * FEEDS_PER_SECOND)))))


async def _webhooks(port: int, made: list[bytes]) -> int:
    """Send them evenly; how many were not acknowledged."""
    began = time.perf_counter()
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    failed = 0

    async def one(number: int, request: bytes) -> None:
        nonlocal failed
        await asyncio.sleep(number / WEBHOOKS_PER_SECOND - (time.perf_counter() - began))
        reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        failed += head[9:10] != b"2"
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        idle.append((reader, writer))

    await asyncio.gather(*(one(number, request) for number, request in enumerate(made)))
    for _reader, writer in idle:
        writer.close()
    return failed


async def _both(url: str, path: str, seconds: float) -> dict[str, Any]:
    port = int(url.rpartition(":")[2])
    async with httpx.AsyncClient(base_url=url, headers=AUTH, trust_env=False, timeout=30) as http:
        await _feeds(http, path, 2)
        alone = await _feeds(http, path, seconds)
        made = requests(0, int(seconds * WEBHOOKS_PER_SECOND), customers=50)
        under, failed = await asyncio.gather(_feeds(http, path, seconds), _webhooks(port, made))
    return {"alone": alone, "under": under, "failed": failed}


def _measure(process: GatewayProcess, seconds: float) -> dict[str, Any]:
    gateway = process.start()
    pushed = gateway.push("acme", samples()["samlink"].push_body()).json()
    return asyncio.run(_both(gateway.url, f"/vainu/acme/activities/{pushed['unique_id']}", seconds))


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with simulators() as upstream, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with gateway_process(webhook_gateway(upstream, folder), folder) as process:
            found = _measure(process, seconds)
    tail = {side: quantiles(found[side], n=100)[98] * 1000 for side in ("alone", "under")}
    print(f"{FEEDS_PER_SECOND:g} feeds/s, {WEBHOOKS_PER_SECOND:g} webhooks/s; webhooks refused: {found['failed']}")
    print(f"{'p99 ms alone':>14}{'p99 ms under':>14}{'ratio':>8}")
    print(f"{tail['alone']:>14.1f}{tail['under']:>14.1f}{tail['under'] / tail['alone']:>8.2f}")


if __name__ == "__main__":
    main()
