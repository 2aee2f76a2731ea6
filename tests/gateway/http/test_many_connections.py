"""Clients like slowhttptest's: thousands of connections, heads and bodies that dribble, answers that nobody reads."""

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.http import occupancy, protocol
from tests.gateway.http.conftest import BODY_SECONDS, World
from tests.gateway.http.problems import problem
from tests.gateway.http.wire import Wire, connected, exchange, request
from tests.harness import AUTH, Gateway, Upstream, configuration, running_gateway, wait_until

LIVE = request("GET", "/health/live")


@contextlib.contextmanager
def opened(url: str, number: int) -> Iterator[list[socket.socket]]:
    """So many connections to the gateway, silent."""
    parts = urlsplit(url)
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=10))
            for _ in range(number)
        ]


def is_cut(opened: socket.socket, more: bytes) -> bool:
    """Whether the gateway has given up a connection, to which this sends on as long as it takes anything."""
    try:
        opened.send(more)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False


def is_alive(url: str) -> bool:
    answer = exchange(url, LIVE)
    return answer is not None and answer.status == 200


@pytest.fixture
def small(upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """A gateway that holds 50 connections, and gives callers as long as it does by default."""
    monkeypatch.setattr(occupancy, "MOST", 50)
    with running_gateway(configuration(upstream.url, tmp_path)) as running:
        yield running


def test_thousands_of_idle_connections(upstream: Upstream, tmp_path: Path) -> None:
    """3,000 silent connections: others are answered at once, and no descriptor runs out."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, before[1]), before[1]))
    try:
        with running_gateway(configuration(upstream.url, tmp_path)) as gateway, opened(gateway.url, 3_000):
            started = time.monotonic()
            assert all(is_alive(gateway.url) for _ in range(20))
            assert time.monotonic() - started < 10
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("sent", [b"", b"GET /health/live HTTP/1.1\r\nHos", LIVE])
def test_the_oldest_idle_ones_make_room(small: Gateway, sent: bytes) -> None:
    """Beyond the bound those go that have been idle for longest: silent, with half a head, or kept alive."""
    with opened(small.url, 80) as many:
        for each in many:
            each.sendall(sent)
        for _ in range(30):
            assert is_alive(small.url)
        gone = 0
        for each in many:
            each.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                try:
                    while each.recv(4_096):
                        pass
                    gone += 1
                except ConnectionResetError:
                    gone += 1
    assert gone >= 30


def test_whoever_is_served_is_never_closed_for_others(small: Gateway, upstream: Upstream) -> None:
    """A request that waits for a slow CRM gets its answer, however many connect meanwhile."""
    upstream.fault("apptivo", "delay", seconds=1)
    with connected(small.url) as waiting:
        waiting.send(request("GET", "/vainu/acme/activities/4711", AUTH))
        wait_until(lambda: upstream.calls("apptivo"), "the request is being served")
        with opened(small.url, 120):
            answer = waiting.answer()
    assert answer is not None
    assert answer.status in (200, 404)


def test_a_process_that_serves_as_many_as_it_can_says_so(small: Gateway, upstream: Upstream) -> None:
    """Where every connection is being served, one more is 503 with Retry-After, as a problem; later it is answered."""
    upstream.fault("apptivo", "delay", seconds=2)
    with opened(small.url, 50) as many:
        for number, each in enumerate(many):
            each.sendall(request("GET", f"/vainu/acme/activities/{4_000 + number}", AUTH))
        time.sleep(0.5)
        answer = exchange(small.url, b"")
        problem(answer, 503)
        assert answer is not None
        assert int(answer.headers["retry-after"]) >= 1
    upstream.heal("apptivo")
    wait_until(lambda: is_alive(small.url), "there is room again")


def test_many_dribbling_heads_hold_up_nobody(world: World) -> None:
    """200 callers who send a byte of a header now and then are cut off in time; others are answered meanwhile."""
    started = time.monotonic()
    with opened(world.gateway.url, 200) as many:
        for each in many:
            each.sendall(b"GET / HTTP/1.1\r\nX: ")
        while time.monotonic() - started < BODY_SECONDS * 2:
            for each in many:
                with contextlib.suppress(OSError):
                    each.sendall(b"a")
            assert is_alive(world.gateway.url)
        for each in many:
            problem(Wire(each).answer(), 408)


def test_a_webhook_that_dribbles_is_cut_off(world: World) -> None:
    """The quick way of CRM webhooks has the same bounds: a body that trickles in is 408 in time."""
    head = b"POST /crm/acme/webhooks HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\n"
    started = time.monotonic()
    with connected(world.gateway.url) as wire:
        wire.send(head)
        while time.monotonic() - started < BODY_SECONDS * 0.8:
            wire.send(b" ")
            time.sleep(BODY_SECONDS / 10)
        problem(wire.answer(), 408)
    assert time.monotonic() - started < BODY_SECONDS + 1


def test_an_answer_that_nobody_reads_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks again and again and reads nothing is cut off: answers do not heap up for ever."""
    monkeypatch.setattr(protocol, "READING_SECONDS", 0.3)
    with connected(world.gateway.url) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        wire.socket.settimeout(5)
        many = request("GET", "/openapi.json") * 50
        wire.socket.setblocking(False)
        wait_until(lambda: is_cut(wire.socket, many), "the connection is given up", seconds=10)
    assert is_alive(world.gateway.url)
