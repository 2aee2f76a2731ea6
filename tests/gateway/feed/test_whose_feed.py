"""Which record a unique_id stands for, and when there is none."""

from typing import Any

import pytest

from adapters.vainu.samples import samples
from tests.gateway.feed.conftest import CRMS, SOURCES
from tests.harness import wait_until

both = pytest.mark.parametrize("connection", ["acme", "globex"])


@both
def test_an_id_that_was_never_exported_is_looked_up_in_the_crm(scene: Any, connection: str) -> None:
    """A record made by hand has its feed under its own id."""
    reply = scene.feed(connection, scene.one_of_each(connection))
    assert (reply.status_code, len(reply.json())) == (200, len(SOURCES[CRMS[connection]]))


@both
def test_a_record_without_events_has_an_empty_feed(scene: Any, connection: str) -> None:
    """The CRM has the record, so this is no 404."""
    reply = scene.feed(connection, scene.customer(connection))
    assert (reply.status_code, reply.content) == (200, b"[]")


@pytest.mark.parametrize("unique_id", ["4711", "no-such_ID", "gw_01HZZZZZZZZZZZZZZZZZZZZZZZ", "A" * 128])
@both
def test_an_id_that_nobody_knows_is_404(scene: Any, connection: str, unique_id: str) -> None:
    """After the CRM was asked; an id of our own making needs no asking."""
    reply = scene.feed(connection, unique_id)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert bool(scene.calls(connection)) is not unique_id.startswith("gw_")


@pytest.mark.parametrize("unique_id", ["a.b", "a%20b", "%C3%A4", "A" * 129, "%7B%7D", "a%2Fb", "a'--"])
@both
def test_what_can_be_no_id_is_404_and_not_asked_for(scene: Any, connection: str, unique_id: str) -> None:
    """A unique_id has letters, digits, _ and - only."""
    assert scene.feed(connection, unique_id).status_code == 404
    assert scene.calls(connection) == []


@both
def test_a_wrong_api_key_learns_nothing(scene: Any, connection: str) -> None:
    """401 before anything is looked up, for a known id as for any other."""
    known = scene.one_of_each(connection)
    for unique_id in (known, "4711"):
        assert scene.feed(connection, unique_id, headers={"API-Key": "wrong"}).status_code == 401
    assert scene.calls(connection) == []


@pytest.mark.parametrize("fault", ["html", "500", "nonsense"])
@both
def test_an_unknown_id_that_the_crm_cannot_tell_of_is_502(scene: Any, connection: str, fault: str) -> None:
    """Neither an empty feed, which would say that there is such a record, nor 404, which would deny it."""
    show = {"acme": "a=getById", "globex": "contact_information/show"}[connection]
    scene.fault(connection, fault, show)
    reply = scene.feed(connection, scene.customer(connection))
    assert reply.status_code == 502


def test_events_prove_that_a_record_exists(scene: Any) -> None:
    """Where the look-up fails but sources have events, those are served."""
    customer = scene.one_of_each("acme")
    scene.fault("acme", "html", "a=getById")
    assert len(scene.feed("acme", customer).json()) == 8


@both
def test_a_pending_export_has_an_empty_feed_and_then_the_crms(scene: Any, connection: str) -> None:
    """`gw_…` answers [] while the CRM is silent; once the record is made it stays valid, beside the CRM's id."""
    slow = {"acme": "customers?", "globex": "contact_information"}[connection]
    body = samples()["norrsken"].push_body() | {"business_id": None, "company_name": f"Slow {connection} AB"}
    scene.fault(f"{connection}-slow", "delay", slow, seconds=2.0, times=2)
    reply = scene.gateway.push(f"{connection}-slow", body)
    assert (reply.status_code, reply.json()["status"]) == (200, "accepted")
    pending = reply.json()["unique_id"]
    assert pending.startswith("gw_")
    empty = scene.feed(f"{connection}-slow", pending)
    assert (empty.status_code, empty.content) == (200, b"[]")
    scene.heal()
    wait_until(lambda: scene.feed(f"{connection}-slow", pending).json(), "the record is made")
    crm_id = scene.gateway.push(f"{connection}-slow", body).json()["unique_id"]
    both_feeds = [scene.feed(f"{connection}-slow", unique_id).json() for unique_id in (pending, crm_id)]
    assert both_feeds[0] == both_feeds[1]


def test_a_customer_that_was_deleted_in_the_crm_is_404(scene: Any) -> None:
    """Also under an id that was exported from here."""
    unique_id = scene.gateway.push("acme", samples()["fjordlys"].push_body()).json()["unique_id"]
    assert scene.feed("acme", unique_id).status_code == 200
    tables = scene.simulators["apptivo"].state.tables
    for name in ("customers", "activities", "notes", "emails", "opportunities", "wall"):
        tables[name].clear()
    assert scene.feed("acme", unique_id).status_code == 404
