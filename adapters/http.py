"""The shared HTTP client: time-outs, deadline, retry of safe calls, errors as the contract's tree, redaction.

httpx's interface over aiohttp's transport: in one run on one machine, 64 calls at once, httpx's own
transport made 374 requests/s (p99 1.3 s), this one 2,687 (p99 59 ms); see tests/bench/README.md.
"""

import asyncio
import logging
import os
import random
import ssl
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Required, TypedDict, TypeVar, Unpack

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

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
from adapters.reach import GuardedResolver, Refusing, refusal_of
from adapters.redaction import Redactor
from adapters.upstream import PUBLIC, UpstreamSettings, tls_context

CALL_SECONDS = 30.0
"""The longest one call may take, whatever the deadline allows; but for clients that say otherwise."""
MAX_REPLY_BYTES = 32_000_000
# httpx logs the URL of every request at INFO, and CRM.COM's holds the token; `observe` tells what happened instead
logging.getLogger("httpx").addFilter(lambda _record: False)
_WRITE_EXCEPTIONS = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.CloseError)


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


class _Transport(AiohttpTransport):
    """aiohttp that connects only where it may, and without its own repeats.

    It sends a PUT or DELETE twice when a kept connection breaks. What the environment says of proxies is not read:
    through a proxy it would be the proxy that resolves names.
    """

    def __init__(self, limits: httpx.Limits, tls: ssl.SSLContext, refuses: Refusing | None) -> None:
        super().__init__(limits=limits, verify=tls, trust_env=False)
        self._refuses = refuses

    def get_client(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self.limits.max_connections or 0,
            keepalive_timeout=self.limits.keepalive_expiry,
            ssl=self.ssl_context,
            resolver=GuardedResolver(self._refuses) if self._refuses else None,
        )
        # no cookies: nothing that a remote system sets is to come back to it
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
        session._retry_connection = False  # there is no public switch; `safe` decides, see RemoteClient.call
        return session


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
        auth: httpx.Auth | None = None,
        max_connections: int = 256,
        call_seconds: float = CALL_SECONDS,
        upstream: UpstreamSettings = PUBLIC,
    ) -> None:
        self.system = system
        self._call_seconds = call_seconds
        self.redact = Redactor(secrets)
        self._observe = observe
        limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers=dict(headers or {}),
            auth=auth,
            transport=_Transport(limits, tls_context(upstream.tls), refusal_of(base_url, upstream)),
            # httpx's own 5 s would end a call before its deadline
            timeout=call_seconds,
            follow_redirects=False,
            trust_env=False,
        )

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
        return self._client.build_request(
            method,
            path,
            params=options.get("params"),
            json=options.get("json_body"),
            data=options.get("form"),
            content=options.get("content"),
            headers=options.get("headers"),
        )

    async def _once(self, request: httpx.Request, parse: Callable[[Reply], T], action: str, deadline: Deadline) -> T:
        await give_way()
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            async with self._errors_of(action, deadline):
                reply = await self._exchange(request)
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

    async def _exchange(self, request: httpx.Request) -> Reply:
        response = await self._client.send(request, stream=True)
        try:
            content = await self._body_of(response)
        finally:
            await response.aclose()
        reply = Reply(response.status_code, response.headers.get("content-type", ""), content, self.system)
        if not response.is_success:
            raise refusal(reply, response.headers.get("retry-after"), self.redact)
        return reply

    async def _body_of(self, response: httpx.Response) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                raise UnexpectedReply(f"{self.system} answered more than {MAX_REPLY_BYTES:,} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    @asynccontextmanager
    async def _errors_of(self, action: str, deadline: Deadline) -> AsyncIterator[None]:
        seconds = deadline.earlier(self._call_seconds)
        who = f"{self.system} ({action})"
        try:
            async with asyncio.timeout(seconds):
                yield
        except httpx.ConnectTimeout as error:
            raise self._connection_error(who, seconds, error.__cause__) from None
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOut(f"{who} did not answer within {seconds:.1f} s") from None
        except httpx.ConnectError as error:
            raise Unreachable(f"{who} cannot be reached: {self.redact(str(error))[:EXCERPT_CHARACTERS]}") from None
        except _WRITE_EXCEPTIONS:
            raise ConnectionCut(f"{who} closed the connection in the middle of the call") from None
        except httpx.DecodingError:
            raise UnexpectedReply(f"{who} answered a body that does not decompress") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnexpectedReply(f"{who} failed: {type(error).__name__}") from None
        except aiohttp.ClientError as error:
            # httpx-aiohttp lets some pass, a reply that is no HTTP above all; their text holds the whole URL
            raise UnexpectedReply(f"{who} failed: {type(error).__name__}") from None

    def _connection_error(self, who: str, seconds: float, cause: BaseException | None) -> RemoteError:
        # httpx-aiohttp calls every connection error ConnectTimeout: only the cause tells what was sent
        if isinstance(cause, aiohttp.ClientConnectorError):
            return Unreachable(f"{who} cannot be reached: {self.redact(_why(cause))[:EXCERPT_CHARACTERS]}")
        if isinstance(cause, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError):
            return ConnectionCut(f"{who} closed the connection in the middle of the call")
        return TimedOut(f"{who} did not answer within {seconds:.1f} s")

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _why(cause: aiohttp.ClientConnectorError) -> str:
    # aiohttp's own text says "ssl:default" of plain http, too
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return f"{cause.host}:{cause.port}: {cause.certificate_error}"
    error = cause.os_error
    why = os.strerror(error.errno) if isinstance(error, ConnectionError) and error.errno else str(error)
    return f"{cause.host}:{cause.port}: {why}"


def _as_it_is(reply: Reply) -> Reply:
    return reply


def _pause_seconds(error: RemoteError, deadline: Deadline) -> float:
    """How long to wait before the second try: longer where the remote may have meant "slow down".

    A throttled reply of Apptivo is just one without the expected key (C, phpmt); the same may hold elsewhere.
    """
    longest = min(0.5, max(deadline.remaining() / 5, 0.1)) if isinstance(error, UnexpectedReply) else 0.15
    return longest * random.uniform(0.4, 1.0)  # noqa: S311 - jitter, nothing secret
