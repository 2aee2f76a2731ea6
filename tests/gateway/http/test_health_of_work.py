"""`/health/ready` when the store is well, and the work is not: a worker that stands still, and work that is overdue."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.vainu.samples import samples
from gateway.worker import Worker
from tests.harness import (
    OPERATOR,
    Gateway,
    GatewayProcess,
    Upstream,
    client,
    configuration,
    gateway_process,
    wait_until,
)


def ready(gateway: Gateway) -> httpx.Response:
    return gateway.http.get("/health/ready")


def becomes(gateway: Gateway, status: int) -> dict[str, Any]:
    """The report, once ready answers so; within 2 s, and what the answer itself takes."""
    started = time.monotonic()
    answer: httpx.Response = wait_until(lambda: (found := ready(gateway)).status_code == status and found, "it changes")
    assert time.monotonic() - started < 2.5
    report: dict[str, Any] = answer.json()
    return report


def test_a_worker_that_stands_still(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for what never comes: not ready within 2 s, the storage is well; ready again when it goes on."""
    assert ready(gateway).status_code == 200
    claim = Worker._claim
    released: list[bool] = []

    async def stands_still(self: Worker) -> None:
        while not released:  # noqa: ASYNC110 - the test's thread cannot set an event of another's loop
            await asyncio.sleep(0.05)
        await claim(self)

    monkeypatch.setattr(Worker, "_claim", stands_still)
    # its next round, at most half a second later, is the one that stands still
    time.sleep(0.6)
    checks = becomes(gateway, 503)["checks"]
    assert (checks["worker"]["ok"], checks["storage"]["ok"]) == (False, True)
    assert checks["worker"]["heartbeat_seconds"] >= 2
    assert checks["worker"]["detail"]
    released.append(True)
    assert becomes(gateway, 200)["checks"]["worker"]["ok"] is True


def test_a_worker_that_fails(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of ours in every round: not ready within 2 s; without the defect it goes on, and the work is done."""
    claim = Worker._claim

    async def fails(_worker: Worker) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Worker, "_claim", fails)
    time.sleep(0.6)
    assert becomes(gateway, 503)["checks"]["worker"]["ok"] is False
    monkeypatch.setattr(Worker, "_claim", claim)
    assert becomes(gateway, 200)["status"] == "ready"
    assert gateway.push("acme", samples()["samlink"].push_body()).status_code == 201


def test_a_worker_that_has_ended(gateway: Gateway) -> None:
    """Whatever has ended it: not ready within 2 s."""
    service = gateway.service
    assert service is not None
    assert service._working is not None
    service._working.get_loop().call_soon_threadsafe(service._working.cancel)
    assert becomes(gateway, 503)["checks"]["worker"]["ok"] is False


def test_work_that_is_overdue_shows_and_leaves_the_gateway_ready(gateway: Gateway, tmp_path: Path) -> None:
    """The age of the oldest due delivery is told, and that has no bearing on taking more."""
    assert ready(gateway).json()["checks"]["backlog"] == {"ok": True, "oldest_due_seconds": 0.0}
    due = int((time.time() - 3_600) * 1000)
    with sqlite3.connect(tmp_path / "gateway.db") as other:
        other.execute(
            "INSERT INTO deliveries (connection, kind, order_key, content_key, subject, payload, state, attempts,"
            " due_at, created_at) VALUES ('acme', 'of_tomorrow', 'k', '', 's', x'', 'pending', 0, ?, ?)",
            (due, due),
        )
    other.close()

    def oldest() -> float:
        answer = ready(gateway)
        assert answer.status_code == 200
        return float(answer.json()["checks"]["backlog"]["oldest_due_seconds"])

    assert 3_600 <= wait_until(oldest, "it is told", 2) < 3_700


def test_a_worker_process_that_hangs(upstream: Upstream, tmp_path: Path) -> None:
    """Of two processes one stands still, perhaps with the store's lock: within seconds it is killed and replaced."""
    with gateway_process(configuration(upstream.url, tmp_path), tmp_path) as process:
        gateway = process.start("--workers", "2")
        with stopped(process):
            wait_until(lambda: "supervise.killed" in process.log.read_text(), "it is killed")
            wait_until(lambda: process.log.read_text().count("serve.listening") == 3, "another is started")
            with client(gateway.url) as http:
                wait_until(lambda: http.get("/health/ready").status_code == 200, "ready")
                assert http.post("/vainu/acme/exports", json=samples()["samlink"].push_body()).status_code == 201
        assert process.stop() == 0
    assert "Traceback" not in process.log.read_text()


def test_a_worker_process_that_hangs_holds_up_no_drain(upstream: Upstream, tmp_path: Path) -> None:
    """TERM while one of two processes stands still: all is over soon after drain_seconds."""
    document = configuration(upstream.url, tmp_path, server={"drain_seconds": 1})
    with gateway_process(document, tmp_path) as process:
        process.start("--workers", "2")
        with stopped(process):
            started = time.monotonic()
            assert process.stop() == 0
            assert time.monotonic() - started < 8
    assert "supervise.killed" in process.log.read_text()


def test_workers_end_with_their_supervisor(upstream: Upstream, tmp_path: Path) -> None:
    """The process that looks after them is killed: they drain and leave the port, and nobody serves unwatched."""
    document = configuration(upstream.url, tmp_path, server={"drain_seconds": 1})
    with gateway_process(document, tmp_path) as process:
        process.start("--workers", "2")
        wait_until(lambda: process.log.read_text().count("serve.listening") == 2, "both listen")
        workers = children(process)
        process.kill()
        wait_until(lambda: not any(map(runs, workers)), "they have ended")
    assert process.log.read_text().count("serve.supervisor_gone") == 2


def children(process: GatewayProcess) -> list[int]:
    """The ids of a supervisor's workers."""
    assert process.process is not None
    supervisor = process.process.pid
    return [int(each) for each in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()]


def runs(pid: int) -> bool:
    """Whether a process still does anything; one that has ended may wait for somebody to ask how."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


@contextmanager
def stopped(process: GatewayProcess) -> Iterator[None]:
    """One of two workers stands still."""
    wait_until(lambda: process.log.read_text().count("serve.listening") == 2, "both listen")
    # by then each has told that it lives
    with client(process.url, headers=OPERATOR) as http:
        wait_until(lambda: "gateway_workers 2.0" in http.get("/metrics").text, "both have told")
    victim = children(process)[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        yield
    finally:
        if Path(f"/proc/{victim}").exists():
            os.kill(victim, signal.SIGKILL)
