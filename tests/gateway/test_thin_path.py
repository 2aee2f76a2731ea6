"""The product's main path, over real HTTP: a push becomes a customer, and its feed comes back."""

import pytest

from adapters.vainu.samples import samples
from tests.harness import Gateway, Upstream


@pytest.mark.parametrize("connection", ["acme", "globex"])
def test_a_pushed_company_becomes_a_customer_with_a_feed(gateway: Gateway, connection: str) -> None:
    """A push answers 201 with the CRM's id; a repeat answers 200 with the same id; the feed is there, newest first."""
    company = samples()["samlink"].push_body()

    first = gateway.push(connection, company)
    again = gateway.push(connection, company)
    feed = gateway.feed(connection, first.json()["unique_id"])

    assert (first.status_code, first.json()["status"]) == (201, "created")
    assert (again.status_code, again.json()["status"]) == (200, "updated")
    assert again.json()["unique_id"] == first.json()["unique_id"]
    assert feed.status_code == 200
    timestamps = [event["timestamp"] for event in feed.json()]
    assert len(timestamps) > 10
    assert timestamps == sorted(timestamps, reverse=True)


def test_the_customer_is_in_the_crm_once(gateway: Gateway, upstream: Upstream) -> None:
    """Two pushes of one company leave one customer in Apptivo."""
    company = samples()["samlink"].push_body()

    for _ in range(2):
        gateway.push("acme", company)

    assert len(upstream.records("apptivo")["customers"]) == 1
