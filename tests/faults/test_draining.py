"""TERM: what is under way is finished or given back, and the process ends in time, whatever else is broken."""

import contextlib
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.conftest import Watch, company_change, customer_data, fault_configuration, problem, webhook
from tests.faults.test_postgresql_faults import hung
from tests.harness import GatewayProcess, Upstream, gateway_process, wait_until
from tests.postgres import Cluster

LEASE_SECONDS = 6
DRAIN_SECONDS = 3
BUSY_SECONDS = 3
"""What a busy machine may take to hear the signal and to end a process."""


@contextlib.contextmanager
def gateways(upstream: Upstream, folder: Path, number: int, **changes: Any) -> Iterator[list[GatewayProcess]]:
    """That many gateways on one store, not started yet."""
    document = fault_configuration(upstream.url, folder, **changes)
    with contextlib.ExitStack() as stack:
        made = []
        for each in range(number):
            (folder / str(each)).mkdir()
            made.append(stack.enter_context(gateway_process(document, folder / str(each))))
        yield made


def terminate(process: GatewayProcess) -> "subprocess.Popen[bytes]":
    """TERM, and wait until it has been heard; the process."""
    running = process.process
    assert running is not None
    running.send_signal(signal.SIGTERM)
    wait_until(lambda: "serve.draining" in process.log.read_text(), "the signal is heard")
    return running


def test_new_work_is_refused_with_the_first_signal(upstream: Upstream, tmp_path: Path) -> None:
    """Not ready at once; exports and both kinds of webhooks answer 503 and Retry-After; the feed still answers."""
    with gateways(upstream, tmp_path, 1, server={"drain_seconds": 6}) as (process,):
        watch = Watch.over(upstream, process.start())
        upstream.fault("apptivo", "delay", seconds=2, match="leads", times=1)
        slow: list[httpx.Response] = []
        in_flight = threading.Thread(target=lambda: slow.append(watch.gateway.feed("acme", watch.unique_id)))
        in_flight.start()
        running = terminate(process)

        assert watch.gateway.http.get("/health/ready").status_code == 503
        refused = [
            watch.gateway.push("acme", {"company_name": "Too late Oy"}),
            webhook(watch.gateway, watch.unique_id),
            company_change(watch.gateway, watch.unique_id, phone="09 4711"),
        ]
        for answer in refused:
            problem(answer, 503)
            assert int(answer.headers["retry-after"]) >= 1
        assert watch.gateway.feed("acme", watch.unique_id).status_code == 200
        assert running.wait(10) == 0
        in_flight.join()
        assert slow[0].status_code == 200


def test_notice_is_given_before_work_is_refused(upstream: Upstream, tmp_path: Path) -> None:
    """Not ready at once, yet work is taken for `drain_notice_seconds`, and done; then there is no listener, no 503."""
    with gateways(upstream, tmp_path, 1, server={"drain_seconds": 8, "drain_notice_seconds": 1.5}) as (process,):
        watch = Watch.over(upstream, process.start())
        upstream.fault("apptivo", "delay", seconds=3, match="leads", times=1)
        slow: list[httpx.Response] = []
        in_flight = threading.Thread(target=lambda: slow.append(watch.gateway.feed("acme", watch.unique_id)))
        in_flight.start()
        running = terminate(process)
        started = time.monotonic()

        assert watch.gateway.http.get("/health/ready").status_code == 503
        answers: list[int] = []
        with contextlib.suppress(httpx.TransportError):
            while True:
                answers.append(webhook(watch.gateway, watch.unique_id).status_code)
        assert set(answers) == {202}
        assert time.monotonic() - started > 1.4
        assert running.wait(10) == 0
        in_flight.join()
        assert slow[0].status_code == 200


def test_what_cannot_be_finished_is_given_back(upstream: Upstream, tmp_path: Path) -> None:
    """The neighbour on the same store takes over what the drain cut short, at once and not when the lease runs out."""
    with gateways(upstream, tmp_path, 2, server={"drain_seconds": 2}) as (leaving, staying):
        watch = Watch.over(upstream, leaving.start())
        upstream.fault("vainu", "delay", seconds=30, times=1)
        assert webhook(watch.gateway, watch.unique_id).status_code == 202
        wait_until(lambda: upstream.calls("vainu"), "the work is under way")
        staying.start()
        running = terminate(leaving)

        assert running.wait(10) == 0
        ended = time.monotonic()
        wait_until(lambda: customer_data(upstream), "the neighbour has done it")
        assert time.monotonic() - ended < LEASE_SECONDS / 2
        assert [row["unique_id"] for row in customer_data(upstream)] == [watch.unique_id]


def test_what_can_be_finished_is_finished(upstream: Upstream, tmp_path: Path) -> None:
    """Claimed work that ends within drain_seconds is done by the process that goes: one attempt, no other process."""
    with gateways(upstream, tmp_path, 1, server={"drain_seconds": 10}) as (process,):
        watch = Watch.over(upstream, process.start())
        upstream.fault("vainu", "delay", seconds=1.5, times=1)
        assert webhook(watch.gateway, watch.unique_id).status_code == 202
        wait_until(lambda: upstream.calls("vainu"), "the work is under way")
        running = terminate(process)

        assert running.wait(10) == 0
        with sqlite3.connect(tmp_path / "gateway.db") as store:
            statement = "SELECT state, attempts FROM deliveries WHERE kind = 'crm_webhook'"
            assert store.execute(statement).fetchall() == [("done", 1)]
        assert [row["unique_id"] for row in customer_data(upstream)] == [watch.unique_id]


def test_a_second_signal(upstream: Upstream, tmp_path: Path) -> None:
    """Whoever asks twice is in a hurry: the process ends at once, with 0, and its work is given back all the same."""
    with gateways(upstream, tmp_path, 1, server={"drain_seconds": 30}) as (process,):
        watch = Watch.over(upstream, process.start())
        upstream.fault("vainu", "delay", seconds=30, times=1)
        assert webhook(watch.gateway, watch.unique_id).status_code == 202
        wait_until(lambda: upstream.calls("vainu"), "the work is under way")
        running = terminate(process)

        running.send_signal(signal.SIGTERM)

        assert running.wait(6) == 0
        with sqlite3.connect(tmp_path / "gateway.db") as store:
            statement = "SELECT state, lease_owner FROM deliveries WHERE kind = 'crm_webhook'"
            assert store.execute(statement).fetchall() == [("pending", None)]
        assert "Traceback" not in process.log.read_text()


def test_a_drain_while_the_store_is_locked(upstream: Upstream, tmp_path: Path) -> None:
    """The process ends in time and with 0; what it could not give back is taken over when its lease has run out."""
    with gateways(upstream, tmp_path, 1, server={"drain_seconds": DRAIN_SECONDS}) as (process,):
        watch = Watch.over(upstream, process.start())
        upstream.fault("vainu", "delay", seconds=30, times=1)
        webhook(watch.gateway, watch.unique_id)
        wait_until(lambda: upstream.calls("vainu"), "the work is under way")
        with contextlib.closing(sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            started = time.monotonic()
            assert terminate(process).wait(10) == 0
            assert time.monotonic() - started < DRAIN_SECONDS + BUSY_SECONDS
        assert "Traceback" not in process.log.read_text()
        process.start()
        wait_until(lambda: customer_data(upstream), "the work is done after the restart", LEASE_SECONDS + 4)


@pytest.mark.parametrize("with_work", [True, False])
def test_a_drain_while_the_server_hangs(upstream: Upstream, tmp_path: Path, cluster: Cluster, with_work: bool) -> None:
    """A PostgreSQL that answers nothing does not keep the process either: it ends in time, with 0."""
    storage = {"url": cluster.create_database(f"drain_{with_work}".lower())}
    with gateways(upstream, tmp_path, 1, server={"drain_seconds": DRAIN_SECONDS}, storage=storage) as (process,):
        watch = Watch.over(upstream, process.start())
        upstream.fault("vainu", "delay", seconds=30, times=1)
        if with_work:
            webhook(watch.gateway, watch.unique_id)
            wait_until(lambda: upstream.calls("vainu"), "the work is under way")
        with hung(cluster):
            watch.becomes_unready()
            started = time.monotonic()
            assert terminate(process).wait(10) == 0
            assert time.monotonic() - started < DRAIN_SECONDS + BUSY_SECONDS
        assert "Traceback" not in process.log.read_text()
