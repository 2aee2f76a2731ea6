"""The shared HTTP client against real sockets: every way an answer can go wrong, and what is sent twice."""

import asyncio
import contextlib
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import adapters.transport
from adapters.contract import (
    BadCredentials,
    CallRecord,
    ConnectionCut,
    NotFound,
    Refused,
    RemoteError,
    ServerFault,
    Throttled,
    TimedOut,
    UnexpectedReply,
    Unreachable,
)
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from adapters.http_replies import Reply, retry_after_seconds

SECRET = "s3cret/key=of the firm"


@dataclass
class Wire:
    """A server that answers with raw bytes, one after the other, the last again and again; it notes what it got."""

    answers: list[bytes | float]
    """Bytes are sent and the connection closed if they end so; a number is a silence of as many seconds."""
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    arrived: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)
    _served: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                self.requests.append(head)
                self.arrived.put_nowait(head)
                answer = self.answers[min(self._served, len(self.answers) - 1)]
                self._served += 1
                if isinstance(answer, float):
                    await asyncio.sleep(answer)
                    return
                writer.write(answer)
                await writer.drain()
                if b"Connection: keep-alive" not in answer:
                    return
        except ConnectionError:
            return


async def _head(reader: asyncio.StreamReader) -> bytes:
    """A request with its body; b"" at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return head + await reader.readexactly(int(line.partition(b":")[2]))
    return head


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve connections on a free port; gives the URL, and ends them all at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.ensure_future(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def wire(*answers: bytes | float, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    server = Wire(list(answers))
    async with listening(server.serve, tls) as server.url:
        yield server


async def meet(handler: Handler, seconds: float) -> Any:
    """What one call to this server gives."""
    async with listening(handler) as url:
        client = RemoteClient("remote", url)
        try:
            return await call(seconds=seconds)(client, None)
        finally:
            await client.aclose()


def answer(status: str = "200 OK", body: bytes = b"{}", *headers: str, keep: bool = False) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    lines.append(f"Connection: {'keep-alive' if keep else 'close'}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(
    act: Callable[[RemoteClient, Wire], Awaitable[Any]],
    *answers: bytes | float,
    seen: list[CallRecord] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Any:
    """What `act` returns or raises, with a client of a server that gives these answers."""

    async def whole() -> Any:
        async with wire(*answers, tls=tls) as server:
            records = seen if seen is not None else []
            client = RemoteClient("remote", server.url, secrets=[SECRET], observe=records.append)
            try:
                return await act(client, server)
            finally:
                await client.aclose()

    return asyncio.run(whole())


def call(safe: bool = False, seconds: float = 5, method: Any = "POST", **options: Any) -> Any:
    """An `act` that makes one call."""
    return lambda client, _server: client.call(
        method, "path", action="act", deadline=Deadline.after(seconds), safe=safe, **options
    )


def failure_of(act: Any, *answers: bytes | float, **options: Any) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        run(act, *answers, **options)
    return caught.value


@pytest.mark.parametrize(
    ("status", "error", "told"),
    [
        ("400 Bad Request", Refused, 400),
        ("401 Unauthorized", BadCredentials, 401),
        ("403 Forbidden", BadCredentials, 403),
        ("404 Not Found", NotFound, 404),
        ("409 Conflict", Refused, 409),
        ("410 Gone", NotFound, 410),
        ("408 Request Timeout", ServerFault, None),
        ("425 Too Early", ServerFault, None),
        ("429 Too Many Requests", Throttled, None),
        ("500 Internal Server Error", ServerFault, None),
        ("503 Service Unavailable", ServerFault, None),
        ("302 Found", UnexpectedReply, None),
        ("304 Not Modified", UnexpectedReply, None),
    ],
)
def test_each_status_has_its_error(status: str, error: type[RemoteError], told: int | None) -> None:
    """The error is exactly that of the contract's tree; a refusal carries the status of the answer."""
    body = b"" if status.startswith("304") else b'{"why": "because"}'
    failure = failure_of(call(), answer(status, body, "Location: http://127.0.0.1:9/elsewhere"))
    assert type(failure) is error
    assert getattr(failure, "status", None) == told
    assert failure.detail.startswith(f"remote answered {status[:3]}")


def test_a_redirect_is_not_followed() -> None:
    """A key must not travel to wherever an answer points: the server is asked once, and not elsewhere."""

    async def act(client: RemoteClient, server: Wire) -> int:
        with pytest.raises(UnexpectedReply, match="307"):
            await call()(client, server)
        return len(server.requests)

    assert run(act, answer("307 Temporary Redirect", b"", "Location: /path")) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("0", 0), ("soon", None), ("-1", None), ("", None), ("9" * 30, 999_999_999)]
)
def test_retry_after_in_seconds_is_carried(header: str, seconds: float | None) -> None:
    """What the remote asks for is told to whoever plans the next try; nonsense counts as nothing."""
    assert failure_of(call(), answer("429 Slow", b"", f"Retry-After: {header}")).retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    """An HTTP date is turned into seconds from now; one in the past is zero."""
    now = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
    assert retry_after_seconds(format_datetime(now + timedelta(seconds=90), usegmt=True), now) == 90
    assert retry_after_seconds(format_datetime(now - timedelta(days=1), usegmt=True), now) == 0
    assert retry_after_seconds("Sun, 01 Mar 2026 12:00:05", now) == 5
    assert retry_after_seconds(None, now) is None
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert failure_of(call(), answer("503 Down", b"", f"Retry-After: {at}")).retry_after == pytest.approx(60, abs=5)


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    """Nothing was sent, so the outcome of a write is known; the detail says where and why."""

    async def act(_client: RemoteClient, _server: Wire) -> None:
        elsewhere = RemoteClient("remote", "http://127.0.0.1:9")
        try:
            await call()(elsewhere, None)
        finally:
            await elsewhere.aclose()

    failure = failure_of(act, answer())
    assert type(failure) is Unreachable
    assert failure.outcome_known
    assert failure.detail.endswith("cannot be reached: 127.0.0.1:9: Connection refused")


def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    """As a refused port: nothing was sent."""

    async def act(_client: RemoteClient, _server: Wire) -> None:
        elsewhere = RemoteClient("remote", "http://nobody.invalid")
        try:
            await call()(elsewhere, None)
        finally:
            await elsewhere.aclose()

    assert type(failure_of(act, answer())) is Unreachable


def test_a_server_whose_certificate_nobody_vouches_for_is_unreachable(tmp_path: Path) -> None:
    """TLS is verified; the connection ends before a byte of the request."""
    tls = _self_signed(tmp_path)

    async def act(client: RemoteClient, server: Wire) -> RemoteError:
        with pytest.raises(Unreachable) as caught:
            await call()(client, server)
        assert server.requests == []
        return caught.value

    assert "certificate" in run(act, answer(), tls=tls).detail.lower()


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(key.private_bytes(*form) + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("beginning", [b"", answer(body=b"x" * 100)[:-50]])
def test_a_server_that_hangs_is_timed_out_by_the_deadline(beginning: bytes) -> None:
    """Whether it says nothing or stops in the middle; a write may have happened."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        writer.write(beginning)
        await reader.read()

    started = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        asyncio.run(meet(hang, 0.2))
    assert time.monotonic() - started < 2
    assert not caught.value.outcome_known


def test_a_slow_answer_within_the_deadline_is_waited_for() -> None:
    """Nothing but the deadline ends a call: not httpx's own five seconds of silence."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _head(reader)
        await asyncio.sleep(5.3)
        writer.write(answer(body=b"[1]"))

    assert asyncio.run(meet(slow, 20)).json() == [1]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(b"", ConnectionCut, id="no answer at all"),
        pytest.param(answer(body=b'{"a": 1}')[:-3], ConnectionCut, id="body shorter than declared"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n", ConnectionCut, id="chunks cut"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", ConnectionCut, id="head cut"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", UnexpectedReply, id="no HTTP"),
        pytest.param(answer("200 OK", b"no gzip", "Content-Encoding: gzip"), UnexpectedReply, id="garbage gzip"),
    ],
)
def test_a_broken_answer_has_its_error(raw: bytes, error: type[RemoteError]) -> None:
    """None is taken for a good answer, and in none is the outcome of a write known."""
    failure = failure_of(call(), raw)
    assert type(failure) is error
    assert not failure.outcome_known


@pytest.mark.parametrize(
    "raw",
    [
        answer("200 OK", gzip.compress(b'{"a": [1, 2]}'), "Content-Encoding: gzip"),
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n8\r\n [1, 2]}\r\n0\r\n\r\n',
        b'HTTP/1.0 200 OK\r\n\r\n{"a": [1, 2]}',
    ],
    ids=["gzip", "chunked", "until the connection closes"],
)
def test_an_answer_is_read_in_every_transfer_form(raw: bytes) -> None:
    """Compressed, in chunks, or without a length."""
    assert run(call(), raw).json() == {"a": [1, 2]}


def test_an_answer_that_is_too_large_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading stops at the limit; a small body that expands counts by its expanded size."""
    monkeypatch.setattr(adapters.transport, "MAX_REPLY_BYTES", 10_000)
    bomb = answer("200 OK", gzip.compress(b" " * 1_000_000), "Content-Encoding: gzip")
    for raw in (answer(body=b"x" * 20_000), bomb):
        assert "more than 10,000 bytes" in failure_of(call(), raw).detail
    assert len(run(call(), answer(body=b"x" * 10_000)).content) == 10_000


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff", b"[" * 100_000, b"NaN,"])
def test_a_body_that_is_no_json_is_an_unexpected_reply(body: bytes) -> None:
    """The error names the type and the size of the body, never the body."""
    reply = run(call(), answer(body=body))
    with pytest.raises(UnexpectedReply, match=rf"application/json \({len(body)} bytes\), expected JSON"):
        reply.json()


def kept_then_closed(method: str, safe: bool, expected: int) -> Any:
    """Two calls on one kept connection, which the server closes as the second request arrives."""

    async def act(client: RemoteClient, server: Wire) -> None:
        await call(method=method, safe=safe, json_body={"n": 1})(client, server)
        try:
            await call(method=method, safe=safe, json_body={"n": 2})(client, server)
        except ConnectionCut:
            assert not safe
        else:
            assert safe
        assert sum(b'{"n":2}' in request for request in server.requests) == expected

    return act


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_is_not_sent_twice_when_a_kept_connection_breaks(method: str) -> None:
    """The server may have done it before it closed: only a `safe` call may be sent again."""
    run(kept_then_closed(method, False, 1), answer(keep=True), b"", answer())


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_safe_call_is_sent_again_when_a_kept_connection_breaks(method: str) -> None:
    """Reads survive a server that closes idle connections."""
    run(kept_then_closed(method, True, 2), answer(keep=True), b"", answer())


@pytest.mark.parametrize(
    ("first", "tries"),
    [
        (answer("500 Broken"), 2),
        (answer("503 Down"), 2),
        (b"", 2),
        (answer("429 Slow down"), 1),
        (answer("404 Not Found"), 1),
        (answer("400 Bad"), 1),
    ],
)
def test_a_safe_call_is_tried_twice_at_most(first: bytes, tries: int) -> None:
    """After a break or a server fault once more; after a refusal, or a plea to slow down, never."""
    seen: list[CallRecord] = []
    failure_of(call(safe=True), first, seen=seen)
    assert len(seen) == tries
    seen.clear()
    failure_of(call(safe=False), first, seen=seen)
    assert len(seen) == 1


def test_a_second_try_needs_time() -> None:
    """With the deadline at hand the first error is the answer."""
    seen: list[CallRecord] = []
    failure_of(call(safe=True, seconds=0.05), answer("500 Broken"), seen=seen)
    assert len(seen) == 1


def _number(reply: Reply) -> int:
    found = reply.json()
    if isinstance(found, dict):
        raise BadCredentials("the body says FAILURE: Invalid Key")
    if not isinstance(found, int):
        raise UnexpectedReply(f"expected a number, got {SECRET}")
    return found


def asking(safe: bool, **options: Any) -> Any:
    return lambda client, _server: client.ask(
        "POST", "path", _number, action="act", deadline=Deadline.after(5), safe=safe, **options
    )


def test_what_the_body_says_is_the_outcome_of_the_call() -> None:
    """A 200 with a failure in its body counts as that failure for metrics and health."""
    seen: list[CallRecord] = []
    failure_of(asking(True), answer(body=b'{"status": "FAILURE"}'), seen=seen)
    assert [(record.system, record.action, record.outcome) for record in seen] == [("remote", "act", "credentials")]
    seen.clear()
    assert run(asking(True), answer(body=b"7"), seen=seen) == 7
    assert [record.outcome for record in seen] == ["ok"]


def test_a_safe_call_that_is_not_understood_is_asked_once_more() -> None:
    """The second answer counts; both tries are observed."""
    seen: list[CallRecord] = []
    assert run(asking(True), answer(body=b"<html>"), answer(body=b"7"), seen=seen) == 7
    assert [record.outcome for record in seen] == ["unexpected_reply", "ok"]


@pytest.mark.parametrize("options", [{"safe": False}, {"safe": True, "repeat_unexpected": False}])
def test_a_call_that_is_not_understood_is_not_repeated_unless_it_may(options: dict[str, Any]) -> None:
    """A write may have happened; and some callers know a better second question."""
    seen: list[CallRecord] = []
    assert type(failure_of(asking(**options), answer(body=b"<html>"), seen=seen)) is UnexpectedReply
    assert len(seen) == 1


def test_secrets_are_redacted_wherever_the_remote_says_them() -> None:
    """In the body of a refusal, and in what a reader of a good answer makes of it."""
    echo = answer("400 Bad", f"your key {SECRET} is wrong".encode())
    assert failure_of(call(), echo).detail == "remote answered 400: your key [redacted] is wrong"
    failure = failure_of(asking(False), answer(body=b"[]"))
    assert (failure.detail, str(failure)) == ("expected a number, got [redacted]",) * 2


def test_a_refusals_body_is_shown_in_part_and_without_markup() -> None:
    """One line of at most 200 characters; a page of HTML is only called one."""
    long = failure_of(call(), answer("400 Bad", b"word \r\n" * 100)).detail
    assert "\n" not in long
    assert len(long) < 250
    page = failure_of(call(), answer("502 Bad", b"  <!DOCTYPE html><h1>Oops</h1>"))
    assert page.detail == "remote answered 502: an HTML page"


def test_a_cancelled_call_leaves_the_client_usable() -> None:
    """The connection of a call that was given up is not reused; more of them than the pool holds do no harm."""
    seen: list[CallRecord] = []

    async def whole() -> Any:
        async with wire(*[30.0] * 4, answer(body=b"[1]")) as server:
            client = RemoteClient("remote", server.url, observe=seen.append, max_connections=2)
            for _ in range(4):
                task = asyncio.create_task(call()(client, server))
                await server.arrived.get()
                task.cancel()
                await asyncio.wait([task])
            reply = await call()(client, server)
            await client.aclose()
            return reply.json()

    assert asyncio.run(whole()) == [1]
    assert [record.outcome for record in seen] == ["cancelled"] * 4 + ["ok"]


def test_query_values_arrive_as_they_were() -> None:
    """Nested `=` and whatever else a value holds comes out of the server's parser unchanged."""
    value = "number=CI 1+1%2B&a=b;c/ä?#'\"€"

    async def act(client: RemoteClient, server: Wire) -> str:
        await call(method="GET", params={"identifier": value, "n": 5})(client, server)
        return server.requests[0].split(b" ")[1].decode("ascii")

    target = run(act, answer())
    assert dict(parse_qsl(urlsplit(target).query)) == {"identifier": value, "n": "5"}
