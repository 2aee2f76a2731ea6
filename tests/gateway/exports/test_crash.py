"""kill -9 in the middle of exports: the work goes on within 10 s of the restart, and each company has one record."""

import contextlib
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.exports.conftest import (
    CONNECTIONS,
    CREATES,
    SYSTEMS,
    Stage,
    customers,
    finished,
    new_company,
    record_id,
)
from tests.gateway.exports.test_bodies import details_of
from tests.harness import Gateway, Upstream, client, configuration, gateway_process, wait_until


def push_in_background(gateway: Gateway, connection: str, company: dict[str, Any]) -> threading.Thread:
    """Push and do not care for the answer: the process will not live to give it."""

    def push() -> None:
        # on loopback, to load certificates would only take time
        with client(gateway.url, verify=False) as http, contextlib.suppress(httpx.TransportError):
            http.post(f"/vainu/{connection}/exports", json=company)

    thread = threading.Thread(target=push)
    thread.start()
    return thread


def wait_for_calls(upstream: Upstream, connection: str, part: str, number: int = 1) -> None:
    """Wait until the CRM has been asked so often."""
    wait_until(
        lambda: sum(part in call["line"] for call in upstream.calls(SYSTEMS[connection])) >= number, f"calls of {part}"
    )


def test_killed_while_creates_are_under_way(upstream: Upstream, tmp_path: Path) -> None:
    """Killed when creates have left that the CRM carries out late, or whose answers are lost, in both CRMs.

    After the restart they are found, not repeated; nobody repeats the pushes, and contacts follow.
    """
    contacts = [{"first_name": "Maija", "last_name": "Meikäläinen"}]
    companies = {connection: [new_company(contacts=contacts) for _ in range(2)] for connection in CONNECTIONS}
    for connection in CONNECTIONS:
        upstream.fault(SYSTEMS[connection], "delay", seconds=2, match=CREATES[connection], times=1)
        upstream.fault(SYSTEMS[connection], "lost_reply", match=CREATES[connection], times=1)
    with gateway_process(configuration(upstream.url, tmp_path), tmp_path) as process:
        gateway = process.start()
        threads = [push_in_background(gateway, name, company) for name in CONNECTIONS for company in companies[name]]
        for connection in CONNECTIONS:
            wait_for_calls(upstream, connection, CREATES[connection], number=2)
        process.kill()
        gateway.http.close()
        for thread in threads:
            thread.join()
        restarted = time.monotonic()
        gateway = process.start()

        here = Stage(upstream, gateway)
        for connection in CONNECTIONS:
            for company in companies[connection]:
                wait_until(lambda c=connection, one=company: _is_whole(here, c, one), "the work is done", seconds=11)  # type: ignore[misc]  # mypy infers no lambda with defaults
        assert time.monotonic() - restarted < 11

        for connection in CONNECTIONS:
            for company in companies[connection]:
                repeat = gateway.push(connection, company)
                [row] = customers(upstream, connection, company["company_name"])
                assert finished(gateway, connection, repeat.json()["export_id"])["unique_id"] == record_id(
                    connection, row
                )
        gateway.http.close()


def _is_whole(stage: Stage, connection: str, company: dict[str, Any]) -> bool:
    rows = stage.customers(connection, company["company_name"])
    return bool(rows) and details_of(stage, connection, record_id(connection, rows[0]))[0] == ["Meikäläinen"]


def test_a_process_that_wakes_up_late_creates_nothing(upstream: Upstream, tmp_path: Path) -> None:
    """A process that stood still for longer than its lease, its search done, finds the lease lost: one record."""
    company = new_company()
    # the search is answered while the process stands still: it wakes up with "no such customer" in its hand
    upstream.fault("apptivo", "delay", seconds=0.5, match="getAllByAdvancedSearch", times=1)
    document = configuration(upstream.url, tmp_path)
    (tmp_path / "second").mkdir()
    with (
        gateway_process(document, tmp_path) as first,
        gateway_process(document, tmp_path / "second") as second,
    ):
        still = first.start()
        thread = push_in_background(still, "acme", company)
        wait_for_calls(upstream, "acme", "getAllByAdvancedSearch")
        assert first.process is not None
        first.process.send_signal(signal.SIGSTOP)
        gateway = second.start()
        made = wait_until(lambda: customers(upstream, "acme", company["company_name"]), "the other creates it")
        first.process.send_signal(signal.SIGCONT)
        thread.join()

        answer = gateway.push("acme", company)

        assert answer.json()["unique_id"] == record_id("acme", made[0])
        assert sum(CREATES["acme"] in call["line"] for call in upstream.calls("apptivo")) == 1
        gateway.http.close()
        still.http.close()
