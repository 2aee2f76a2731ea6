"""httpx's transport over aiohttp, for replies that are read whole.

httpx's own transport (httpcore) makes a seventh of the calls; the package httpx-aiohttp does as much as this one, but
reads a reply in parts, parses the URL again and makes a time-out for every call (tests/bench/README.md).
"""

import os
import ssl
from collections.abc import AsyncIterable

import aiohttp
import httpx
from yarl import URL

from adapters.reach import GuardedResolver, Refusing

TARGET = "target"
"""httpx's extension for a request's target as it goes out, path and query; else it is that of the URL."""
MAX_REPLY_BYTES = 32_000_000
_IDLE_SECONDS = 5.0
"""How long an unused connection is kept: servers commonly close theirs after 5 s or more."""
# the deadline ends a call, and nothing before it
_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)


class TooLarge(httpx.DecodingError):
    """A reply of more than `MAX_REPLY_BYTES`."""


class Transport(httpx.AsyncBaseTransport):
    """Connects only where it may, follows nothing, and repeats nothing; it ends by its caller's deadline alone.

    `refuses` tells which addresses may not be had. A failure is httpx's: `ConnectError` where nothing was sent,
    `ReadError` where it may have been, `DecodingError` for a body that does not decompress or is too large,
    `RemoteProtocolError` for what is no HTTP.
    """

    def __init__(self, max_connections: int, tls: ssl.SSLContext, refuses: Refusing | None) -> None:
        self._max_connections = max_connections
        self._tls = tls
        self._refuses = refuses
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its answer, with the body decompressed."""
        # not before: a session belongs to the event loop that runs
        session = self._session = self._session or self._opened()
        headers = [
            (name.decode("ascii"), value.decode("latin-1"))
            for name, value in request.headers.raw
            if name.lower() != b"transfer-encoding"  # aiohttp's own
        ]
        try:
            async with session.request(
                request.method,
                _address(request),
                headers=headers,
                data=_body_of(request),
                allow_redirects=False,
            ) as response:
                content = await _content_of(response)
        except aiohttp.ClientError as error:
            raise _as_httpx(error) from None
        # what a header says of the bytes on the wire is no longer so
        told = [(name, value) for name, value in response.raw_headers if name.lower() != b"content-encoding"]
        return httpx.Response(response.status, headers=told, content=content)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._max_connections,
            keepalive_timeout=_IDLE_SECONDS,
            ssl=self._tls,
            resolver=GuardedResolver(self._refuses) if self._refuses else None,
        )
        session = aiohttp.ClientSession(
            connector=connector,
            # nothing that a remote system sets is to come back to it
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=_NO_TIMEOUT,
            # through a proxy of the environment's it would be the proxy that resolves names
            trust_env=False,
        )
        # it would send a PUT or DELETE twice when a kept connection breaks, and there is no public switch
        session._retry_connection = False
        return session


def _address(request: httpx.Request) -> URL:
    target: bytes = request.extensions.get(TARGET, request.url.raw_path)
    return URL(f"{request.url.scheme}://{request.url.netloc.decode('ascii')}{target.decode('ascii')}", encoded=True)


def _body_of(request: httpx.Request) -> bytes | AsyncIterable[bytes] | None:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        stream: AsyncIterable[bytes] = request.stream  # type: ignore[assignment]  # of an asynchronous request
        return stream


async def _content_of(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise TooLarge(f"answered more than {MAX_REPLY_BYTES:,} bytes")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _as_httpx(error: aiohttp.ClientError) -> httpx.HTTPError:
    """aiohttp's own words are kept of failed connections only: elsewhere they may hold the URL with all it carries."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return httpx.ConnectError(_why(error))
    if isinstance(error, aiohttp.ClientPayloadError) and "ContentEncodingError" in repr(error.__cause__):
        return httpx.DecodingError("answered a body that does not decompress")
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
        return httpx.ReadError(type(error).__name__)
    return httpx.RemoteProtocolError(type(error).__name__)


def _why(error: aiohttp.ClientConnectorError) -> str:
    # aiohttp's own text says "ssl:default" of plain http, too
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.host}:{error.port}: {error.certificate_error}"
    cause = error.os_error
    why = os.strerror(cause.errno) if isinstance(cause, ConnectionError) and cause.errno else str(cause)
    return f"{error.host}:{error.port}: {why}"
