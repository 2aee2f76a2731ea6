"""The shared HTTP client: time-outs, deadline, retry of safe calls, errors as the contract's tree, redaction.

aiohttp, called directly: a call costs 80 µs of CPU, through httpx's interface above it 310, and with httpx's own
transport 1,700. A feed makes eight or nine calls at once; see tests/bench/README.md.
"""

import asyncio
import json
import random
import ssl
import time
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple, Required, TypedDict, TypeVar, Unpack
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from adapters.contract import (
    CallRecord,
    ConnectionCut,
    Observer,
    RemoteError,
    ServerFault,
    UnexpectedReply,
    Unreachable,
)
from adapters.deadline import Deadline
from adapters.http_failures import failure_of
from adapters.http_replies import Reply, refusal
from adapters.precedence import give_way
from adapters.reach import GuardedResolver, Refusing, refusal_of
from adapters.redaction import Redactor
from adapters.upstream import PUBLIC, UpstreamSettings, tls_context

CALL_SECONDS = 30.0
"""The longest one call may take, whatever the deadline allows; but for clients that say otherwise."""
MAX_REPLY_BYTES = 32_000_000
_IDLE_SECONDS = 5.0
"""How long an unused connection is kept: servers commonly close theirs after 5 s or more."""
_ACCEPTED = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "vainu-gateway"}
# the deadline ends a call, and nothing before it
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


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


class _Request(NamedTuple):
    """A request as it goes out; a second try sends the same."""

    method: Method
    url: URL
    headers: Mapping[str, str]
    body: bytes | AsyncIterable[bytes] | None


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
        self._names_type = "content-type" in map(str.lower, self._headers)
        self._max_connections = max_connections
        self._tls = tls_context(upstream.tls)
        self._refuses = refusal_of(base_url, upstream)
        self._session: aiohttp.ClientSession | None = None

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

    def _request(self, method: Method, path: str, options: CallOptions) -> _Request:
        url = URL(path if "://" in path else self._base_url + path.lstrip("/"))
        if params := options.get("params"):
            url = url.with_query(params)
        body, content_type = _body_of(options)
        headers = {"Content-Type": content_type} if content_type and not self._names_type else {}
        return _Request(method, url, {**headers, **(options.get("headers") or {})}, body)

    async def _once(self, request: _Request, parse: Callable[[Reply], T], action: str, deadline: Deadline) -> T:
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

    async def _answered(self, request: _Request, action: str, deadline: Deadline) -> Reply:
        seconds = deadline.earlier(self._call_seconds)
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(request)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise failure_of(error, f"{self.system} ({action})", seconds, self.redact) from None

    async def _exchange(self, request: _Request) -> Reply:
        session = self._session
        if session is None:
            # not before: it belongs to the event loop that runs
            session = self._session = _session(self._headers, self._max_connections, self._tls, self._refuses)
        method, url, headers, body = request
        async with session.request(method, url, headers=headers, data=body, allow_redirects=False) as response:
            content = await self._content_of(response)
        reply = Reply(response.status, response.headers.get("Content-Type", ""), content, self.system)
        if not 200 <= response.status < 300:
            raise refusal(reply, response.headers.get("Retry-After"), self.redact)
        return reply

    async def _content_of(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                raise UnexpectedReply(f"{self.system} answered more than {MAX_REPLY_BYTES:,} bytes")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()


def _session(
    headers: Mapping[str, str], max_connections: int, tls: ssl.SSLContext, refuses: Refusing | None
) -> aiohttp.ClientSession:
    """aiohttp that connects only where it may, and without its own repeats.

    It sends a PUT or DELETE twice when a kept connection breaks. What the environment says of proxies is not read:
    through a proxy it would be the proxy that resolves names.
    """
    connector = aiohttp.TCPConnector(
        limit=max_connections,
        keepalive_timeout=_IDLE_SECONDS,
        ssl=tls,
        resolver=GuardedResolver(refuses) if refuses else None,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        # nothing that a remote system sets is to come back to it
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_NO_TIMEOUT,
        trust_env=False,
    )
    session._retry_connection = False  # there is no public switch; `safe` decides, see RemoteClient.call
    return session


def _body_of(options: CallOptions) -> tuple[bytes | AsyncIterable[bytes] | None, str]:
    """The body, and what it is; "" where the caller says so itself."""
    if (form := options.get("form")) is not None:
        return urlencode(form).encode(), "application/x-www-form-urlencoded"
    if (content := options.get("json_body")) is not None:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode(), "application/json"
    return options.get("content"), ""


def _as_it_is(reply: Reply) -> Reply:
    return reply


def _pause_seconds(error: RemoteError, deadline: Deadline) -> float:
    """How long to wait before the second try: longer where the remote may have meant "slow down".

    A throttled reply of Apptivo is just one without the expected key (C, phpmt); the same may hold elsewhere.
    """
    longest = min(0.5, max(deadline.remaining() / 5, 0.1)) if isinstance(error, UnexpectedReply) else 0.15
    return longest * random.uniform(0.4, 1.0)  # noqa: S311 - jitter, nothing secret
