"""Hostile values in paths, queries, headers and bodies: never a 5xx, never a hang, and no harm done."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.http.conftest import World
from tests.gateway.http.problems import unharmed
from tests.gateway.http.wire import connected, exchange, request
from tests.harness import AUTH

FEED = "/vainu/acme/activities/nobody"
EXPORTS = "/vainu/acme/exports"
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.parametrize(
    "segment",
    [
        "%00",
        "%",
        "%zz",
        "%ff%fe",
        "%c3%28",
        "%2e%2e",
        "..",
        "%2F",
        "a%2Fb",
        "%0d%0aSet-Cookie:a=b",
        "%u0041",
        "'%22;--",
        "a" * 40_000,
        *("%F0%9F%92%A9", "%ED%A0%80", "*", "%20", "\xe4", "~", "%25", "{connection}", "gw_", "nobody%00"),
    ],
)
@pytest.mark.parametrize(
    "template",
    [
        "/vainu/acme/activities/{}",
        "/vainu/acme/exports/{}",
        "/vainu/acme/records/{}",
        "/vainu/{}/activities/a",
        "/vainu/{}/records/a",
        "/vainu/{}/exports",
        "/{}",
    ],
)
def test_hostile_path_segments(world: World, template: str, segment: str) -> None:
    """Ids and names of any bytes are refused with a 4xx; none is an error or leaves the path."""
    answer = exchange(world.gateway.url, request("GET", template.replace("{}", segment), AUTH))
    unharmed(world.gateway.url, answer)
    assert answer is not None
    assert 400 <= answer.status < 500


@BOUNDED
@given(text=st.text(min_size=1, max_size=60))
def test_any_text_as_an_id(world: World, text: str) -> None:
    """Any text, percent-encoded, is an id that nobody has."""
    encoded = quote(text.encode("utf-8", "surrogatepass"), safe="")
    for template in ("/vainu/acme/activities/{}", "/vainu/acme/exports/{}"):
        unharmed(world.gateway.url, exchange(world.gateway.url, request("GET", template.replace("{}", encoded), AUTH)))


@BOUNDED
@given(sent=st.binary(min_size=1, max_size=300))
def test_any_bytes(world: World, sent: bytes) -> None:
    """Any bytes at all."""
    with connected(world.gateway.url) as wire:
        wire.send(sent)
        wire.finish()
        unharmed(world.gateway.url, wire.answer(bodiless=sent.startswith(b"HEAD")))


@BOUNDED
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "TRACE"]),
    name=st.text(st.characters(codec="latin-1", exclude_characters="\r\n:"), min_size=1, max_size=30),
    value=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60),
)
def test_any_header(world: World, method: str, name: str, value: str) -> None:
    """Any header beside the right key."""
    with connected(world.gateway.url) as wire:
        wire.send(request(method, FEED, {**AUTH, name: value}) + b"\r\n")
        wire.finish()
        unharmed(world.gateway.url, wire.answer(bodiless=method == "HEAD"))


@BOUNDED
@given(
    name=st.sampled_from(
        [
            "API-Key",
            "Authorization",
            "Content-Type",
            "Content-Length",
            "Transfer-Encoding",
            "X-Forwarded-For",
            "X-Request-ID",
            "If-None-Match",
            "Expect",
            "Cookie",
            "Range",
            "Accept-Encoding",
        ]
    ),
    value=st.text(st.characters(codec="latin-1", exclude_characters="\r\n\x00"), max_size=80),
)
def test_any_value_of_a_header_that_counts(world: World, name: str, value: str) -> None:
    """Headers that the gateway looks at may hold anything."""
    head = request("POST", EXPORTS, {name: value} if name == "API-Key" else {**AUTH, name: value}, b"[]")
    with connected(world.gateway.url) as wire:
        wire.send(head)
        wire.finish()
        unharmed(world.gateway.url, wire.answer())


@BOUNDED
@given(query=st.text(st.characters(codec="latin-1", exclude_characters="\r\n #", min_codepoint=33), max_size=200))
def test_any_query(world: World, query: str) -> None:
    """Any query."""
    for key in ("", "since=", "limit=", "type=", "token=", "id="):
        unharmed(world.gateway.url, exchange(world.gateway.url, request("GET", f"{FEED}?{key}{query}", AUTH)))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "vid", "prospect", "contacts", "leads", "data", "business_id", "country", "website"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@BOUNDED
@given(body=_JSON)
def test_any_json_that_is_no_company(world: World, body: object) -> None:
    """Any JSON as an export: refused, or taken as a company; never an error."""
    sent = json.dumps(body).encode("utf-8", "surrogatepass")
    answer = exchange(world.gateway.url, request("POST", EXPORTS, AUTH, sent))
    assert answer is not None
    unharmed(world.gateway.url, answer)


@pytest.mark.parametrize(
    "query", ["a=b&" * 15_000, "type=note&" * 5_000, "limit=1&" * 5_000, "token=x&" * 5_000, "%" * 30_000]
)
def test_a_flood_of_query_parameters(world: World, query: str) -> None:
    """Tens of thousands of query parameters cost nothing worth speaking of."""
    unharmed(world.gateway.url, exchange(world.gateway.url, request("GET", f"{FEED}?{query}", AUTH), seconds=2))
