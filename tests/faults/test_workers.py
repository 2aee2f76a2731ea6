"""`gateway serve --workers 2` on SQLite: a worker that is killed is replaced, and its work is nobody's loss."""

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.faults.day import SECRET
from tests.faults.store_look import StoreLook
from tests.harness import Upstream, client, configuration, gateway_process, wait_until


def test_a_killed_worker_is_replaced(upstream: Upstream, tmp_path: Path) -> None:
    """Killed in the middle of exports: it is started again, every push is done once, and the other answers on."""
    acme = {"webhooks": {"hmac": [{"secret": SECRET}]}, "export": {"budget_ms": 600, "settle_seconds": 5}}
    document = configuration(upstream.url, tmp_path, connections={"acme": acme})
    look = StoreLook(document["storage"]["url"])
    names = [f"Worker {number} Oy" for number in range(24)]
    with gateway_process(document, tmp_path) as process:
        gateway = process.start("--workers", "2")
        wait_until(lambda: listening(process.log) == 2, "both listen")
        upstream.fault("apptivo", "delay", match="a=save", seconds=2.0)
        with ThreadPoolExecutor(len(names)) as pool:
            sending = [pool.submit(push, gateway.url, name) for name in names]
            # the one that holds most of the work
            wait_until(lambda: len(look.owners()) >= len(names), "all are under way")
            [(victim, held)] = Counter(pid_of(owner) for owner in look.owners()).most_common(1)
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            answers = [each.result() for each in sending]
        upstream.heal("apptivo")
        wait_until(lambda: listening(process.log) == 3, "another is started")
        wait_until(lambda: victim not in map(pid_of, look.owners()), "its work is taken over")
        print(
            f"\na worker that held {held} of {len(names)} exports: taken over after {time.monotonic() - killed:.1f} s"
        )
        repeats = [push(gateway.url, name) for name in names]
        wait_until(lambda: not look.unfinished(), "all ends")
        gateway.http.close()
        assert process.stop() == 0

    acknowledged = [answer.json()["export_id"] for answer in [*answers, *repeats] if answer is not None]
    assert all(answer is not None and answer.is_success for answer in repeats)
    assert look.missing(acknowledged) == []
    assert look.count("dead") == 0
    made = Counter(row["customerName"] for row in upstream.records("apptivo")["customers"])
    assert {name: made[name] for name in names} == dict.fromkeys(names, 1)


def push(url: str, name: str) -> httpx.Response | None:
    """The answer to a push; None if the connection died."""
    with client(url, verify=False) as http:
        try:
            return http.post("/vainu/acme/exports", json={"company_name": name, "country": "FI"})
        except httpx.TransportError:
            return None


def listening(log: Path) -> int:
    """How many workers have come so far as to listen, ever."""
    return log.read_text().count("serve.listening")


def pid_of(owner: str) -> int:
    """The process that a lease's owner is (gateway.owner)."""
    return int(owner.split("-")[-3])
