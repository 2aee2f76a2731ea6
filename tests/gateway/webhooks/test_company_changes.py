"""Vainu's company-change webhooks: deduplicated by content, and only what differs reaches the CRM."""

from typing import Any

from tests.harness import Gateway, Upstream, wait_until

DATA = {
    "company_name": "Oy Samlink Ab",
    "business_id": "09704098",
    "domain": "samlink.fi",
    "turn_over": 895766,
    "staff_number": 12,
    "visiting_address": "Uusi katu 1",
    "visiting_city": "HELSINKI",
    "visiting_postal": "00100",
    "status": "active",
    "region": "FI-18",
}
"""Made from the sample of vdev webhooks (fact sheet 3.3): numbers are numbers here."""


def change(unique_id: str, tries: int = 1, **data: Any) -> dict[str, Any]:
    return {
        "data": {**DATA, **data},
        "number_of_tries": tries,
        "type": "company_change_webhook",
        "unique_id": unique_id,
    }


def customer(upstream: Upstream) -> dict[str, Any]:
    (row,) = upstream.records("apptivo")["customers"]
    return dict(row)


def test_a_company_change_reaches_the_crm_once(gateway: Gateway, upstream: Upstream) -> None:
    """The change answers 202, its redelivery 200 and duplicate; the CRM's record gets it, by one update."""
    unique_id = gateway.push("acme", {"company_name": "Oy Samlink Ab", "country": "FI"}).json()["unique_id"]

    first = gateway.http.post("/vainu/acme/webhooks", json=change(unique_id))
    again = gateway.http.post("/vainu/acme/webhooks", json=change(unique_id, tries=2))

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    wait_until(lambda: "samlink.fi" in str(customer(upstream).get("website", "")), "the change is in the CRM")
    assert len(upstream.records("apptivo")["customers"]) == 1


def test_only_what_differs_is_sent(gateway: Gateway, upstream: Upstream) -> None:
    """A change that the CRM already has writes nothing; one more field that differs is named alone."""
    unique_id = gateway.push("acme", {"company_name": "Oy Samlink Ab", "country": "FI"}).json()["unique_id"]
    gateway.http.post("/vainu/acme/webhooks", json=change(unique_id))
    wait_until(lambda: "samlink.fi" in str(customer(upstream).get("website", "")), "the first change is there")
    before = len([call for call in upstream.calls("apptivo") if "a=update" in call["line"]])

    gateway.http.post("/vainu/acme/webhooks", json=change(unique_id, turn_over=900000))

    def updates() -> list[dict[str, str]]:
        return [call for call in upstream.calls("apptivo") if "a=update" in call["line"]][before:]

    (update,) = wait_until(updates, "the second change is sent")
    assert "annualRevenue" in update["line"]
    assert "website" not in update["line"].partition("attributeName=")[2].partition("&")[0]


def test_a_body_that_is_no_change_is_422(gateway: Gateway) -> None:
    """Every fault is told with its path, and nothing is kept."""
    answer = gateway.http.post("/vainu/acme/webhooks", json={"unique_id": {}, "data": []})

    assert answer.status_code == 422
    assert {error["path"] for error in answer.json()["errors"]} == {"unique_id", "data"}


def test_a_change_needs_vainus_credentials(gateway: Gateway) -> None:
    """Vainu signs nothing, so its calls take the connection's own credentials."""
    answer = gateway.http.post("/vainu/acme/webhooks", json=change("1"), headers={"API-Key": "wrong"})

    assert answer.status_code == 401
