"""The outcome table of CONTRACT section 7, row by row, over HTTP."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adapters.vainu.simulator import FAKE_API_KEY
from tests.gateway.exports.conftest import (
    CONNECTIONS,
    CREATES,
    SEARCHES,
    SYSTEMS,
    Stage,
    customers,
    finished,
    new_company,
    problem,
    quick_export,
    record_id,
)
from tests.harness import Upstream, configuration, running_gateway, wait_until

UNIQUE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def test_a_new_company_is_created(stage: Stage, connection: str, company: dict[str, Any]) -> None:
    """Created: 201, exactly unique_id, status and export_id; the unique_id is the CRM's own id."""
    answer = stage.gateway.push(connection, company)

    [row] = stage.customers(connection, company["company_name"])
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"unique_id", "status", "export_id"}
    assert answer.json()["status"] == "created"
    assert answer.json()["unique_id"] == record_id(connection, row)


def test_a_known_company_is_updated(stage: Stage, connection: str, company: dict[str, Any]) -> None:
    """There already: 200, "updated", the same unique_id, an export_id of its own."""
    first = stage.created(connection, company)

    answer = stage.gateway.push(connection, company)

    assert answer.status_code == 200
    assert answer.json().keys() == {"unique_id", "status", "export_id"}
    assert (answer.json()["status"], answer.json()["unique_id"]) == ("updated", first["unique_id"])
    assert answer.json()["export_id"] != first["export_id"]
    assert len(stage.customers(connection, company["company_name"])) == 1


def test_an_update_brings_what_changed(stage: Stage) -> None:
    """A second push with another phone number leaves both numbers at the one customer."""
    company = new_company(phone="09 111 111")
    stage.created("acme", company)

    stage.gateway.push("acme", {**company, "phone": "09 222 222"})

    [row] = stage.customers("acme", company["company_name"])
    assert [each["phoneNumber"] for each in row["phoneNumbers"]] == ["09 111 111", "09 222 222"]


@pytest.mark.parametrize("status", ["created", "updated"])
def test_where_a_finished_export_stands(stage: Stage, connection: str, company: dict[str, Any], status: str) -> None:
    """GET tells export_id, unique_id, status and attempts, and no reason where there is nothing to explain."""
    if status == "updated":
        stage.created(connection, company)
    answer = stage.gateway.push(connection, company).json()

    standing = stage.gateway.standing(connection, answer["export_id"])

    assert standing == {**answer, "attempts": 1}
    assert standing["status"] == status


def test_an_unknown_export_is_not_found(stage: Stage, connection: str, company: dict[str, Any]) -> None:
    """GET of an export that nobody made, or that another connection made, is 404."""
    other = "globex" if connection == "acme" else "acme"
    export_id = stage.created(other, company)["export_id"]

    for unknown in ("exp_unknown", "x" * 300, export_id):
        problem(stage.gateway.http.get(f"/vainu/{connection}/exports/{unknown}"), 404)


def test_a_slow_crm_is_answered_in_time(upstream: Upstream, tmp_path: Path) -> None:
    """Not finished, accept: 200, a gw_ id, "accepted"; the work goes on; then a repeat answers the CRM's id."""
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export())) as gateway:
        for connection in CONNECTIONS:
            company = new_company()
            upstream.fault(SYSTEMS[connection], "delay", seconds=1, times=1, match=SEARCHES[connection])

            answer = gateway.push(connection, company)

            assert answer.status_code == 200
            assert answer.json().keys() == {"unique_id", "status", "export_id"}
            assert answer.json()["status"] == "accepted"
            assert answer.json()["unique_id"].startswith("gw_")
            assert UNIQUE_ID.fullmatch(answer.json()["unique_id"])
            standing = finished(gateway, connection, answer.json()["export_id"])
            [row] = customers(upstream, connection, company["company_name"])
            assert (standing["status"], standing["unique_id"]) == ("created", record_id(connection, row))
            repeat = gateway.push(connection, company).json()
            assert (repeat["status"], repeat["unique_id"]) == ("updated", record_id(connection, row))


def test_both_ids_stay_valid(upstream: Upstream, tmp_path: Path) -> None:
    """After an accepted export has ended, its gw_ id and the CRM's id lead to the same feed and the same page."""
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export())) as gateway:
        upstream.fault("apptivo", "delay", seconds=0.6, times=1, match=SEARCHES["acme"])
        accepted = gateway.push("acme", new_company()).json()
        record = finished(gateway, "acme", accepted["export_id"])["unique_id"]

        feeds = [gateway.feed("acme", unique_id).json() for unique_id in (accepted["unique_id"], record)]
        pages = [
            gateway.http.get(f"/vainu/acme/records/{unique_id}").headers["location"]
            for unique_id in (accepted["unique_id"], record)
        ]

        assert feeds[0] == feeds[1] != []
        assert pages == [f"https://app.apptivo.com/customers/{record}"] * 2


def test_the_feed_of_an_accepted_export_is_empty_until_the_record_is_there(upstream: Upstream, tmp_path: Path) -> None:
    """A gw_ id whose record is not made yet has an empty feed, no error."""
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export())) as gateway:
        upstream.fault("apptivo", "delay", seconds=0.8, match="a=save")
        accepted = gateway.push("acme", new_company()).json()

        feed = gateway.feed("acme", accepted["unique_id"])

        assert (feed.status_code, feed.json()) == (200, [])
        finished(gateway, "acme", accepted["export_id"])


def test_when_slow_fail_answers_504(upstream: Upstream, tmp_path: Path, connection: str) -> None:
    """Not finished, fail: 504, nothing is written after it, and a repeat makes the one record."""
    company = new_company(contacts=[{"first_name": "Maija", "last_name": "Meikäläinen"}])
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export(when_slow="fail"))) as gateway:
        upstream.fault(SYSTEMS[connection], "delay", seconds=0.5)

        answer = gateway.push(connection, company)

        assert problem(answer, 504)["export_id"].startswith("exp_")
        standing = finished(gateway, connection, answer.json()["export_id"])
        assert (standing["status"], standing["unique_id"][:3]) == ("dead", "gw_")
        assert standing["reason"]
        upstream.heal(SYSTEMS[connection])
        assert not [call for call in upstream.calls(SYSTEMS[connection]) if CREATES[connection] in call["line"]]
        repeat = gateway.push(connection, company)
        assert (repeat.status_code, repeat.json()["status"]) == (201, "created")
        assert len(customers(upstream, connection, company["company_name"])) == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ([], "$"),
        ([{"company_name": "A"}], "$"),
        ("text", "$"),
        (7, "$"),
        (None, "$"),
        (True, "$"),
        ({}, "company_name"),
        ({"company_name": ""}, "company_name"),
        ({"company_name": "   "}, "company_name"),
        ({"company_name": {"fi": "A"}}, "company_name"),
        ({"company_name": "A", "vid": "seven"}, "vid"),
        ({"company_name": "A", "vid": 1.5}, "vid"),
        ({"company_name": "A", "business_id": ["1"]}, "business_id"),
        ({"company_name": "A", "id": "no/id"}, "id"),
        ({"company_name": "A", "contacts": "none"}, "contacts"),
        ({"company_name": "A", "contacts": [1]}, "contacts[0]"),
        ({"company_name": "A", "contacts": [{"last_name": "B"}, {"email": {}}]}, "contacts[1].email"),
        ({"company_name": "A", "leads": [{"title": ["x"]}]}, "leads[0].title"),
        ({"prospect": "A"}, "prospect"),
        ({"prospects": []}, "prospects[0]"),
        ({"prospects": [{"vid": 1, "company_name": 7}]}, "prospects[0].company_name"),
        ({"data": {"company_name": "A", "contacts": [None, 3]}}, "data.contacts[1]"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value)[:40],
)
def test_what_is_no_company_is_refused(stage: Stage, body: Any, path: str) -> None:
    """The body is no company: 422, each fault with its path, and nothing is kept or sent."""
    calls = len(stage.upstream.calls("apptivo"))

    document = problem(stage.gateway.http.post("/vainu/acme/exports", content=json.dumps(body)), 422)

    assert path in [error["path"] for error in document["errors"]]
    assert all(error.keys() == {"path", "message"} for error in document["errors"])
    assert len(stage.upstream.calls("apptivo")) == calls


def test_every_fault_of_a_body_is_told_at_once(stage: Stage) -> None:
    """Four faults in one body are four errors."""
    body = {"company_name": ["A"], "vid": {}, "contacts": [{"phone": []}], "leads": 1}

    document = problem(stage.gateway.push("acme", body), 422)

    paths = {error["path"] for error in document["errors"]}
    assert paths == {"company_name", "vid", "contacts[0].phone", "leads"}


def test_the_customer_data_of_an_accepted_export_is_told_the_crms_id(upstream: Upstream, tmp_path: Path) -> None:
    """Vainu's customer data is PATCHed with the CRM's id where the push carried `id` and was answered "accepted"."""
    made = upstream.http.post(
        "/vainu/api/v2/customer_data/",
        json={"match_data": {"business_id": "09704098", "country": "FI"}, "unique_id": "gw_none"},
        headers={"API-Key": FAKE_API_KEY},
    )
    assert made.status_code == 200, made.text
    customer_data_id = made.json()["id"]
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export())) as gateway:
        upstream.fault("apptivo", "delay", seconds=0.6, times=1, match=SEARCHES["acme"])
        accepted = gateway.push("acme", new_company(), params={"id": customer_data_id}).json()
        assert accepted["status"] == "accepted"

        record = finished(gateway, "acme", accepted["export_id"])["unique_id"]

        wait_until(lambda: _unique_id_at_vainu(upstream, customer_data_id) == record, "Vainu is told")
        patches = [call for call in upstream.calls("vainu") if call["method"] == "PATCH"]
        assert [call["path"] for call in patches] == [f"/api/v2/customer_data/{customer_data_id}/"]


def _unique_id_at_vainu(upstream: Upstream, customer_data_id: str) -> str:
    found = upstream.http.get(f"/vainu/api/v2/customer_data/{customer_data_id}/", headers={"API-Key": FAKE_API_KEY})
    return str(found.json()["unique_id"])


def test_vainu_is_not_told_what_the_answer_told(stage: Stage) -> None:
    """An export that ended within the budget tells the id in its answer; the customer data is not touched."""
    stage.created("acme", new_company(id="cd1"))

    assert not [call for call in stage.upstream.calls("vainu") if call["method"] == "PATCH"]
