"""How a caller asks: limit, since, type, HEAD, conditional requests, and many at once."""

import asyncio
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.gateway.feed.conftest import CRMS, SOURCES
from tests.harness import AUTH, wait_until

both = pytest.mark.parametrize("connection", ["acme", "globex"])


@pytest.fixture
def customer(scene: Any) -> Any:
    """Notes of five days at noon, Helsinki time, and a call."""
    notes = [{"noteText": f"day {day}", "creationDate": f"2026-03-0{day} 12:00:00"} for day in range(1, 6)]
    return scene.customer("acme", notes=notes, calls=[{"subject": "call", "startDate": "2026-03-03 13:00:00"}])


def texts(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [event.get("text") or event["header"] for event in reply.json()]


def test_limit_takes_the_newest(scene: Any, customer: str) -> None:
    """At most so many events; more than there are is all."""
    assert texts(scene.feed("acme", customer, params={"limit": 2})) == ["day 5", "day 4"]
    assert len(texts(scene.feed("acme", customer, params={"limit": 100000}))) == 6


@pytest.mark.parametrize(
    "since",
    [
        "2026-03-03T11:00:00Z",
        "2026-03-03T11:00:00.000Z",
        "2026-03-03T13:00:00",
        "2026-03-03 13:00:00",
        "2026-03-03T13:00:00+02:00",
        "20260303T110000Z",
        "1772535600",
        "1772535600000",
    ],
)
def test_since_is_any_time_that_the_gateway_reads(scene: Any, customer: str, since: str) -> None:
    """What happened at that moment counts; a time without an offset is of the connection's zone."""
    assert texts(scene.feed("acme", customer, params={"since": since})) == ["day 5", "day 4", "call"]


def test_a_plus_that_nobody_encoded_is_still_an_offset(scene: Any, customer: str) -> None:
    """A bare + in a query means a space, which no time has before its offset."""
    url = f"/vainu/acme/activities/{customer}?since=2026-03-03T13:00:00+02:00"
    assert texts(scene.gateway.http.get(url)) == ["day 5", "day 4", "call"]


def test_since_a_day_is_from_its_start(scene: Any, customer: str) -> None:
    """A date alone is midnight UTC, as in the feed itself."""
    assert texts(scene.feed("acme", customer, params={"since": "2026-03-04"})) == ["day 5", "day 4"]


def test_type_is_repeatable(scene: Any, customer: str) -> None:
    """Events of any of the types; combined with the others, the limit is applied last."""
    assert texts(scene.feed("acme", customer, params={"type": "call"})) == ["call"]
    assert len(texts(scene.feed("acme", customer, params={"type": ["call", "note"]}))) == 6
    assert texts(scene.feed("acme", customer, params={"type": "email"})) == []
    query = {"type": "note", "since": "2026-03-02", "limit": "1"}
    assert texts(scene.feed("acme", customer, params=query)) == ["day 5"]


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("limit=0", {"limit"}),
        ("limit=-1", {"limit"}),
        ("limit=ten", {"limit"}),
        ("limit=1.5", {"limit"}),
        ("limit=", {"limit"}),
        ("limit=%D9%A1", {"limit"}),
        ("limit=" + "9" * 5000, {"limit"}),
        ("since=yesterday", {"since"}),
        ("since=", {"since"}),
        ("since=2026-02-30", {"since"}),
        ("since=NaN", {"since"}),
        ("type=", {"type"}),
        ("type=note&type=memo", {"type"}),
        ("type=Note", {"type"}),
        ("limit=x&since=y&type=z", {"limit", "since", "type"}),
    ],
)
def test_every_bad_query_parameter_is_named(scene: Any, customer: str, query: str, paths: set[str]) -> None:
    """422 with all of them at once, and the CRM is not asked."""
    scene.forget_calls()
    reply = scene.gateway.http.get(f"/vainu/acme/activities/{customer}?{query}")
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")
    assert {fault["path"] for fault in reply.json()["errors"]} == paths
    assert all(fault["message"] for fault in reply.json()["errors"])
    assert scene.calls("acme") == []


def test_an_unknown_parameter_is_let_be(scene: Any, customer: str) -> None:
    """A URL template may carry more than we know."""
    assert len(texts(scene.feed("acme", customer, params={"utm": "x"}))) == 6


@both
def test_head_answers_as_get_without_the_body(scene: Any, connection: str) -> None:
    """The same status and headers."""
    url = f"/vainu/{connection}/activities/{scene.one_of_each(connection)}"
    got, head = scene.gateway.http.get(url), scene.gateway.http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_405_and_told_which_are_allowed(scene: Any, method: str) -> None:
    """With `Allow`."""
    reply = scene.gateway.http.request(method, "/vainu/acme/activities/1")
    assert reply.status_code == 405
    assert "GET" in reply.headers["Allow"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', '"other" , W/{} ,"more"', "*", ", {} ,"])
def test_what_the_caller_has_already_is_304(scene: Any, customer: str, form: str) -> None:
    """The tag alone, weak, in a list, or *: no body, but the tag and the rest of the headers."""
    etag = scene.feed("acme", customer).headers["ETag"]
    assert etag.startswith('"')
    reply = scene.feed("acme", customer, headers={**AUTH, "If-None-Match": form.replace("{}", etag)})
    assert (reply.status_code, reply.content) == (304, b"")
    assert reply.headers["ETag"] == etag
    assert "Server-Timing" in reply.headers


def test_a_tag_of_another_feed_is_not_304(scene: Any, customer: str) -> None:
    """Neither one that nobody gave, nor one without quotes, nor the tag of a part of the feed."""
    etag = scene.feed("acme", customer).headers["ETag"]
    part = scene.feed("acme", customer, params={"limit": 1}).headers["ETag"]
    for tag in ('"other"', etag.strip('"'), part, ""):
        assert scene.feed("acme", customer, headers={**AUTH, "If-None-Match": tag}).status_code == 200


def test_the_tag_changes_with_the_feed(scene: Any) -> None:
    """A new event, a new tag."""
    customer = scene.customer("acme", notes=[{"noteText": "one", "creationDate": "2026-03-01"}])
    before = scene.feed("acme", customer).headers["ETag"]
    scene.simulators["apptivo"].state.tables["notes"][-1]["noteText"] = "two"
    assert scene.feed("acme", customer).headers["ETag"] != before


def test_a_partial_feed_says_so_also_in_a_304(scene: Any) -> None:
    """The headers that tell what is missing are those of a 200."""
    customer = scene.one_of_each("acme")
    scene.fault("acme", "500", "a=getNotes")
    etag = scene.feed("acme", customer).headers["ETag"]
    reply = scene.feed("acme", customer, headers={**AUTH, "If-None-Match": etag})
    assert (reply.status_code, reply.headers["Gateway-Partial"]) == (304, "notes=error")


def at_once(scene: Any, connection: str, unique_ids: list[str]) -> list[httpx.Response]:
    async def whole() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=scene.gateway.url, headers=AUTH, timeout=15, trust_env=False) as http:
            return await asyncio.gather(*(http.get(f"/vainu/{connection}/activities/{one}") for one in unique_ids))

    return asyncio.run(whole())


@both
def test_identical_requests_at_the_same_time_share_one_upstream_call(scene: Any, connection: str) -> None:
    """Twenty at once cost the CRM what one costs; all get the same feed."""
    customer = scene.one_of_each(connection)
    alone = scene.feed(connection, customer)
    scene.forget_calls()
    scene.fault(connection, "delay", seconds=0.4)
    replies = at_once(scene, connection, [customer] * 20)
    assert {(reply.status_code, reply.content) for reply in replies} == {(200, alone.content)}
    for match in SOURCES[CRMS[connection]].values():
        assert len(scene.calls(connection, match)) == 1


def test_different_customers_share_nothing(scene: Any) -> None:
    """Each of two gets its own events."""
    one, other = (scene.customer("acme", notes=[{"noteText": t, "creationDate": "2026-03-01"}]) for t in "ab")
    scene.forget_calls()
    replies = at_once(scene, "acme", [one, other] * 3)
    assert [texts(reply) for reply in replies] == [["a"], ["b"]] * 3


def test_different_queries_share_the_call_and_not_the_answer(scene: Any, customer: str) -> None:
    """Filters are applied to what the one call gave."""
    scene.fault("acme", "delay", seconds=0.3)
    replies = at_once(scene, "acme", [customer, f"{customer}?limit=1", f"{customer}?type=call"])
    assert [len(texts(reply)) for reply in replies] == [6, 1, 1]
    assert len(scene.calls("acme", "a=getNotes")) == 1


@both
def test_a_caller_that_goes_away_takes_nobodys_answer(scene: Any, connection: str) -> None:
    """The first caller hangs up in the middle; the second, who joined, is served by the same call."""
    customer = scene.one_of_each(connection)
    scene.feed(connection, customer)
    scene.forget_calls()
    scene.fault(connection, "delay", seconds=0.6)
    address = urlsplit(scene.gateway.url)
    first = socket.create_connection((address.hostname, address.port))
    lines = [f"GET /vainu/{connection}/activities/{customer} HTTP/1.1", "Host: x", f"API-Key: {AUTH['API-Key']}"]
    first.sendall("\r\n".join([*lines, "", ""]).encode())
    wait_until(lambda: scene.calls(connection), "the CRM is asked")
    first.close()
    reply = scene.feed(connection, customer)
    assert (reply.status_code, len(reply.json())) == (200, len(SOURCES[CRMS[connection]]))
    for match in SOURCES[CRMS[connection]].values():
        assert len(scene.calls(connection, match)) == 1


def test_a_flight_that_failed_is_not_the_next_callers(scene: Any) -> None:
    """Only requests at the same time share; the next one asks again."""
    customer = scene.one_of_each("acme-hasty")
    scene.fault("acme-hasty", "500")
    replies = at_once(scene, "acme-hasty", [customer] * 5)
    assert {reply.status_code for reply in replies} == {502}
    scene.heal()
    assert len(scene.feed("acme-hasty", customer).json()) == 8


def test_a_feed_is_cut_at_the_connections_limit(scene: Any) -> None:
    """`feed.limit` bounds what is sent, and what a caller may ask for; the newest remain, though on a later page."""
    notes = [{"noteText": str(n), "creationDate": 1_700_000_000 + n} for n in range(230)]
    customer = scene.customer("acme", notes=notes)
    for params in ({}, {"limit": 1000}):
        reply = scene.feed("acme", customer, params=params)
        assert [event["text"] for event in json.loads(reply.content)] == [str(n) for n in range(229, 29, -1)]
