"""`/health/live` and `/health/ready` (CONTRACT section 9), with a storage that really fails."""

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from adapters.vainu.samples import samples
from tests.gateway.http.problems import problem
from tests.harness import Gateway, Upstream, configuration, gateway_process, running_gateway, wait_until

QUICK = {"export": {"budget_ms": 800}}


@pytest.fixture
def gateway(upstream: Upstream, tmp_path: Path) -> Iterator[Gateway]:
    """As everywhere, but less patient: a storage that does not answer ends an export after its budget."""
    with running_gateway(configuration(upstream.url, tmp_path, connections={"acme": QUICK})) as running:
        yield running


def ready(gateway: Gateway) -> httpx.Response:
    return gateway.http.get("/health/ready")


def test_live(gateway: Gateway) -> None:
    """The process can answer."""
    assert gateway.http.get("/health/live").status_code == 200


def test_the_shape_of_ready(gateway: Gateway) -> None:
    """Ready answers exactly the members of section 9; every check says whether it is well."""
    answer = ready(gateway)
    content = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert content.keys() == {"status", "checks", "connections"}
    assert content["status"] == "ready"
    assert content["checks"].keys() == {"storage", "worker", "backlog", "disk"}
    assert [check["ok"] for check in content["checks"].values()] == [True] * 4
    assert content["connections"].keys() == {"acme", "globex"}
    assert content["connections"]["acme"].keys() == {"apptivo", "vainu"}
    assert content["connections"]["acme"]["apptivo"]["state"] == "unknown"


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def moved_away(database: Path) -> Iterator[None]:
    """The database's files are somewhere else."""
    moved = [(each, each.with_name(f"away-{each.name}")) for each in database.parent.glob(f"{database.name}*")]
    for here, there in moved:
        here.rename(there)
    try:
        yield
    finally:
        for here, there in moved:
            there.rename(here)


@contextmanager
def replaced_by_garbage(database: Path) -> Iterator[None]:
    """There is a file, but it is no database."""
    with moved_away(database):
        database.write_bytes(b"this is no database" * 1_000)
        yield
        database.unlink()


@contextmanager
def replaced_by_a_folder(database: Path) -> Iterator[None]:
    """There is a folder of that name."""
    with moved_away(database):
        database.mkdir()
        yield
        database.rmdir()


@pytest.mark.parametrize("broken", [locked, moved_away, replaced_by_garbage, replaced_by_a_folder])
def test_a_storage_that_cannot_be_written(gateway: Gateway, tmp_path: Path, broken: Callable[[Path], object]) -> None:
    """Ready turns 503 within 2 s, work is refused with Retry-After, and both recover without a restart."""
    assert ready(gateway).status_code == 200
    with broken(tmp_path / "gateway.db"):  # type: ignore[attr-defined]  # all four are context managers
        started = time.monotonic()
        answer = wait_until(lambda: (found := ready(gateway)).status_code == 503 and found, "not ready")
        assert time.monotonic() - started < 2
        content = answer.json()
        assert (content["status"], content["checks"]["storage"]["ok"]) == ("not ready", False)
        assert gateway.http.get("/health/live").status_code == 200
        refused = gateway.push("acme", samples()["samlink"].push_body())
        problem(refused, 503)
        assert int(refused.headers["retry-after"]) >= 1
    wait_until(lambda: ready(gateway).status_code == 200, "ready again", seconds=5)
    assert gateway.push("acme", samples()["samlink"].push_body()).status_code == 201


def test_ready_does_not_wait_for_a_slow_probe_of_another(gateway: Gateway, tmp_path: Path) -> None:
    """Many probes at once on a locked storage are all answered in time: they share one look at it."""
    statuses: list[int] = []
    with locked(tmp_path / "gateway.db"):
        time.sleep(0.5)  # as old as a shared look may be
        started = time.monotonic()
        threads = [threading.Thread(target=lambda: statuses.append(ready(gateway).status_code)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - started < 2
    assert statuses == [503] * 8


@pytest.mark.parametrize(("connection", "crm"), [("acme", "apptivo"), ("globex", "crmcom")])
def test_every_crm_shows_how_it_last_behaved(gateway: Gateway, upstream: Upstream, connection: str, crm: str) -> None:
    """Whichever CRM it is: ok with a time of section 5's form after a call, failing with the reason after a bad one."""
    unique_id = gateway.push(connection, samples()["samlink"].push_body()).json()["unique_id"]
    condition = ready(gateway).json()["connections"][connection][crm]
    assert condition["state"] == "ok"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", condition["last_ok"])
    upstream.fault(crm, "500")
    gateway.feed(connection, unique_id)
    failing = ready(gateway).json()["connections"][connection][crm]
    assert (failing["state"], failing["reason"]) == ("failing", "server_fault")


def test_a_crm_that_is_down_shows_and_does_not_make_the_gateway_unready(gateway: Gateway, upstream: Upstream) -> None:
    """A failing CRM shows under connections with its reason, a recovered one too; ready stays 200 all the while."""
    unique_id = gateway.push("acme", samples()["samlink"].push_body()).json()["unique_id"]

    def state() -> tuple[int, str]:
        answer = ready(gateway)
        return answer.status_code, answer.json()["connections"]["acme"]["apptivo"]["state"]

    assert state() == (200, "ok")
    upstream.fault("apptivo", "500")
    gateway.feed("acme", unique_id)
    assert state() == (200, "failing")
    failing = ready(gateway).json()["connections"]["acme"]["apptivo"]
    assert failing["reason"]
    assert failing["last_failure"] > failing["last_ok"] or failing["last_failure"] == failing["last_ok"]
    assert ready(gateway).json()["connections"]["globex"]["crmcom"]["state"] == "unknown"
    upstream.heal("apptivo")
    gateway.push("acme", samples()["samlink"].push_body())
    assert state() == (200, "ok")


def test_draining(upstream: Upstream, tmp_path: Path) -> None:
    """TERM with a slow request in flight.

    Ready turns 503 at once, new work is refused, the request gets its answer, the exit code is 0 within drain_seconds,
    and what was not finished is taken up after the restart.
    """
    document = configuration(
        upstream.url,
        tmp_path,
        server={"drain_seconds": 4},
        connections={"acme": QUICK},
    )
    company = samples()["samlink"].push_body()
    upstream.fault("apptivo", "delay", seconds=5)
    with gateway_process(document, tmp_path) as process:
        gateway = process.start()
        answers: list[httpx.Response] = []
        in_flight = threading.Thread(target=lambda: answers.append(gateway.push("acme", company)))
        in_flight.start()
        wait_until(lambda: upstream.calls("apptivo"), "the export is under way")
        running = process.process
        assert running is not None
        started = time.monotonic()
        running.terminate()

        wait_until(lambda: "serve.draining" in process.log.read_text(), "the signal has arrived")
        first = gateway.http.get("/health/ready")
        assert (first.status_code, first.json()["status"]) == (503, "not ready")
        problem(gateway.push("acme", {"company_name": "Too late Oy"}), 503)
        in_flight.join()
        assert time.monotonic() - started < 3
        assert (answers[0].status_code, answers[0].json()["status"]) == (200, "accepted")
        assert running.wait(10) == 0
        assert time.monotonic() - started < 5  # drain_seconds, and what a busy machine takes to end a process

        upstream.heal("apptivo")
        again = process.start()
        export_id = answers[0].json()["export_id"]
        # the delayed calls of before may end in the CRM yet; there is one customer whatever happened
        wait_until(lambda: again.standing("acme", export_id)["status"] in ("created", "updated"), "the work goes on")
        assert len(upstream.records("apptivo")["customers"]) == 1
        assert process.stop() == 0
    assert "Traceback" not in process.log.read_text()


def test_a_drain_of_nothing_is_quick(upstream: Upstream, tmp_path: Path) -> None:
    """With nothing in flight, and callers' idle connections open, the process ends in about a second."""
    with gateway_process(configuration(upstream.url, tmp_path), tmp_path) as process:
        gateway = process.start()
        gateway.http.get("/health/live")
        started = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - started < 8


def test_a_drain_does_not_wait_longer_than_it_may(upstream: Upstream, tmp_path: Path) -> None:
    """A request that takes longer than drain_seconds is told 503, not cut off; the process ends in time with 0."""
    document = configuration(
        upstream.url, tmp_path, server={"drain_seconds": 2}, connections={"acme": {"feed": {"budget_ms": 20_000}}}
    )
    upstream.fault("apptivo", "delay", seconds=12)
    with gateway_process(document, tmp_path) as process:
        gateway = process.start()
        answers: list[httpx.Response] = []
        in_flight = threading.Thread(target=lambda: answers.append(gateway.feed("acme", "12345")))
        in_flight.start()
        wait_until(lambda: upstream.calls("apptivo"), "the feed is under way")
        started = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - started < 8
        in_flight.join()
    problem(answers[0], 503)
    assert answers[0].headers["retry-after"]
    assert "Traceback" not in process.log.read_text()
