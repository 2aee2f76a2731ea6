"""CRM.COMs that somebody else built on the same facts: a push becomes a customer, and its feed is whole."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.vainu.samples import samples
from tests.gateway.feed.other_crmcom import OtherCrmcom
from tests.harness import Gateway, configuration, merged, running_gateway, running_upstream, wait_until

KINDS = [
    *("achievement", "activity", "communication", "financial_achievement", "lead"),
    *("purchase", "referral", "social_media", "web"),
]
WHOLE: list[dict[str, Any]] = [
    {"lists": "array"},
    {"lists": "kind", "envelope": "null_texts"},
    {"lists": "singular", "says_not_found": "404", "name_search": "code"},
    {"lists": "only", "name_search": "works", "foreign_rows": True},
    {"envelope": "lists_bare", "date": "1772704800"},
    {"date": 1772704800000},
    {"envelope": "null_status"},
    {"envelope": "null_status", "lists": "kind"},
    {"bare_rows": True, "date": "2026-03-05T12:00:00.000"},
    {"dies_after": 30, "says_signed_out": "session"},
    {"dies_after": 30, "says_signed_out": "401", "lists": "kind"},
    {"says_not_found": "other_code"},
    {"says_not_found": "null"},
    {"says_not_found": "empty"},
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a connection to each of the servers."""
    servers = {f"whole{n}": OtherCrmcom(**options) for n, options in enumerate(WHOLE)}
    app = Starlette(routes=[Mount(f"/{name}", server.app()) for name, server in servers.items()])
    with running_upstream(app) as upstream:
        document = configuration(upstream.url, tmp_path_factory.mktemp("crmcoms"))
        account = {"username": "other", "password": "other-password", "organisation": "ORG"}
        document["connections"] = {
            name: merged(
                document["connections"]["globex"],
                {"crmcom": {**account, "base_url": f"{upstream.url}/{name}/crmapi/rest/v2"}},
            )
            for name in servers
        }
        with running_gateway(document) as running:
            yield running


@pytest.mark.parametrize("n", range(len(WHOLE)))
def test_a_feed_is_read_whatever_the_server_chose(gateway: Gateway, n: int) -> None:
    """Other places of lists, other envelopes, words for "not found" and "signed out", rows with little in them."""
    connection = f"whole{n}"
    pushed = gateway.push(connection, samples()["samlink"].push_body())
    assert (pushed.status_code, pushed.json()["status"]) == (201, "created"), pushed.text
    unique_id = pushed.json()["unique_id"]
    assert gateway.push(connection, samples()["samlink"].push_body()).json()["unique_id"] == unique_id
    # the account receivable, on which customer events hang, follows the answer to the push
    wait_until(lambda: len(gateway.feed(connection, unique_id).json()) >= len(KINDS), "all is there", 5)
    reply = gateway.feed(connection, unique_id)
    events = reply.json()
    assert sorted(event["id"].split("-")[1] for event in events) == KINDS
    assert {event["timestamp"] for event in events} == {"2026-03-05T10:00:00.000Z"}
    deal = next(event for event in events if event["id"].startswith("crmcom-lead"))
    assert deal["type"] == "open"
    if "bare_rows" not in WHOLE[n]:
        assert (deal["value"], deal["probability_percent"]) == (1500.5, 55)
    assert {"Gateway-Partial", "Gateway-Rejected-Events"}.isdisjoint(reply.headers)


@pytest.mark.parametrize("how", ["code", "other_code", "404", "null", "empty"])
def test_an_unknown_record_is_404_however_the_server_says_it(gateway: Gateway, how: str) -> None:
    """The codes are not documented; nor is what a server shows of nothing."""
    n = next(n for n, options in enumerate(WHOLE) if options.get("says_not_found", "code") == how)
    assert gateway.feed(f"whole{n}", "F" * 32).status_code == 404
