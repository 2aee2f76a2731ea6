"""Many pushes at the same moment: one record, one unique_id; in one process and in two."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from adapters.vainu.samples import samples
from tests.gateway.exports.conftest import Stage, customers, new_company, quick_export
from tests.harness import Gateway, Upstream, client, configuration, gateway_process, running_gateway


def pushed_at_once(gateway: Gateway, connection: str, bodies: list[Any], **options: Any) -> list[httpx.Response]:
    """The answers to pushes that are all under way together, each on a connection of its own."""

    def push(body: Any) -> httpx.Response:
        with client(gateway.url, verify=False) as http:  # loopback: to load certificates for each would take seconds
            return http.post(f"/vainu/{connection}/exports", json=body, **options)

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(push, bodies))


def test_fifty_identical(stage: Stage, connection: str, company: dict[str, Any]) -> None:
    """50 identical exports at once: one record; one of them created it; all 50 tell the one unique_id."""
    answers = pushed_at_once(stage.gateway, connection, [company] * 50)

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["unique_id"] for answer in answers}) == 1
    assert [answer.status_code for answer in answers].count(201) == 1
    assert {answer.json()["status"] for answer in answers} == {"created", "updated"}
    assert len({answer.json()["export_id"] for answer in answers}) == 50
    assert len(stage.customers(connection, company["company_name"])) == 1


def test_fifty_spellings_of_one_company(stage: Stage, connection: str, company: dict[str, Any]) -> None:
    """50 pushes at once that share a business id and differ in all else are one record and one unique_id."""
    plain = company["business_id"]
    bodies = [
        {**company, "vid": None, "domain": None, "staff_number": at, "business_id": spelling}
        for at, spelling in enumerate([plain, f"FI{plain}", f"{plain[:7]}-{plain[7:]}", f"FI {plain}", int(plain)] * 10)
    ]

    answers = pushed_at_once(stage.gateway, connection, bodies)

    linked = {stage.gateway.push(connection, company).json()["unique_id"]}
    told = {answer.json()["unique_id"] for answer in answers if answer.json()["status"] != "accepted"}
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert told == linked
    assert len(stage.customers(connection, company["company_name"])) == 1


def test_fifty_different(stage: Stage, connection: str) -> None:
    """50 companies at once: 50 records, 50 unique_ids, each with its own company's name."""
    companies = [new_company() for _ in range(50)]

    answers = pushed_at_once(stage.gateway, connection, companies)

    assert [answer.status_code for answer in answers] == [201] * 50
    assert len({answer.json()["unique_id"] for answer in answers}) == 50
    assert all(len(stage.customers(connection, company["company_name"])) == 1 for company in companies)


def test_namesakes_at_once_do_not_share_a_record(upstream: Upstream, tmp_path: Path) -> None:
    """Companies of one name and different vids, pushed at once, get a record each: none takes another's in the making.

    The answer to the first create is lost, so that its record is in the CRM before anybody knows whose it is.
    """
    companies = [{"company_name": "Vainu Inc.", "country": "US", "vid": 800 + at} for at in range(8)]
    document = configuration(upstream.url, tmp_path, **quick_export(budget_ms=8_000, settle_seconds=5))
    with running_gateway(document) as gateway:
        upstream.fault("apptivo", "lost_reply", match="a=save", times=1)

        answers = pushed_at_once(gateway, "acme", companies)

        assert len({answer.json()["unique_id"] for answer in answers}) == 8
        assert {answer.json()["status"] for answer in answers} == {"created"}
        assert len(customers(upstream, "acme", "Vainu Inc.")) == 8


def test_the_samples_at_once(stage: Stage, connection: str) -> None:
    """The samples of Vainu's documents, two namesakes among them, are as many records."""
    bodies = [sample.push_body("prospect") for sample in samples().values()]

    answers = pushed_at_once(stage.gateway, connection, bodies)

    assert len({answer.json()["unique_id"] for answer in answers}) == len(bodies)
    assert len(stage.customers(connection, "VAINU INC.")) == 2


def test_two_processes_make_one_record(upstream: Upstream, tmp_path: Path) -> None:
    """`--workers 2` on SQLite: 30 identical exports at once through the shared socket are one record, one unique_id."""
    company = new_company()
    with gateway_process(configuration(upstream.url, tmp_path), tmp_path) as process:
        gateway = process.start("--workers", "2")

        answers = pushed_at_once(gateway, "acme", [company] * 30)

        gateway.http.close()
        assert process.stop() == 0
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["unique_id"] for answer in answers}) == 1
    assert len(customers(upstream, "acme", company["company_name"])) == 1
