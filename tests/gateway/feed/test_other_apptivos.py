"""Apptivos that somebody else built on the same facts: a push becomes a customer, and its feed is whole."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.vainu.samples import samples
from tests.gateway.feed.other_apptivo import OtherApptivo
from tests.harness import Gateway, configuration, merged, running_gateway, running_upstream

KINDS = ["appointment", "call", "email", "followup", "newsfeed", "note", "opportunity", "task"]
_SEARCH, _ALL = "getActivitiesByAdvancedSearch", "getAllActivities"
WHOLE: list[dict[str, Any]] = [
    {"list_key": "kind", "ids": "number"},
    {"list_key": "aaData", "counted": False, "date": "epoch"},
    {"list_key": "results", "count_as_text": True, "date": "spoken", "wrapped": "data"},
    {"list_key": "data", "filters": False, "ids": "text", "date": "epoch_text", "wrapped": "responseObject"},
    {"list_key": "data", "filters": False, "wrapped": "", "date": "slashed", "missing": {_SEARCH: "404"}},
    {"missing": {_SEARCH: "failure"}, "date": "offset"},
    {"missing": {_SEARCH: "html", "getConfigData": "404"}, "filters": False},
    {"missing": {_SEARCH: "405", "getAllBySearchText": "failure"}, "list_key": "kind"},
    {"missing": {_SEARCH: "405", "getAllBySearchText": "404"}, "list_key": "list"},
]
LACKING: list[tuple[dict[str, str], str]] = [
    ({"getEmails": "404", "getAllEmails": "404"}, "emails=error"),
    ({"getEmails": "failure", "getAllEmails": "failure"}, "emails=error"),
    ({"getEmails": "html", "getAllEmails": "405"}, "emails=error"),
    ({"getNotes": "empty_object"}, "notes=error"),
    ({"getWallMessagesBySelectedEmployeeIds": "failure"}, "newsfeed=error"),
    (
        {_SEARCH: "empty_object", _ALL: "empty_object"},
        "tasks=error, appointments=error, followups=error, calls=error",
    ),
]
UNKNOWN: list[Any] = [
    None,
    {"status": "FAILURE", "reason": "Customer not found"},
    {"status": "FAILURE", "reason": "Record does not exist"},
    {"status": "FAILURE", "reason": ""},
    {"status": "FAILURE"},
    {"data": None},
    {"data": [], "countOfRecords": 0},
    {"responseObject": None},
    {"customer": {}},
]


def _servers() -> dict[str, OtherApptivo]:
    silent = dict.fromkeys(("getNotes", "getEmails"), "failure")
    found = {f"whole{n}": OtherApptivo(**options) for n, options in enumerate(WHOLE)}
    found |= {f"lacking{n}": OtherApptivo(missing=missing) for n, (missing, _partial) in enumerate(LACKING)}
    unknown = {n: OtherApptivo(unknown=reply, has_news=False, missing=silent) for n, reply in enumerate(UNKNOWN)}
    return found | {f"unknown{n}": server for n, server in unknown.items()}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with a connection to each of the servers."""
    servers = _servers()
    app = Starlette(routes=[Mount(f"/{name}", server.app()) for name, server in servers.items()])
    with running_upstream(app) as upstream:
        document = configuration(upstream.url, tmp_path_factory.mktemp("apptivos"))
        acme = merged(document["connections"]["acme"], {"vainu": None})
        keys = {"api_key": "other-api-key", "access_key": "other-access-key"}
        document["connections"] = {
            name: merged(acme, {"apptivo": {**keys, "base_url": f"{upstream.url}/{name}"}}) for name in servers
        }
        with running_gateway(document) as running:
            yield running


def _push_and_read(gateway: Gateway, connection: str) -> Any:
    pushed = gateway.push(connection, samples()["samlink"].push_body())
    assert (pushed.status_code, pushed.json()["status"]) == (201, "created"), pushed.text
    again = gateway.push(connection, samples()["samlink"].push_body())
    assert again.json()["unique_id"] == pushed.json()["unique_id"] == "7001"
    return gateway.feed(connection, "7001")


@pytest.mark.parametrize("n", range(len(WHOLE)))
def test_a_feed_is_read_whatever_the_server_chose(gateway: Gateway, n: int) -> None:
    """Other list keys, dates, ids and wrappers; filters that do not filter; actions that are not there."""
    reply = _push_and_read(gateway, f"whole{n}")
    assert reply.status_code == 200, reply.text
    events = reply.json()
    assert sorted(event["id"].split("-")[1] for event in events) == KINDS
    assert {event["timestamp"] for event in events} == {"2026-03-05T10:00:00.000Z"}
    deal = next(event for event in events if event["type"] == "won")
    assert (deal["value"], deal["currency"], deal["probability_percent"]) == (1500.5, "EUR", 100)
    note = next(event for event in events if event["id"].startswith("apptivo-note"))
    assert note["text"] == "Half of a pair"
    assert {"Gateway-Partial", "Gateway-Rejected-Events"}.isdisjoint(reply.headers)


@pytest.mark.parametrize("n", range(len(LACKING)))
def test_a_source_that_the_server_lacks_costs_only_itself(gateway: Gateway, n: int) -> None:
    """Reading e-mails, for one, is not documented: a server may well have no such action."""
    reply = _push_and_read(gateway, f"lacking{n}")
    partial = LACKING[n][1]
    assert (reply.status_code, reply.headers["Gateway-Partial"]) == (200, partial)
    assert len(reply.json()) == 8 - partial.count("error")


@pytest.mark.parametrize("n", range(len(UNKNOWN)))
def test_an_unknown_customer_is_404_however_the_server_says_it(gateway: Gateway, n: int) -> None:
    """The words of a FAILURE are not documented; so are nulls and empty lists."""
    assert gateway.feed(f"unknown{n}", "123456").status_code == 404
