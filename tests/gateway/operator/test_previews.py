"""Previews: the feed that Vainu would get, and what the CRM would get of an export; nothing is sent."""

from pathlib import Path
from typing import Any

import pytest

from adapters.vainu.samples import samples
from tests.gateway.operator.conftest import Desk, document
from tests.harness import Upstream, running_gateway

CONTACT = {"first_name": "Jane", "last_name": "Doe", "email": "jane@example.com", "title": "CEO"}
LEAD = {"title": "New office", "link": "https://news.example.com/1", "added": "2015-08-20T08:52:50", "tags": ["Move"]}


def values(preview: dict[str, Any], action: str) -> dict[str, Any]:
    """What a call would send, by its targets."""
    (request,) = (each for each in preview["requests"] if each["action"] == action)
    return {each["target"]: each for each in request["values"]}


def test_a_feed_is_shown_with_what_is_left_out(sqlite_desk: Desk) -> None:
    """The events are those that Vainu gets; the rejected one comes with its reason."""
    unique_id = sqlite_desk.push("acme", company_name="Oy Samlink Ab")["unique_id"]

    shown = sqlite_desk.get(f"connections/acme/feed/{unique_id}")
    answer = sqlite_desk.gateway.feed("acme", unique_id)
    assert shown["events"] == answer.json()
    assert len(shown["left_out"]) == int(answer.headers["Gateway-Rejected-Events"]) == 1
    assert shown["left_out"][0]["reason"] == "unreadable"
    assert (shown["missing"], shown["stale_seconds"], shown["more"]) == ([], None, 0)
    assert {each["source"] for each in shown["timings"]} >= {"tasks", "notes"}


def test_a_source_that_fails_is_named(sqlite_desk: Desk) -> None:
    """With the word that Gateway-Partial has, and why; when all fail it is 502, as for Vainu."""
    unique_id = sqlite_desk.push("acme", company_name="Oy Samlink Ab")["unique_id"]
    sqlite_desk.upstream.fault("apptivo", "500", match="a=getNotes")
    shown = sqlite_desk.get(f"connections/acme/feed/{unique_id}")
    assert [(each["source"], each["word"]) for each in shown["missing"]] == [("notes", "error")]
    assert "500" in shown["missing"][0]["detail"]
    sqlite_desk.upstream.fault("apptivo", "500")
    assert sqlite_desk.get(f"connections/acme/feed/{unique_id}")["stale_seconds"] is not None
    assert sqlite_desk.ask("connections/acme/feed/4711").status_code == 502


@pytest.mark.parametrize("connection", ["acme", "globex"])
def test_a_mapping_is_what_an_export_then_sends(upstream: Upstream, tmp_path: Path, connection: str) -> None:
    """Field by field the preview says what the CRM has after the export; and before it the CRM was sent nothing."""
    company = samples()["samlink"].push_body()
    with running_gateway(document(upstream, tmp_path)) as gateway:
        desk = Desk(gateway, upstream)
        system = "apptivo" if connection == "acme" else "crmcom"
        before = len(upstream.calls(system))
        preview = desk.post(f"connections/{connection}/mapping", company)
        assert len(upstream.calls(system)) == before
        assert desk.get("exports")["items"] == []
        assert preview["known_as"] is None
        told = desk.push(connection, **company)
        assert desk.post(f"connections/{connection}/mapping", company)["known_as"] == told["unique_id"]
        records = upstream.records(system)
    if connection == "acme":
        sent = values(preview, "customers save")
        (customer,) = records["customers"]
        for target in ("customerName", "website", "description", "annualRevenue"):
            assert sent[f"customerData.{target}"]["value"] == customer[target], target
        assert sent["customerData.phoneNumbers[0].phoneNumber"]["value"] == customer["phoneNumbers"][0]["phoneNumber"]
        assert sent["customerData.customerName"]["sources"] == ["company_name"]
        assert sent["customerData.website"]["field"] == "website"
        assert sent["tickerSymbol"]["left_out"] == "switched off: the field has no expression"
        assert sent["email"]["left_out"] == "the export has nothing for it"
    else:
        sent = values({"requests": preview["requests"][:1]}, "contact_information/create")
        assert sent["company_name"]["value"] == "Oy Samlink Ab"
        assert sent["vat_registration_number"]["value"] == "09704098"
        assert "business_id" in sent["vat_registration_number"]["sources"]
        assert sent["country"]["left_out"] == "the setting country_identifier is not set, or there is no address"


def test_contacts_and_leads_are_calls_of_their_own(sqlite_desk: Desk) -> None:
    """Each with its values and where they come from; a field that nothing reads is named."""
    company = {"company_name": "Oy Ab", "contacts": [CONTACT], "leads": [LEAD], "colour": "red", "phone": None}

    for connection, actions in (
        ("acme", ["customers save", "contacts save", "notes createNote"]),
        (
            "globex",
            [
                "contact_information/create",
                "accounts_receivable/create",
                "contact_information/create",
                "customer_events/bulk/web/create",
            ],
        ),
    ):
        preview = sqlite_desk.post(f"connections/{connection}/mapping", company)
        assert [each["action"] for each in preview["requests"]] == actions
        person = next(each for each in preview["requests"] if each["about"] == "contact Jane Doe")
        found = {(source, each["value"]) for each in person["values"] for source in each["sources"]}
        assert {("contacts[0].email", "jane@example.com"), ("contacts[0].last_name", "Doe")} <= found
        assert {each["field"]: each["why"] for each in preview["unused"]} == {
            "colour": "no field of the mapping table reads it",
            "phone": "it is empty",
        }


def test_what_is_no_company_is_422_and_another_connection_404(sqlite_desk: Desk) -> None:
    """With the paths that a push would be refused with."""
    answer = sqlite_desk.send("connections/acme/mapping", {"contacts": 7})
    assert answer.status_code == 422
    assert {fault["path"] for fault in answer.json()["errors"]} == {"contacts", "company_name"} or answer.json()[
        "errors"
    ]
    assert sqlite_desk.send("connections/nobody/mapping", {"company_name": "x"}).status_code == 404
