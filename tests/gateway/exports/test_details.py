"""Contacts become contacts, leads become notes or web events: once, after any number of repeats."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.exports.conftest import SYSTEMS, Stage, finished, new_company, quick_export
from tests.gateway.exports.test_bodies import details_of
from tests.harness import Upstream, configuration, running_gateway, wait_until

PEOPLE = [
    {"first_name": "Maija", "last_name": "Meikäläinen", "email": "maija@example.com", "title": "CEO"},
    {"first_name": "Matti", "last_name": "Mallikas", "phone": "040 123", "email": None},
]
NEWS = [
    {"title": "Uusi tehdas", "link": "https://news.example.com/1", "added": "2026-01-02T03:04:05", "tags": ["Growth"]},
    {"title": "Uusi johtaja", "link": "https://news.example.com/2", "added": "2026-02-02T03:04:05"},
]
LAST_NAMES = ["Meikäläinen", "Mallikas"]
LINKS = [lead["link"] for lead in NEWS]
SAVES = {"acme": "createNote", "globex": "customer_events/bulk"}


def test_details_come_with_the_record_and_only_once(stage: Stage, connection: str) -> None:
    """They are in the CRM when the answer comes; repeats, and pushes with changed fields, add none."""
    company = new_company(contacts=PEOPLE, leads=NEWS)
    unique_id = stage.created(connection, company)["unique_id"]
    assert details_of(stage, connection, unique_id) == (LAST_NAMES, LINKS)

    for staff in (1, 1, 2):
        stage.gateway.push(connection, {**company, "staff_number": staff})

    assert details_of(stage, connection, unique_id) == (LAST_NAMES, LINKS)


def test_new_details_join_the_old(stage: Stage, connection: str) -> None:
    """A later push with one more contact and lead adds those."""
    company = new_company(contacts=PEOPLE[:1], leads=NEWS[:1])
    unique_id = stage.created(connection, company)["unique_id"]

    stage.gateway.push(connection, {**company, "contacts": PEOPLE, "leads": NEWS})

    assert details_of(stage, connection, unique_id) == (LAST_NAMES, LINKS)


def test_what_the_details_hold(stage: Stage) -> None:
    """A contact of Apptivo has e-mail address and title; a note holds title, link and tags of the lead."""
    company = new_company(contacts=PEOPLE, leads=NEWS)
    stage.created("acme", company)

    held = stage.upstream.records("apptivo")

    contact = next(row for row in held["contacts"] if row["accountName"] == company["company_name"])
    note = next(row["noteText"] for row in reversed(held["notes"]) if NEWS[0]["link"] in row.get("noteText", ""))
    assert (contact["jobTitle"], contact["emailAddresses"][0]["emailAddress"]) == ("CEO", "maija@example.com")
    assert note.splitlines()[:2] == ["Uusi tehdas", "https://news.example.com/1"]
    assert "Growth" in note


@pytest.mark.parametrize("fault", ["lost_reply", "cut", "drop", "500"])
def test_a_fault_doubles_no_detail(upstream: Upstream, tmp_path: Path, connection: str, fault: str) -> None:
    """The answer to a note or event that is lost: it is there once, in the end; the export itself is not held up."""
    company = new_company(contacts=PEOPLE, leads=NEWS)
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export(budget_ms=3_000))) as gateway:
        upstream.fault(SYSTEMS[connection], fault, match=SAVES[connection], times=1)

        answer = gateway.push(connection, company)

        assert answer.status_code == 201, answer.text
        here = Stage(upstream, gateway)
        unique_id = answer.json()["unique_id"]
        wait_until(
            lambda: sorted(details_of(here, connection, unique_id)[1]) == LINKS, "all leads are there", seconds=10
        )
        assert details_of(here, connection, unique_id)[0] == LAST_NAMES


def test_details_that_fail_hold_up_no_export(upstream: Upstream, tmp_path: Path, connection: str) -> None:
    """While contacts cannot be saved at all, pushes of the company are still answered "created" and "updated"."""
    company = new_company(contacts=PEOPLE)
    match = {"acme": "contactData", "globex": '"PERSON"'}[connection]
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export(budget_ms=1_000))) as gateway:
        upstream.fault(SYSTEMS[connection], "500", match=match)

        first = gateway.push(connection, company)
        again = gateway.push(connection, {**company, "staff_number": 3})

        assert (first.status_code, first.json()["status"]) == (201, "created")
        assert (again.status_code, again.json()["status"]) == (200, "updated")
        assert finished(gateway, connection, again.json()["export_id"])["status"] == "updated"


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("acme", {"website": "custom_site", "description": "join(', ', [city, country])"}, ["https://own.example"]),
        ("acme", {"custom:input_1_2": "leads_count", "phone": ""}, ['"customAttributeValue": "17"']),
        ("globex", {"notes": "custom_site", "udf_string_1": "to_string(leads_count)"}, ["https://own.example", "17"]),
        ("globex", {"company_name": "join(' ', [company_name, city])"}, ["Espoo"]),
    ],
)
def test_the_field_table_can_be_overridden(
    upstream: Upstream, tmp_path: Path, name: str, fields: dict[str, str], expected: list[str]
) -> None:
    """`[connections.X.export.fields]`: JMESPath on the pushed body decides what goes where."""
    company: dict[str, Any] = new_company(city="Espoo", phone="09 777 777", leads_count=17)
    company["custom_site"] = "https://own.example"
    changes = {"connections": {name: {"export": {"fields": fields}}}}
    with running_gateway(configuration(upstream.url, tmp_path, **changes)) as gateway:
        answer = gateway.push(name, {"prospect": company})
        again = gateway.push(name, {"prospect": company})

        held = json.dumps(upstream.records(SYSTEMS[name]))
        assert answer.status_code == 201, answer.text
        assert again.json()["unique_id"] == answer.json()["unique_id"]
        assert all(text in held for text in expected)
        assert ("09 777 777" in held) == (fields.get("phone") != "")


def test_fields_beside_the_wrapper_can_be_used(upstream: Upstream, tmp_path: Path) -> None:
    """An expression sees the whole body: the prospect's own fields, and those beside it."""
    fields = {"description": "campaign"}
    changes = {"connections": {"acme": {"export": {"fields": fields}}}}
    with running_gateway(configuration(upstream.url, tmp_path, **changes)) as gateway:
        gateway.push("acme", {"campaign": "Spring", "prospect": new_company()})

        assert upstream.records("apptivo")["customers"][0]["description"] == "Spring"
