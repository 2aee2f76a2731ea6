"""The shared HTTP client: time-outs, deadline, retry of safe calls, errors as the contract's tree, redaction.

httpx's interface over aiohttp's transport: in one run on one machine, 64 calls at once, httpx's own
transport made 374 requests/s (p99 1.3 s), this one 2,687 (p99 59 ms); see tests/bench/README.md.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from adapters.contract import (
    BadCredentials,
    CallRecord,
    ConnectionCut,
    NotFound,
    Observer,
    Refused,
    RemoteError,
    ServerFault,
    Throttled,
    TimedOut,
    UnexpectedReply,
    Unreachable,
)
from adapters.deadline import Deadline
from adapters.redaction import Redactor

CALL_SECONDS = 30.0
"""The longest one call may take, whatever the deadline allows."""
MAX_REPLY_BYTES = 32_000_000
_EXCERPT = 200
# httpx logs the URL of every request at INFO, and CRM.COM's holds the token; `observe` tells what happened instead
logging.getLogger("httpx").addFilter(lambda _record: False)
_WRITE_EXCEPTIONS = (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError, httpx.CloseError)


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer with a 2xx status."""

    status: int
    content_type: str
    content: bytes
    system: str

    def json(self) -> Any:
        """The body as JSON; `UnexpectedReply` if it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            kind = self.content_type.partition(";")[0] or "no content type"
            raise UnexpectedReply(
                f"{self.system} answered {self.status} with {kind} ({len(self.content)} bytes), expected JSON"
            ) from None


class RemoteClient:
    """Calls one remote system; one instance per connection, shared by all its calls.

    `secrets` are redacted from every error. `observe` hears of every call once it ended.
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
    ) -> None:
        self.system = system
        self.redact = Redactor(secrets)
        self._observe = observe
        limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers=dict(headers or {}),
            auth=auth,
            transport=AiohttpTransport(limits=limits),
            follow_redirects=False,
            trust_env=False,
        )

    async def call(
        self,
        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
        path: str,
        *,
        action: str,
        deadline: Deadline,
        safe: bool,
        params: Mapping[str, str | int] | None = None,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One call; the 2xx reply, or a `RemoteError`.

        `action` names the call in logs and metrics. `safe` says that the call only reads, or may be
        repeated: it is then tried once more after a cut connection or a server fault, if time allows.
        """
        request = self._client.build_request(
            method, path, params=params, json=json_body, data=form, content=content, headers=headers
        )
        try:
            return await self._once(request, action, deadline)
        except (ConnectionCut, ServerFault, Unreachable):
            pause = 0.05 + random.random() * 0.1  # noqa: S311 - jitter, nothing secret
            if not safe or deadline.remaining() < 2 * pause:
                raise
            await asyncio.sleep(pause)
            return await self._once(request, action, deadline)

    async def _once(self, request: httpx.Request, action: str, deadline: Deadline) -> Reply:
        started = time.perf_counter()
        outcome = "cancelled"
        try:
            async with self._errors_of(action, deadline):
                reply = await self._exchange(request)
            outcome = "ok"
            return reply
        except RemoteError as error:
            outcome = error.reason
            raise
        finally:
            self._observe(CallRecord(self.system, action, outcome, time.perf_counter() - started))

    async def _exchange(self, request: httpx.Request) -> Reply:
        response = await self._client.send(request, stream=True)
        try:
            content = await self._body_of(response)
        finally:
            await response.aclose()
        if not response.is_success:
            raise self._refusal(response, content)
        return Reply(response.status_code, response.headers.get("content-type", ""), content, self.system)

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
        seconds = deadline.earlier(CALL_SECONDS)
        who = f"{self.system} ({action})"
        try:
            async with asyncio.timeout(seconds):
                yield
        except httpx.ConnectTimeout as error:
            raise self._connection_error(who, seconds, error.__cause__) from None
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOut(f"{who} did not answer within {seconds:.1f} s") from None
        except httpx.ConnectError as error:
            raise Unreachable(f"{who} cannot be reached: {self.redact(str(error))[:_EXCERPT]}") from None
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
            return Unreachable(f"{who} cannot be reached: {self.redact(str(cause))[:_EXCERPT]}")
        if isinstance(cause, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError):
            return ConnectionCut(f"{who} closed the connection in the middle of the call")
        return TimedOut(f"{who} did not answer within {seconds:.1f} s")

    def _refusal(self, response: httpx.Response, content: bytes) -> RemoteError:
        status = response.status_code
        said = self.redact(_excerpt(content))
        detail = f"{self.system} answered {status}" + (f": {said}" if said else "")
        wait = retry_after_seconds(response.headers.get("retry-after"), datetime.now(UTC))
        if status == 429:
            return Throttled(detail, retry_after=wait)
        if status >= 500:
            return ServerFault(detail, retry_after=wait)
        if status in (401, 403):
            return BadCredentials(detail)
        if status in (404, 410):
            return NotFound(detail)
        if status in (408, 425):
            return ServerFault(detail, retry_after=wait)
        if status < 400:
            return UnexpectedReply(detail)
        return Refused(detail)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()


def _excerpt(content: bytes) -> str:
    """The beginning of a body as one line of text, without markup; what a person may be shown."""
    text = content[:2_000].decode("utf-8", "replace").strip()
    if text[:1] == "<":
        return "an HTML page"
    return " ".join(text.split())[:_EXCERPT]


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """`Retry-After` (RFC 9110 section 10.2.3) in seconds from `now`: a number or an HTTP date; else None."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
