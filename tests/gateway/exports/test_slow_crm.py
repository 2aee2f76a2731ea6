"""A CRM that takes 10 s: every answer within 3 s, one record, and no write after a 504 that was not under way."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.gateway.exports.conftest import CONNECTIONS, CREATES, SYSTEMS, customers, finished, new_company, quick_export
from tests.harness import Upstream, client, configuration, gateway_process, running_gateway

DRAIN = {"server": {"drain_seconds": 0}}


def timed(url: str, connection: str, company: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """How long the answer to a push takes, in seconds, and the answer."""
    with client(url, verify=False) as http:  # loopback: to load certificates for each would take seconds
        started = time.monotonic()
        answer = http.post(f"/vainu/{connection}/exports", json=company)
        return time.monotonic() - started, answer.json()


def test_every_answer_comes_within_three_seconds(upstream: Upstream, tmp_path: Path) -> None:
    """With the default budget, pushes at once to CRMs that take 10 s are all answered within 3 s; then all ends."""
    companies = {connection: [new_company() for _ in range(3)] * 2 for connection in CONNECTIONS}
    pushes = [(connection, company) for connection in CONNECTIONS for company in companies[connection]]
    with gateway_process(configuration(upstream.url, tmp_path, **DRAIN), tmp_path) as process:
        gateway = process.start()
        for connection in CONNECTIONS:
            upstream.fault(SYSTEMS[connection], "delay", seconds=10)

        with ThreadPoolExecutor(len(pushes)) as pool:
            answers = list(pool.map(lambda push: timed(gateway.url, *push), pushes))

        assert max(seconds for seconds, _answer in answers) < 3
        assert {answer["status"] for _seconds, answer in answers} == {"accepted"}
        assert all(answer["unique_id"].startswith("gw_") for _seconds, answer in answers)
        for connection in CONNECTIONS:
            upstream.heal(SYSTEMS[connection])
        for (connection, company), (_seconds, answer) in zip(pushes, answers, strict=True):
            standing = finished(gateway, connection, answer["export_id"], seconds=25)
            assert gateway.push(connection, company).json()["unique_id"] == standing["unique_id"]
            assert len(customers(upstream, connection, company["company_name"])) == 1
        gateway.http.close()


def test_a_create_that_lands_late_is_not_repeated(upstream: Upstream, tmp_path: Path) -> None:
    """A 504 whose create the CRM carries out seconds later: repeats in between make no second record, then find it."""
    company = new_company()
    export = quick_export(when_slow="fail", settle_seconds=2)
    with running_gateway(configuration(upstream.url, tmp_path, **export)) as gateway:
        upstream.fault("apptivo", "delay", seconds=2.5, match="a=save", times=1)
        assert gateway.push("acme", company).status_code == 504

        repeats = []
        while not repeats or repeats[-1].status_code == 504:
            assert len(repeats) < 40
            repeats.append(gateway.push("acme", company))

        saves = [call for call in upstream.calls("apptivo") if CREATES["acme"] in call["line"]]
        assert len(saves) == len(customers(upstream, "acme", company["company_name"])) == 1
        assert repeats[-1].json()["unique_id"] == str(customers(upstream, "acme", company["company_name"])[0]["id"])


def test_pushes_that_nobody_acts_on_are_answered_in_time(upstream: Upstream, tmp_path: Path) -> None:
    """More pushes than a process acts on at once, to a CRM that is silent, are answered as quickly as the others."""
    companies = [new_company() for _ in range(40)]
    export = quick_export(budget_ms=1_000)
    with running_gateway(configuration(upstream.url, tmp_path, **export)) as gateway:
        assert gateway.service is not None
        gateway.service.worker.capacity = 8
        upstream.fault("apptivo", "delay", seconds=2)

        with ThreadPoolExecutor(len(companies)) as pool:
            answers = list(pool.map(lambda company: timed(gateway.url, "acme", company), companies))

        assert {answer.get("status") for _seconds, answer in answers} == {"accepted"}
        assert max(seconds for seconds, _answer in answers) < 1.6
