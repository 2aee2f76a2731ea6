"""Several gateways on one PostgreSQL: one record a company, one schema, and what one leaves another takes over."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count, cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.simulated_webhooks import signed
from gateway.store import migrate
from gateway.store.locks import MIGRATING
from tests.faults.day import SECRET
from tests.faults.forked import ForkedGateway, forked_gateway
from tests.faults.store_look import StoreLook
from tests.harness import Upstream, client, configuration, wait_until
from tests.postgres import Cluster

ACME = {
    "webhooks": {"hmac": [{"secret": SECRET}]},
    "export": {"budget_ms": 600, "settle_seconds": 5},
}
_databases = count(1)


@pytest.fixture
def storage(cluster: Cluster) -> dict[str, Any]:
    """The setting of an empty database of its own."""
    return {"url": cluster.create_database(f"together{next(_databases)}")}


@contextmanager
def two_gateways(document: dict[str, Any], folder: Path) -> Iterator[tuple[ForkedGateway, ForkedGateway]]:
    """Two gateways of one configuration, running."""
    with forked_gateway(document, folder / "first") as first, forked_gateway(document, folder / "second") as second:
        first.start()
        second.start()
        yield first, second


def company(name: str) -> dict[str, Any]:
    return {"company_name": name, "country": "FI"}


def customers(upstream: Upstream) -> list[dict[str, Any]]:
    return list(upstream.records("apptivo")["customers"])


def pushed_together(urls: list[str], bodies: list[dict[str, Any]]) -> list[httpx.Response]:
    """The answers to pushes that are all under way together, spread over gateways in turn."""

    def push(url: str, body: dict[str, Any]) -> httpx.Response:
        def taken() -> httpx.Response | None:
            answer = http.post("/vainu/acme/exports", json=body)
            # a busy machine may refuse: "send it again later"
            return None if answer.status_code == 503 else answer

        with client(url, verify=False) as http:
            answer: httpx.Response = wait_until(taken, "it is kept")
            return answer

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(push, cycle(urls), bodies))


def webhooks_kept(url: str, record_ids: list[str]) -> list[str]:
    """The ids that the CRM is told for a webhook about each of these records."""
    kept = []
    with client(url, verify=False) as http:
        for record_id in record_ids:
            content = json.dumps({"customerId": record_id}).encode()
            headers = signed(SECRET, f"msg_{record_id}", int(time.time()), content)
            answer = http.post("/crm/acme/webhooks", content=content, headers=headers)
            assert answer.status_code == 202, answer.text
            kept.append(answer.json()["id"])
    return kept


def test_identical_exports_on_two_gateways_are_one_record(
    upstream: Upstream, storage: dict[str, Any], tmp_path: Path
) -> None:
    """50 identical exports at once, spread over two gateways: one CRM record, one unique_id, in each of five rounds."""
    patient = {"acme": {"export": {"budget_ms": 10_000}}}
    document = configuration(upstream.url, tmp_path, storage=storage, connections=patient)
    with two_gateways(document, tmp_path) as (first, second):
        for number in range(5):
            name = f"Together {number} Oy"
            answers = pushed_together([first.url, second.url], [{**company(name), "vid": number}] * 50)

            assert {answer.status_code for answer in answers} <= {200, 201}
            assert len({answer.json()["unique_id"] for answer in answers}) == 1
            assert [row["customerName"] for row in customers(upstream)].count(name) == 1


def test_spellings_on_two_gateways_are_one_record(upstream: Upstream, storage: dict[str, Any], tmp_path: Path) -> None:
    """40 pushes at once over two gateways that share a business id, and differ in all else, are one record."""
    document = configuration(upstream.url, tmp_path, storage=storage)
    bodies = [
        {"company_name": "Yhdessä Oy", "country": "FI", "business_id": spelling, "staff_number": number}
        for number, spelling in enumerate(["01120389", "0112038-9", "FI01120389", "FI 01120389"] * 10)
    ]
    with two_gateways(document, tmp_path) as (first, second):
        answers = pushed_together([first.url, second.url], bodies)

        assert {answer.status_code for answer in answers} <= {200, 201}
        wait_until(lambda: not StoreLook(storage["url"]).unfinished(), "all ends")
        [record_id] = [row["customerId"] for row in customers(upstream) if row["customerName"] == "Yhdessä Oy"]
        told = {answer.json()["unique_id"] for answer in answers if answer.json()["status"] != "accepted"}
        assert told <= {str(record_id)}


def test_started_together_on_an_empty_database(upstream: Upstream, storage: dict[str, Any], tmp_path: Path) -> None:
    """Four gateways that start at the same moment make the schema once, and each is ready and takes a push."""
    document = configuration(upstream.url, tmp_path, storage=storage)
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        gateways = [stack.enter_context(forked_gateway(document, tmp_path / f"gateway{at}")) for at in range(4)]
        started = list(pool.map(lambda each: each.start(), gateways))
        answers = [
            http.post("/vainu/acme/exports", json={"company_name": f"Early {at} Oy"}) for at, http in enumerate(started)
        ]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert StoreLook(storage["url"]).rows("SELECT version_num FROM alembic_version") == [(migrate.HEAD,)]


def test_a_start_waits_for_another_s_migration(upstream: Upstream, storage: dict[str, Any], tmp_path: Path) -> None:
    """A gateway that finds another at the migration waits until it is ready, also for longer than for a write."""
    document = configuration(upstream.url, tmp_path, storage=storage)
    with ThreadPoolExecutor(1) as pool, forked_gateway(document, tmp_path / "waiting") as waiting:
        with StoreLook(storage["url"]).locked(MIGRATING) as is_waited_for:
            starting = pool.submit(waiting.start)
            since = time.monotonic()
            wait_until(is_waited_for, "it waits")
            # longer than the 2 s that a write waits for a lock
            wait_until(lambda: time.monotonic() - since > 3, "3 s pass")
            assert not starting.done()
        assert starting.result().get("/health/ready").status_code == 200


@pytest.mark.parametrize("same_machine", [True, False], ids=["same machine", "another machine"])
def test_a_killed_gateway_s_work_is_taken_over(
    upstream: Upstream, storage: dict[str, Any], tmp_path: Path, same_machine: bool
) -> None:
    """Killed in the middle of exports and webhooks: nothing is lost, nothing is doubled, and in seconds it goes on."""
    look = StoreLook(storage["url"])
    document = configuration(upstream.url, tmp_path, storage=storage, connections={"acme": ACME})
    with two_gateways(document, tmp_path) as (first, second):
        known = [pushed_together([second.url], [company(f"Known {at} Oy")])[0].json()["unique_id"] for at in range(8)]
        upstream.fault("apptivo", "delay", match="a=save", seconds=2.0)
        upstream.fault("apptivo", "delay", match="a=getById", seconds=2.0)
        names = [f"Taken {at} Oy" for at in range(16)]
        kept = webhooks_kept(first.url, known)
        answers = pushed_together([first.url, second.url], [company(name) for name in names])
        wait_until(lambda: len(look.held_by(first.pid)) >= 6, "the first is at work")
        owners = look.held_by(first.pid)

        killed = time.monotonic()
        first.kill()
        if not same_machine:
            look.rename_owners(owners, "elsewhere-0123456789ab-1-2-3")
            owners = ["elsewhere-0123456789ab-1-2-3"]
        wait_until(lambda: not set(owners) & set(look.owners()), "the work is taken over")
        taken_over = time.monotonic() - killed
        upstream.heal("apptivo")
        wait_until(lambda: not look.unfinished(), "all ends", 30)

    print(f"\ntaken over after {taken_over:.1f} s ({'the same' if same_machine else 'another'} machine)")
    assert taken_over < (3 if same_machine else 8)
    assert look.missing([*kept, *(answer.json()["export_id"] for answer in answers)]) == []
    assert look.count("dead") == 0
    assert Counter(row["customerName"] for row in customers(upstream) if row["customerName"] in names) == Counter(names)
    told = [row["unique_id"] for row in upstream.records("vainu")["customer_data"]]
    assert sorted(told) == sorted(known)
