"""Durable acknowledgements of signed 1 kB webhooks, against a bare Starlette endpoint that only reads the body.

    python -m tests.bench.webhooks [sqlite|postgresql …]

Both sides have one process on the same server (uvicorn, uvloop, httptools) and take turns under the same 64 callers.
The gateway verifies the signature, keeps the webhook (`synchronous=FULL`) and answers; in the background it works on
what it keeps, against simulators in a process of their own. Ratios carry over, figures do not.
"""

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
from pathlib import Path

import httpx

from tests.bench import load
from tests.harness import _listen, configuration, gateway_process, merged, wait_until
from tests.postgres import binaries, running_cluster

SECRET = base64.b64encode(b"bench-webhook-secret-32-bytes-ok").decode()
CALLERS = 64
SECONDS = 5.0
ROUNDS = 3
MOST_PER_SECOND = 16_000
"""More requests than this are not made for a second of load."""
BARE = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def take(request):
    await request.body()
    return JSONResponse({"id": "x", "duplicate": False}, 202)

app = Starlette(routes=[Route("/crm/acme/webhooks", take, methods=["POST"])])
"""


def requests(first: int, count: int, customers: int = 1000) -> list[bytes]:
    """Signed requests, ready to send: each its own id and body, about one of so many customers."""
    made = []
    at = str(int(time.time()))
    key = base64.b64decode(SECRET)
    for number in range(first, first + count):
        body = json.dumps({"customerId": number % customers, "n": number, "pad": "x" * 960}).encode()
        digest = hmac.digest(key, f"msg_{number}.{at}.".encode() + body, "sha256")
        headers = (
            f"POST /crm/acme/webhooks HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            f"webhook-id: msg_{number}\r\nwebhook-timestamp: {at}\r\n"
            f"webhook-signature: v1,{base64.b64encode(digest).decode()}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(headers.encode() + body)
    return made


@contextlib.contextmanager
def bare_endpoint(folder: Path) -> Iterator[int]:
    """The bare endpoint, in a process of its own; its port."""
    (folder / "bare.py").write_text(BARE)
    # not by --fd: uvicorn takes any such socket for a Unix one, and Nagle's algorithm then costs 40 ms an answer
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--port", str(port), "--no-access-log"]
    process = subprocess.Popen([*command, "--log-level", "critical"], cwd=folder, env=dict(os.environ))
    try:
        wait_until(lambda: answers(port), "the bare endpoint answers")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with _listen() as listening:
        return int(listening.getsockname()[1])


def answers(port: int) -> bool:
    """Whether a server answers there, whatever it says."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False, timeout=1).status_code > 0
    return False


def webhook_gateway(upstream: str, folder: Path, storage: str | None = None) -> dict[str, object]:
    """A configuration whose connection `acme` takes the requests above; `upstream` is the simulators' address."""
    document = merged(
        configuration(upstream, folder),
        {
            "server": {"requests_per_second": 1_000_000},
            "connections": {"acme": {"webhooks": {"hmac": [{"secret": f"whsec_{SECRET}"}]}}, "globex": None},
        },
    )
    return merged(document, {"storage": {"url": storage}}) if storage else document


def measure(storage: str | None, folder: Path) -> dict[str, float]:
    """Medians over the rounds: requests a second of both sides, their ratio, the gateway's p99 in ms, failures."""
    found: dict[str, list[load.Load]] = {"bare": [], "gateway": []}
    with (
        bare_endpoint(folder) as bare,
        gateway_process(webhook_gateway("http://127.0.0.1:9", folder, storage), folder) as process,
    ):
        running = process.start()
        ports = {"bare": bare, "gateway": int(running.url.rpartition(":")[2])}
        first = 0
        for _ in range(ROUNDS):
            for side, port in ports.items():
                made = requests(first, int(SECONDS * MOST_PER_SECOND))
                first += len(made)
                found[side].append(load.run(port, made, CALLERS, SECONDS))
        process.stop()
    rates = {side: statistics.median(each.per_second for each in runs) for side, runs in found.items()}
    return {
        **rates,
        "ratio": rates["gateway"] / rates["bare"],
        "p99": statistics.median(each.p99_ms for each in found["gateway"]),
        "failed": sum(each.failed for runs in found.values() for each in runs),
    }


def main() -> None:
    """Print the table."""
    stores = sys.argv[1:] or ["sqlite", *(["postgresql"] if binaries() else [])]
    print(f"{CALLERS} callers, load from {load.generator()}")
    print(f"{'store':<12}{'bare/s':>10}{'gateway/s':>12}{'ratio':>8}{'p99 ms':>9}{'failed':>9}")
    for store in stores:
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            storage = None
            if store == "postgresql":
                storage = stack.enter_context(running_cluster()).create_database("bench")
            found = measure(storage, Path(folder))
        print(
            f"{store:<12}{found['bare']:>10.0f}{found['gateway']:>12.0f}"
            f"{found['ratio']:>8.2f}{found['p99']:>9.1f}{found['failed']:>9.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
