"""Hostile bytes over sockets, on the level of HTTP: never a 5xx, never a hang, and the gateway answers afterwards.

No storage or CRM fails in these tests, so that no 5xx at all is documented for them.
"""

import json
import time

import pytest

from tests.gateway.http.conftest import World
from tests.gateway.http.problems import problem, unharmed
from tests.gateway.http.wire import connected, exchange, request
from tests.harness import AUTH, KEY

FEED = "/vainu/acme/activities/nobody"
EXPORTS = "/vainu/acme/exports"


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"get /health/live HTTP/1.1\r\n\r\n",
        b"FOO /health/live HTTP/1.1\r\n\r\n",
        b"GET health HTTP/1.1\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: g\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost g\r\n\r\n",
        b"GET / HTTP/1.1\r\n: g\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\x00B: g\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nA : g\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(world: World, sent: bytes) -> None:
    """Garbage is answered with a 4xx problem, or the connection ends; at once, not after a time-out."""
    with connected(world.gateway.url) as wire:
        wire.send(sent)
        wire.finish()
        unharmed(world.gateway.url, wire.answer())


def test_garbage_is_a_400_problem(world: World) -> None:
    """What is no HTTP gets the same kind of answer as any other refusal."""
    problem(exchange(world.gateway.url, b"this is no http\r\n\r\n"), 400)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health/live HTTP/1.1\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nA: " + b"a" * 8_000_000,
        b"GET /health/live HTTP/1.1\r\n" + b"a" * 8_000_000,
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /health/live?" + b"a=b&" * 50_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % number for number in range(1_000)) + b"\r\n",
    ],
    ids=["a header", "a header without end", "a name without end", "a path", "a query", "many headers"],
)
def test_a_huge_head_is_431(world: World, head: bytes) -> None:
    """A head over 64 KiB or 256 headers is 431, and the caller gets to read it although it still sends."""
    answer = exchange(world.gateway.url, head)
    problem(answer, 431)
    unharmed(world.gateway.url, answer)


def test_a_head_below_the_limit_is_read(world: World) -> None:
    """A long JWT or cookie is no attack: 60,000 bytes of headers are read."""
    answer = exchange(
        world.gateway.url, request("GET", "/health/live", {f"A{number}": "a" * 6_000 for number in range(10)})
    )
    assert answer is not None
    assert answer.status == 200


def test_pipelined_requests_are_answered_in_order(world: World) -> None:
    """Many requests in one packet get their answers in their order, each with its own request id."""
    paths = ["/health/live", "/nothing", FEED, "/health/live"] * 5
    sent = b"".join(request("GET", path, {**AUTH, "X-Request-ID": f"id-{index}"}) for index, path in enumerate(paths))
    with connected(world.gateway.url) as wire:
        wire.send(sent)
        answers = [wire.answer() for _ in paths]
    assert [answer and answer.status for answer in answers] == [200, 404, 404, 200] * 5
    assert [answer and answer.headers["x-request-id"] for answer in answers] == [f"id-{at}" for at in range(len(paths))]


def test_garbage_behind_a_request_does_not_take_its_answer(world: World) -> None:
    """A request that is followed by garbage in the same packet gets its own answer, not the refusal of the garbage."""
    with connected(world.gateway.url) as wire:
        wire.send(request("GET", FEED, {**AUTH, "X-Request-ID": "first"}) + b"\x00garbage\r\n\r\n")
        first = wire.answer()
        problem(first, 404)
        assert first is not None
        assert first.headers["x-request-id"] == "first"
        following = wire.answer()
        assert following is None or following.status == 400


def test_http_1_0_is_answered_and_closed(world: World) -> None:
    """HTTP/1.0 is served, without chunks, and the connection ends."""
    with connected(world.gateway.url) as wire:
        wire.send(f"GET {FEED} HTTP/1.0\r\nAPI-Key: {KEY}\r\n\r\n".encode())
        problem(wire.answer(), 404)
        assert wire.is_closed()


@pytest.mark.parametrize("upgrade", ["h2c", "websocket", "TLS/1.0"])
def test_an_upgrade_is_not_taken_up(world: World, upgrade: str) -> None:
    """A wish for another protocol is passed over: the request is answered as HTTP/1.1, and the next one too."""
    wishes = {
        **AUTH,
        "Connection": "Upgrade",
        "Upgrade": upgrade,
        "Sec-WebSocket-Key": "YQ==",
        "Sec-WebSocket-Version": "13",
    }
    with connected(world.gateway.url) as wire:
        for _ in range(2):
            wire.send(request("GET", FEED, wishes))
            problem(wire.answer(), 404)
            whole = request("POST", EXPORTS, wishes, b"{}")
            for part in (whole, whole[:50], whole[50:-1], whole[-1:]):
                wire.send(part)
                time.sleep(0.01)
            problem(wire.answer(), 422)
            problem(wire.answer(), 422)


@pytest.mark.parametrize(
    "chunks",
    [
        b'5\r\n{"a"',
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}X",
        b"-1\r\n{}\r\n",
        b"ffffffffffffffffff\r\n{}",
        b"2;" + b"x" * 100_000,
    ],
)
def test_broken_chunks(world: World, chunks: bytes) -> None:
    """A chunked body that is broken, or breaks off, is a 4xx problem or the end of the connection."""
    head = f"POST {EXPORTS} HTTP/1.1\r\nHost: g\r\nAPI-Key: {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with connected(world.gateway.url) as wire:
        wire.send(head + chunks)
        unharmed(world.gateway.url, wire.answer())


def test_a_caller_that_goes_away_in_its_body(world: World) -> None:
    """A connection that ends in the middle of the body leaves nothing behind."""
    with connected(world.gateway.url) as wire:
        wire.send(request("POST", EXPORTS, AUTH, b'{"company_name": "Half')[:-5])
    unharmed(world.gateway.url, None)


@pytest.mark.parametrize("host", ["", "[", "evil.example.com", "a b", "x" * 5_000, "g\x7f", "[::1", "h:99999999"])
@pytest.mark.parametrize("path", ["/health/live", FEED, "/vainu/acme/records/123", f"{EXPORTS}/", "/nothing"])
def test_a_hostile_host_header(world: World, host: str, path: str) -> None:
    """Nothing is built from the Host header: not an error, not a redirect."""
    answer = exchange(
        world.gateway.url, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAPI-Key: {KEY}\r\n\r\n".encode("latin-1")
    )
    unharmed(world.gateway.url, answer)
    assert answer is None or "evil" not in answer.headers.get("location", "")


@pytest.mark.parametrize("host", ["[", "[::1", "a b"])
def test_an_export_with_a_hostile_host_header(world: World, host: str) -> None:
    """An export does not look at the Host header either."""
    body = json.dumps({"company_name": "Hostile Host Oy"}).encode()
    sent = request("POST", f"{EXPORTS}?a=b", AUTH, body).replace(b"Host: gateway", f"Host: {host}".encode())
    answer = exchange(world.gateway.url, sent)
    assert answer is not None
    assert answer.status in (200, 201, 400)
