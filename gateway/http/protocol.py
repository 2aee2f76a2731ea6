"""HTTP/1.1 on the socket: uvicorn's parser, with the limits and the refusals that it lacks.

uvicorn by itself waits for half a request for ever, takes headers of any size, and answers what is no HTTP in plain
text. Here a request has `server.body_timeout_seconds` to bring its head and as long again to bring its body, the
head is bounded, and every refusal is a problem with a request id (CONTRACT section 4).
"""

import asyncio
from functools import partial
from http import HTTPStatus
from typing import cast

import httptools
from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.http.envelope import Envelope
from gateway.http.express import Headers
from gateway.http.headers import header
from gateway.http.occupancy import Idling, make_room
from gateway.problems import Problem

MAX_HEAD_BYTES = 65_536
"""Request line and headers together; a JWT of a large organisation has some 16 KiB."""
MAX_HEADERS = 256
READING_SECONDS = 30.0
"""How long a caller may leave an answer unread that is larger than what is kept for it on the way."""
_HELD_SECONDS = 0.05
"""How long a webhook waits for the rest of its body before it goes the way that has time for that."""
_LINGER_SECONDS = 2.0
"""How long a refused caller's bytes are still swallowed: a close with bytes unread would destroy our answer."""


class Protocol(HttpToolsProtocol):
    """One caller's connection."""

    _envelope: Envelope
    _refusal: Problem | None = None
    _is_lingering = False
    _wishes_upgrade = False
    _phase = "head"
    """What is awaited: `head`, `body`, or `""` between requests."""
    _head_bytes = 0
    """What has come while a head was awaited, parsed or not."""
    _chunk_bytes = 0
    """What came last."""
    _message = 0
    _timer: asyncio.TimerHandle | None = None
    _timed: tuple[int, str] = (0, "")
    _reading: asyncio.TimerHandle | None = None
    """How long the caller has left to read what it is sent."""
    _held: tuple[RequestResponseCycle, ASGI3Application] | None = None
    """A webhook whose body is not whole yet."""
    _hold: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._envelope = cast(Envelope, self.config.app)
        if len(self.connections) > self._envelope.most_connections and not make_room(self._others):
            self._refuse(_crowded())
            return
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        for timer in (self._timer, self._reading):
            if timer is not None:
                timer.cancel()

    @property
    def _others(self) -> set[Idling]:
        return cast(set[Idling], self.connections - {self})

    def idle_since(self) -> float | None:
        """When this connection last became idle, on the event loop's clock; None while a request is being served."""
        if self._is_lingering or not (self.cycle is None or self.cycle.response_complete) or self.pipeline:
            return None
        if self.timeout_keep_alive_task is not None:
            return self.timeout_keep_alive_task.when() - self.timeout_keep_alive
        return self._timer.when() - self._envelope.patience() if self._timer is not None else None

    def give_way(self) -> None:
        """Close an idle connection: others want its place."""
        self.transport.abort()

    def pause_writing(self) -> None:
        """An answer is not read: wait for its reader, but not for ever."""
        super().pause_writing()
        self._reading = self.loop.call_later(READING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The answer is being read."""
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def data_received(self, data: bytes) -> None:
        """Parse, within the limits."""
        if self._is_lingering:
            return
        self._chunk_bytes = len(data)
        if self._phase == "head":
            # callbacks tell of whole headers only: a header without end is met here
            self._head_bytes += self._chunk_bytes
        self._unset_keepalive_if_required()
        self._parse(data)
        self._go_on()
        if self._phase == "head" and self._head_bytes > MAX_HEAD_BYTES and not self._is_lingering:
            self._refuse(_head_too_large())
        self._watch()

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._wishes_upgrade:
                self._parse(self._without_upgrade() + data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.send_400_response("")

    def _without_upgrade(self) -> bytes:
        """The head of a request that wishes for another protocol, without the wish, for a fresh parser.

        To pass over the wish is our right (RFC 9110 section 7.8); but the parser takes such a request's body for the
        other protocol's bytes.
        """
        self._wishes_upgrade = False
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        lines += [b"%s: %s" % (name, value) for name, value in self.headers if name != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._message += 1
        if self._phase != "head":
            self._phase, self._head_bytes = "head", 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; behind the body it is a trailer, which is none (RFC 9110 section 6.5.1) and is passed over."""
        if self._phase != "body":
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is there: the application takes over."""
        self._bound_head()
        self._require_host()
        self.expect_100_continue = header(cast(Scope, self.scope), b"expect").lower() == b"100-continue"
        if self.parser.should_upgrade():
            self._wishes_upgrade = any(name == b"upgrade" for name, _value in self.headers)
            if self._wishes_upgrade:
                return
        self._phase = "body"
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there."""
        if self._wishes_upgrade:
            return
        super().on_message_complete()
        self._phase, self._head_bytes = "", 0

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Begin with a request whose turn it is: a webhook goes the quick way, if its body comes at once."""
        if app is not self.app or not self._envelope.express.is_for(cast(Scope, cycle.scope)):
            super()._start_asgi_task(cycle, app)
        elif cycle.more_body:
            self._held = cycle, app
        else:
            self._take(cycle)

    def _go_on(self) -> None:
        """Begin with the webhook that is held once its body is whole, or after a while in the ordinary way."""
        if self._held is None:
            return
        cycle = self._held[0]
        if not cycle.more_body:
            self._release()
            self._take(cycle)
        elif self._hold is None:
            self._hold = self.loop.call_later(_HELD_SECONDS, self._give_up_holding)

    def _give_up_holding(self) -> None:
        if self._held is not None:
            held = self._held
            self._release()
            super()._start_asgi_task(*held)

    def _release(self) -> None:
        self._held = None
        if self._hold is not None:
            self._hold.cancel()
            self._hold = None

    def _take(self, cycle: RequestResponseCycle) -> None:
        body = bytes(cycle.body)
        self._envelope.express.take(cast(Scope, cycle.scope), body, partial(self._answer, cycle))

    def _answer(self, cycle: RequestResponseCycle, status: int, headers: Headers, body: bytes) -> None:
        """Write an answer whole, as `RequestResponseCycle.send` writes one in parts."""
        lines = [STATUS_LINE[status], *(b"%b: %b\r\n" % each for each in cycle.default_headers)]
        lines += [b"%b: %b\r\n" % each for each in headers]
        lines.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        cycle.response_started = cycle.response_complete = True
        if not cycle.disconnected:
            self.transport.write(b"".join((*lines, body)))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or no HTTP within the limits; uvicorn calls this when the parser stops."""
        del msg
        refusal = self._refusal or Problem(400, "not_http", "this is no HTTP/1.1 request; the connection is closed")
        cycle = self.cycle
        if cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started):
            self._refuse(refusal)
        elif not cycle.more_body:
            # a whole request still waits for its answer, which comes first; what follows it is not answered
            cycle.keep_alive = False
            self.flow.pause_reading()
        else:
            self.transport.close()

    def _bound_head(self) -> None:
        is_large = False
        if self._head_bytes + self._chunk_bytes > MAX_HEAD_BYTES:
            # with body or further requests behind it, perhaps
            is_large = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD_BYTES
        if is_large or len(self.headers) > MAX_HEADERS:
            self._refusal = _head_too_large()
            # the parser stops at any exception, and uvicorn then calls send_400_response
            raise ValueError("head too large")

    def _require_host(self) -> None:
        """One Host, as RFC 9112 section 3.2 demands: of two, a proxy before us may have read the other."""
        hosts = [name for name, _value in self.headers].count(b"host")
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            # answered as `_bound_head` is
            raise ValueError("not one Host")

    def _refuse(self, problem: Problem) -> None:
        cycle = self.cycle
        if self.pipeline:
            # earlier requests have no answer yet, and would take this one for theirs
            self.transport.close()
            return
        request_id = None
        if cycle is not None and not cycle.response_complete:
            # the application waits for the rest of this body; it hears that the caller has gone
            request_id = cast(Scope, cycle.scope).get("gateway.request_id")
            cycle.disconnected = True
            cycle.message_event.set()
        request_id, body = self._envelope.access.refused_unread(problem, request_id)
        lines = [
            f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}",
            "content-type: application/problem+json",
            f"content-length: {len(body)}",
            "connection: close",
            f"x-request-id: {request_id}",
            *(f"{name}: {value}" for name, value in problem.headers.items()),
        ]
        self.transport.write("\r\n".join([*lines, "\r\n"]).encode() + body)
        self._is_lingering = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def _watch(self) -> None:
        """Keep one timer for the part of the request that is awaited; bytes that trickle in do not wind it up."""
        awaited = (self._message, self._phase if not self._is_lingering else "")
        if awaited == self._timed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed = awaited
        if awaited[1]:
            self._timer = self.loop.call_later(self._envelope.patience(), self._on_late)

    def _on_late(self) -> None:
        self._timer, self._timed = None, (0, "")
        if self.transport.is_closing():
            return
        answered = self.cycle is None or self.cycle.response_complete
        if not answered:
            # the application itself times the body it reads; and a pipelined request waits through no fault of its own
            self._watch()
        elif self._phase == "head" and self._head_bytes:
            self._refuse(Problem(408, "head_timeout", "the request's headers did not arrive in time"))
        else:
            self.transport.close()


def _crowded() -> Problem:
    detail = "this process serves as many connections as it can; call again later"
    return Problem(503, "too_many_connections", detail, headers={"Retry-After": "1"})


def _head_too_large() -> Problem:
    detail = f"the request line and headers are larger than {MAX_HEAD_BYTES:,} bytes or {MAX_HEADERS} headers"
    return Problem(431, "head_too_large", detail)
