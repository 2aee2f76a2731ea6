"""What became of a call that got no whole answer, as the contract's tree says it. Pure."""

import os
from collections.abc import Callable

import aiohttp

from adapters.contract import ConnectionCut, RemoteError, TimedOut, UnexpectedReply, Unreachable
from adapters.http_replies import EXCERPT_CHARACTERS


def failure_of(error: Exception, who: str, seconds: float, redact: Callable[[str], str]) -> RemoteError:
    """The `RemoteError` of aiohttp's error or of a time-out after `seconds`; `who` is the system and the call.

    aiohttp's own words are shown of failed connections only: elsewhere they may hold the URL with all it carries.
    """
    if isinstance(error, TimeoutError):
        return TimedOut(f"{who} did not answer within {seconds:.1f} s")
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(f"{who} cannot be reached: {redact(_why(error))[:EXCERPT_CHARACTERS]}")
    if isinstance(error, aiohttp.ClientPayloadError) and "ContentEncodingError" in repr(error.__cause__):
        return UnexpectedReply(f"{who} answered a body that does not decompress")
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
        return ConnectionCut(f"{who} closed the connection in the middle of the call")
    return UnexpectedReply(f"{who} failed: {type(error).__name__}")


def _why(error: aiohttp.ClientConnectorError) -> str:
    # aiohttp's own text says "ssl:default" of plain http, too
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.host}:{error.port}: {error.certificate_error}"
    cause = error.os_error
    why = os.strerror(cause.errno) if isinstance(cause, ConnectionError) and cause.errno else str(cause)
    return f"{error.host}:{error.port}: {why}"
