"""Durable acknowledgements of signed 1 kB webhooks, against a bare Starlette endpoint that only reads the body.

`python -m tests.bench.webhooks [postgresql]`. Both sides run in one process of their own, on the same server, and
take turns under the same 64 callers; the load comes from processes of its own. Ratios carry over, figures do not.
"""

import asyncio
import base64
import contextlib
import hmac
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.harness import _listen, configuration, gateway_process, merged
from tests.postgres import running_cluster

SECRET = base64.b64encode(b"bench-webhook-secret-32-bytes-ok").decode()
CALLERS = 64
REQUESTS = 6_000
ROUNDS = 3
BARE = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def take(request):
    await request.body()
    return JSONResponse({"id": "x", "duplicate": False}, 202)

app = Starlette(routes=[Route("/crm/acme/webhooks", take, methods=["POST"])])
"""


def requests(first: int, count: int, host: str) -> list[bytes]:
    """Signed requests, ready to send: each its own id and body, all with one record each of 1,000."""
    made = []
    at = str(int(time.time()))
    for number in range(first, first + count):
        body = json.dumps({"customerId": number % 1000, "n": number, "pad": "x" * 960}).encode()
        signed = f"msg_{number}.{at}.".encode() + body
        digest = hmac.digest(base64.b64decode(SECRET), signed, "sha256")
        headers = (
            f"POST /crm/acme/webhooks HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"webhook-id: msg_{number}\r\nwebhook-timestamp: {at}\r\n"
            f"webhook-signature: v1,{base64.b64encode(digest).decode()}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(headers.encode() + body)
    return made


def load(port: int, first: int, count: int, callers: int) -> tuple[float, list[float]]:
    """Send `count` requests from `callers` connections; seconds in all, and each request's seconds."""
    return asyncio.run(_load(port, requests(first, count, f"127.0.0.1:{port}"), callers))


async def _load(port: int, made: list[bytes], callers: int) -> tuple[float, list[float]]:
    queue = iter(made)
    latencies: list[float] = []

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in queue:
            started = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 202"), head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            latencies.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(callers)))
    return time.perf_counter() - started, latencies


@contextlib.contextmanager
def bare_endpoint(folder: Path) -> Iterator[int]:
    """The bare endpoint, on uvicorn with uvloop and httptools as the gateway has it; its port."""
    (folder / "bare.py").write_text(BARE)
    listening = _listen()
    port = listening.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--fd", str(listening.fileno()), "--no-access-log"]
    process = subprocess.Popen(
        [*command, "--log-level", "critical"], cwd=folder, pass_fds=(listening.fileno(),), env=dict(os.environ)
    )
    listening.close()
    try:
        time.sleep(1.5)  # uvicorn has no readiness to ask for; the socket itself already accepts
        yield port
    finally:
        process.terminate()
        process.wait(10)


def measure(storage: str | None, folder: Path) -> dict[str, float]:
    """Medians over the rounds: requests a second of both sides, their ratio, and the gateway's p99 in milliseconds."""
    document = merged(
        configuration("http://127.0.0.1:9", folder),
        {
            "server": {"requests_per_second": 1_000_000},
            "connections": {"acme": {"webhooks": {"hmac": [{"secret": f"whsec_{SECRET}"}]}, "vainu": None}},
        },
    )
    if storage is not None:
        document = merged(document, {"storage": {"url": storage}})
    rates: dict[str, list[float]] = {"bare": [], "gateway": []}
    p99: list[float] = []
    with bare_endpoint(folder) as bare, gateway_process(document, folder) as process, ProcessPoolExecutor(1) as pool:
        running = process.start()
        ports = {"bare": bare, "gateway": int(running.url.rpartition(":")[2])}
        first = 0
        for _ in range(ROUNDS):
            for side, port in ports.items():
                seconds, latencies = pool.submit(load, port, first, REQUESTS, CALLERS).result()
                rates[side].append(REQUESTS / seconds)
                first += REQUESTS
                if side == "gateway":
                    p99.append(sorted(latencies)[int(0.99 * len(latencies))] * 1000)
        process.stop()
    medians = {side: statistics.median(found) for side, found in rates.items()}
    return {**medians, "ratio": medians["gateway"] / medians["bare"], "p99_ms": statistics.median(p99)}


def main() -> None:
    """Print the table."""
    stores = ["sqlite", *(["postgresql"] if "postgresql" in sys.argv else [])]
    print(f"{'store':<12}{'bare/s':>10}{'gateway/s':>12}{'ratio':>8}{'p99 ms':>9}")
    for store in stores:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            storage = None
            if store == "postgresql":
                storage = stack.enter_context(running_cluster()).create_database("bench")
            found = measure(storage, Path(folder))
            print(
                f"{store:<12}{found['bare']:>10.0f}{found['gateway']:>12.0f}"
                f"{found['ratio']:>8.2f}{found['p99_ms']:>9.1f}"
            )


if __name__ == "__main__":
    main()
