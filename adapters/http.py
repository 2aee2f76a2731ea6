"""The shared HTTP client: time-outs, deadline, retry of safe calls, errors as the contract's tree, redaction.

httpx's requests, answers and errors, and a transport of our own, without httpx's client around it: what that does
besides (redirects, cookies, hooks, merging) is not wanted here, and costs a call two thirds of its CPU. A feed makes
eight or nine calls at once; see tests/bench/README.md.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, Required, TypedDict, TypeVar, Unpack
from urllib.parse import urlencode

import httpx
from yarl import URL

from adapters.contract import (
    CallRecord,
    ConnectionCut,
    Observer,
    RemoteError,
    ServerFault,
    TimedOut,
    UnexpectedReply,
    Unreachable,
)
from adapters.deadline import Deadline
from adapters.http_replies import EXCERPT_CHARACTERS, Reply, refusal
from adapters.precedence import give_way
from adapters.reach import refusal_of
from adapters.redaction import Redactor
from adapters.transport import TARGET, TooLarge, Transport
from adapters.upstream import PUBLIC, UpstreamSettings, tls_context

CALL_SECONDS = 30.0
"""The longest one call may take, whatever the deadline allows; but for clients that say otherwise."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_ACCEPTED = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "vainu-gateway"}

T = TypeVar("T")
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class CallOptions(TypedDict, total=False):
    """What `call` and `ask` take besides method and path."""

    action: Required[str]
    """The call's name in logs and metrics."""
    deadline: Required[Deadline]
    safe: Required[bool]
    """Whether the call only reads, or may be repeated: it is then tried once more, if time allows."""
    params: Mapping[str, str | int] | None
    json_body: Any
    form: Mapping[str, str] | None
    content: bytes | AsyncIterable[bytes] | None
    """A stream can be iterated again for a second try, and comes with its Content-Length."""
    headers: Mapping[str, str] | None


class RemoteClient:
    """Calls one remote system; one instance per connection, shared by all its calls.

    `secrets` are redacted from every error. `observe` hears of every call once it ended. `upstream` tells what TLS is
    asked for, and which addresses a name may have.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        *,
        secrets: Iterable[str] = (),
        observe: Observer = lambda _record: None,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 256,
        call_seconds: float = CALL_SECONDS,
        upstream: UpstreamSettings = PUBLIC,
    ) -> None:
        self.system = system
        self._call_seconds = call_seconds
        self.redact = Redactor(secrets)
        self._observe = observe
        self._base_url = base_url.rstrip("/") + "/"
        self._headers = {**_ACCEPTED, **(headers or {})}
        self._transport = Transport(max_connections, tls_context(upstream.tls), refusal_of(base_url, upstream))

    async def call(self, method: Method, path: str, **options: Unpack[CallOptions]) -> Reply:
        """One call; the 2xx reply, or a `RemoteError`.

        A `safe` one is tried once more after a broken connection or a server fault, if time allows.
        """
        return await self.ask(method, path, _as_it_is, repeat_unexpected=False, **options)

    async def ask(
        self,
        method: Method,
        path: str,
        parse: Callable[[Reply], T],
        *,
        repeat_unexpected: bool = True,
        **options: Unpack[CallOptions],
    ) -> T:
        """One call; what `parse` makes of its 2xx reply, or a `RemoteError`.

        A `RemoteError` that `parse` raises is the outcome of the call: where HTTP says nothing, the body does. A
        `safe` call is tried once more also after an `UnexpectedReply`, unless the caller knows a better question.
        """
        action, deadline = options["action"], options["deadline"]
        request = self._request(method, path, options)
        try:
            return await self._once(request, parse, action, deadline)
        except (ConnectionCut, ServerFault, Unreachable, UnexpectedReply) as error:
            if not options["safe"] or (isinstance(error, UnexpectedReply) and not repeat_unexpected):
                raise
            pause = _pause_seconds(error, deadline)
            if deadline.remaining() < 2 * pause:
                raise
        await asyncio.sleep(pause)
        return await self._once(request, parse, action, deadline)

    def _request(self, method: Method, path: str, options: CallOptions) -> httpx.Request:
        url = _url(path if "://" in path else self._base_url + path.lstrip("/"))
        params, form = options.get("params"), options.get("form")
        return httpx.Request(
            method,
            url,
            headers={**(_FORM if form else {}), **self._headers, **(options.get("headers") or {})},
            json=options.get("json_body"),
            # httpx takes four times as long to write a form
            content=urlencode(form).encode() if form else options.get("content"),
            extensions={TARGET: b"%s?%s" % (url.raw_path, _query(params))} if params else {},
        )

    async def _once(self, request: httpx.Request, parse: Callable[[Reply], T], action: str, deadline: Deadline) -> T:
        await give_way()
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            reply = await self._answered(request, action, deadline)
            parsed = parse(reply)
            outcome = "ok"
            return parsed
        except RemoteError as error:
            outcome = error.reason
            error.detail = self.redact(error.detail)
            error.args = (error.detail,)
            raise
        finally:
            self._observe(CallRecord(self.system, action, outcome, time.perf_counter() - started))

    async def _answered(self, request: httpx.Request, action: str, deadline: Deadline) -> Reply:
        seconds = deadline.earlier(self._call_seconds)
        try:
            async with asyncio.timeout(seconds):
                response = await self._transport.handle_async_request(request)
        except TimeoutError:
            raise TimedOut(f"{self.system} ({action}) did not answer within {seconds:.1f} s") from None
        except httpx.HTTPError as error:
            raise self._failure_of(error, f"{self.system} ({action})") from None
        reply = Reply(response.status_code, response.headers.get("content-type", ""), response.content, self.system)
        if not response.is_success:
            raise refusal(reply, response.headers.get("retry-after"), self.redact)
        return reply

    def _failure_of(self, error: httpx.HTTPError, who: str) -> RemoteError:
        """What became of a call that got no whole answer; `who` is the system and the call."""
        if isinstance(error, httpx.ConnectError):
            return Unreachable(f"{who} cannot be reached: {self.redact(str(error))[:EXCERPT_CHARACTERS]}")
        if isinstance(error, httpx.NetworkError):
            return ConnectionCut(f"{who} closed the connection in the middle of the call")
        if isinstance(error, httpx.DecodingError):
            return UnexpectedReply(f"{self.system if isinstance(error, TooLarge) else who} {error}")
        return UnexpectedReply(f"{who} failed: {error}")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()


@lru_cache(maxsize=512)
def _url(address: str) -> httpx.URL:
    """An address without its query. To read one takes httpx as long as all the rest of a call: few differ."""
    return httpx.URL(address)


def _query(params: Mapping[str, str | int]) -> bytes:
    # yarl's is written in C
    return URL.build(query=params).raw_query_string.encode("ascii")


def _as_it_is(reply: Reply) -> Reply:
    return reply


def _pause_seconds(error: RemoteError, deadline: Deadline) -> float:
    """How long to wait before the second try: longer where the remote may have meant "slow down".

    A throttled reply of Apptivo is just one without the expected key (C, phpmt); the same may hold elsewhere.
    """
    longest = min(0.5, max(deadline.remaining() / 5, 0.1)) if isinstance(error, UnexpectedReply) else 0.15
    return longest * random.uniform(0.4, 1.0)  # noqa: S311 - jitter, nothing secret
