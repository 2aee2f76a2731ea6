"""Limits of rate, failed sign-ins, size and time, and what the CRM's faults look like from outside."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.vainu.samples import samples
from tests.gateway.http.conftest import BODY_SECONDS, MAX_BODY, World
from tests.gateway.http.problems import problem
from tests.gateway.http.wire import connected, request
from tests.harness import (
    AUTH,
    KEY,
    OPERATOR,
    Gateway,
    Upstream,
    client,
    configuration,
    running_gateway,
    running_upstream,
)

FEED = "/vainu/acme/activities/nobody"
EXPORTS = "/vainu/acme/exports"


def waits(response: httpx.Response, status: int) -> int:
    """A refusal that says when to come again."""
    problem(response, status)
    seconds = int(response.headers["retry-after"])
    assert seconds >= 1
    return seconds


@pytest.fixture(scope="module")
def upstreams() -> Iterator[Upstream]:
    with running_upstream() as running:
        yield running


def gateway_with(upstream: Upstream, folder: Path, **changes: Any) -> Any:
    return running_gateway(configuration(upstream.url, folder, **changes))


def test_a_caller_over_its_rate_waits(upstreams: Upstream, tmp_path: Path) -> None:
    """Above requests_per_second a caller gets 429 with Retry-After; another caller and the probes do not."""
    auth = {"api_keys": [KEY, "another-key-for-tests"]}
    with gateway_with(
        upstreams, tmp_path, server={"requests_per_second": 3}, connections={"acme": {"auth": auth}}
    ) as gateway:
        answers = [gateway.http.get(f"{FEED}?limit=0") for _ in range(8)]
        other = gateway.http.get(f"{FEED}?limit=0", headers={"API-Key": "another-key-for-tests"})
        probe = gateway.http.get("/health/live")
    assert [answer.status_code for answer in answers[:3]] == [422, 422, 422]
    assert waits(answers[-1], 429) == 1
    assert (other.status_code, probe.status_code) == (422, 200)


def test_repeated_failed_sign_ins_make_the_address_wait(upstreams: Upstream, tmp_path: Path) -> None:
    """After failed_signins_per_minute the address gets 429, also with the right key, at every door with a lock."""
    with gateway_with(upstreams, tmp_path, server={"failed_signins_per_minute": 3}) as gateway:
        before = gateway.http.get(f"{FEED}?limit=0")
        wrong = [gateway.http.get(FEED, headers={"API-Key": "wrong"}) for _ in range(5)]
        right = gateway.http.get(FEED)
        unknown = gateway.http.get("/vainu/nobody/activities/a")
        operator = gateway.http.get("/metrics", headers=OPERATOR)
        probes = [gateway.http.get(path) for path in ("/health/ready", "/vainu/acme/records/1")]
    assert before.status_code == 422
    assert [answer.status_code for answer in wrong] == [401, 401, 401, 429, 429]
    for answer in (wrong[-1], right, unknown, operator):
        assert 1 <= waits(answer, 429) <= 60
    assert [answer.status_code for answer in probes] == [200, 302]


def test_failed_sign_ins_count_by_the_address_that_a_trusted_proxy_tells(upstreams: Upstream, tmp_path: Path) -> None:
    """Behind trusted proxies each caller behind them counts alone; what a caller writes itself is not believed."""
    server = {"failed_signins_per_minute": 2, "trusted_proxies": ["127.0.0.0/8"]}
    with gateway_with(upstreams, tmp_path, server=server) as gateway:

        def status(key: str, forwarded: str) -> int:
            return gateway.http.get(
                f"{FEED}?limit=0", headers={"API-Key": key, "X-Forwarded-For": forwarded}
            ).status_code

        guessing = [status("wrong", f"198.51.100.{number}, 203.0.113.7") for number in range(4)]
        victim = status(KEY, "203.0.113.7")
        neighbour = status(KEY, "203.0.113.8")
    assert guessing == [401, 401, 429, 429]
    assert (victim, neighbour) == (429, 422)


def test_whoever_needs_no_credentials_is_limited_by_address(upstreams: Upstream, tmp_path: Path) -> None:
    """Links to the CRM's pages, which anybody may ask for, have the caller's rate by address; probes have none."""
    limited = gateway_with(upstreams, tmp_path, server={"requests_per_second": 3})
    with limited as gateway, client(gateway.url, headers={}) as anybody:
        answers = [anybody.get("/vainu/acme/records/4711") for _ in range(8)]
        probes = [anybody.get("/health/live").status_code for _ in range(8)]
    assert [answer.status_code for answer in answers[:3]] == [302] * 3
    assert waits(answers[-1], 429) == 1
    assert probes == [200] * 8


def test_forwarded_addresses_mean_nothing_without_trusted_proxies(upstreams: Upstream, tmp_path: Path) -> None:
    """Without trusted_proxies a guesser cannot change its address by a header."""
    with gateway_with(upstreams, tmp_path, server={"failed_signins_per_minute": 2}) as gateway:
        statuses = [
            gateway.http.get(FEED, headers={"API-Key": "wrong", "X-Forwarded-For": f"203.0.113.{number}"}).status_code
            for number in range(4)
        ]
    assert statuses == [401, 401, 429, 429]


@pytest.mark.parametrize("trickles", [False, True])
@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_arrive_is_408(world: World, framing: str, trickles: bool) -> None:
    """A body that stops, or trickles in, is 408 in time, and the connection is closed."""
    head = f"POST {EXPORTS} HTTP/1.1\r\nHost: gateway\r\nAPI-Key: {KEY}\r\n{framing}\r\n\r\n".encode()
    started = time.monotonic()
    with connected(world.gateway.url) as wire:
        wire.send(head + (b"5\r\n{    \r\n" if "chunked" in framing else b"{"))
        while trickles and time.monotonic() < started + BODY_SECONDS * 0.9:
            time.sleep(BODY_SECONDS / 8)
            wire.send(b"1\r\n \r\n" if "chunked" in framing else b" ")
        answer = wire.answer()
        problem(answer, 408)
        assert wire.is_closed()
    assert BODY_SECONDS * 0.9 < time.monotonic() - started < BODY_SECONDS + 1


def test_a_declared_size_is_refused_before_the_body_comes(world: World) -> None:
    """A Content-Length over the limit is 413 at once; with Expect: 100-continue nothing is asked for first."""
    for expect in ("", "Expect: 100-continue\r\n"):
        head = f"POST {EXPORTS} HTTP/1.1\r\nHost: g\r\nAPI-Key: {KEY}\r\n{expect}Content-Length: {MAX_BODY + 1}\r\n\r\n"
        with connected(world.gateway.url) as wire:
            wire.send(head.encode())
            answer = wire.answer()
        problem(answer, 413)


def test_a_body_is_asked_for_by_100_continue(world: World) -> None:
    """Expect: 100-continue with a body of the allowed size is answered so, then the body is read."""
    head = f"POST {EXPORTS} HTTP/1.1\r\nHost: g\r\nAPI-Key: {KEY}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with connected(world.gateway.url) as wire:
        wire.send(head.encode())
        while b"\r\n\r\n" not in wire.received:
            wire.received += wire.socket.recv(100)
        assert wire.received.startswith(b"HTTP/1.1 100 Continue\r\n")
        wire.send(b"{}")
        problem(wire.answer(), 422)


def test_an_endless_chunked_body_is_413_and_then_cut(world: World) -> None:
    """Who sends without end is told 413 when the limit is passed, and cut off soon after."""
    head = f"POST {EXPORTS} HTTP/1.1\r\nHost: g\r\nAPI-Key: {KEY}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with connected(world.gateway.url) as wire:
        wire.send(head)
        started = time.monotonic()
        while time.monotonic() < started + 3 * BODY_SECONDS:
            wire.send(b"1000\r\n" + b"a" * 4_096 + b"\r\n")
            time.sleep(0.02)
        problem(wire.answer(), 413)
        assert wire.is_closed()


@pytest.mark.parametrize("sent", [b"GET /health/live HTTP/1.1\r\nHost: g", b"G", b"GET / HTTP/1.1\r\nA: b\r\n"])
def test_a_head_that_does_not_arrive_is_408(world: World, sent: bytes) -> None:
    """Half a request line or half the headers are 408 in time; nothing at all is a silent close."""
    started = time.monotonic()
    with connected(world.gateway.url) as wire, connected(world.gateway.url) as silent:
        wire.send(sent)
        problem(wire.answer(), 408)
        assert silent.is_closed()
    assert time.monotonic() - started < BODY_SECONDS + 1


def test_a_refused_body_does_not_become_the_next_request(world: World) -> None:
    """The body of a refused request is swallowed: bytes in it that look like a request are not answered."""
    inner = request("GET", "/health/live")
    with connected(world.gateway.url) as wire:
        wire.send(request("POST", EXPORTS, {"API-Key": "wrong"}, inner) + request("GET", "/nothing"))
        problem(wire.answer(), 401)
        problem(wire.answer(), 404)


@pytest.mark.parametrize(("fault", "status"), [("500", 502), ("html", 502), ("nonsense", 502), ("delay", 504)])
def test_a_feed_whose_crm_fails(upstreams: Upstream, tmp_path: Path, fault: str, status: int) -> None:
    """A CRM that breaks is 502, one that does not answer within the budget is 504; in time."""
    with gateway_with(upstreams, tmp_path, connections={"acme": {"feed": {"budget_ms": 400}}}) as gateway:
        upstreams.fault("apptivo", fault, seconds=3)
        try:
            started = time.monotonic()
            problem(gateway.feed("acme", "12345"), status)
            assert time.monotonic() - started < 1.0
        finally:
            upstreams.heal("apptivo")


def test_an_export_that_is_late_is_504(upstreams: Upstream, tmp_path: Path) -> None:
    """With when_slow = "fail" an export that is not finished within the budget is 504."""
    export = {"budget_ms": 300, "when_slow": "fail"}
    with gateway_with(upstreams, tmp_path, connections={"acme": {"export": export}}) as gateway:
        upstreams.fault("apptivo", "delay", seconds=2)
        try:
            problem(gateway.push("acme", samples()["samlink"].push_body()), 504)
        finally:
            upstreams.heal("apptivo")


def test_an_export_that_the_crm_refuses_is_502(upstreams: Upstream, tmp_path: Path) -> None:
    """Credentials that the CRM does not take are 502 with its reason, and without the credentials."""
    secret = "wrong-crm-key-0123456789"
    with gateway_with(upstreams, tmp_path, connections={"acme": {"apptivo": {"api_key": secret}}}) as gateway:
        answer = gateway.push("acme", samples()["samlink"].push_body())
    content = problem(answer, 502)
    assert secret not in answer.text
    assert content["export_id"].startswith("exp_")


def test_an_export_while_draining_is_503(upstreams: Upstream, tmp_path: Path) -> None:
    """A gateway that goes down takes no new work, and says when to come again."""
    before = upstreams.calls("apptivo")
    with gateway_with(upstreams, tmp_path) as gateway:
        assert gateway.service is not None
        gateway.service.begin_drain()
        waits(gateway.push("acme", samples()["samlink"].push_body()), 503)
        waits(gateway.http.post("/vainu/acme/webhooks", json={}), 503)
    assert upstreams.calls("apptivo") == before


def test_an_unreachable_token_issuer_is_503(upstreams: Upstream, tmp_path: Path, token: Any) -> None:
    """While the issuer's keys cannot be had a JWT is 503, not 401: the token may be good."""
    jwt = {"issuer": "https://idp.example.com/", "audience": "gateway", "jwks_url": "http://127.0.0.1:9/jwks.json"}
    with gateway_with(upstreams, tmp_path, connections={"acme": {"auth": {"jwt": jwt}}}) as gateway:
        waits(gateway.http.get(FEED, headers={"API-Key": "x", "Authorization": f"Bearer {token()}"}), 503)
        assert gateway.http.get(f"{FEED}?limit=0", headers=AUTH).status_code == 422


def test_a_defect_of_ours_is_a_plain_500(gateway: Gateway) -> None:
    """An exception that nobody foresaw is a problem with the request id, without a traceback."""
    assert gateway.service is not None
    del gateway.service.feeds
    content = problem(gateway.feed("acme", "12345"), 500)
    assert "feeds" not in json.dumps(content)


def test_the_health_probes_answer_without_credentials(world: World) -> None:
    """Probes need no key."""
    with client(world.gateway.url, headers={}) as http:
        assert [http.get(path).status_code for path in ("/health/live", "/health/ready")] == [200, 200]
