"""What comes in: who it is from, and its body, within the limits (CONTRACT section 4, refusals)."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request

from gateway.addresses import caller_address, limit_key
from gateway.auth.credentials import read_credentials
from gateway.auth.errors import OPERATOR_WWW_AUTHENTICATE, AuthError, Unauthorized
from gateway.auth.gate import Scope
from gateway.body import NotJson, parse_json
from gateway.limits import retry_after
from gateway.problems import Problem, of_auth, too_many
from gateway.runtime import LiveConnection
from gateway.service import Service

UNIQUE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_JSON_TYPE = re.compile(r"\s*(?:application/json|[a-z0-9.+-]+/[a-z0-9.+-]+\+json)\s*(?:;.*)?", re.IGNORECASE)
_CLOSE = {"Connection": "close"}
"""An answer before the whole body has come ends the connection: the rest of the body would be read as a request."""


def service_of(request: Request) -> Service:
    """The service that this request belongs to."""
    service: Service = request.app.state.service
    return service


async def admit(request: Request, scope: Scope) -> LiveConnection:
    """The connection of a Vainu call whose caller is admitted; the `Problem` if not."""
    service = service_of(request)
    name = request.path_params["connection"]
    caller = await _signed_in(request, lambda presented: service.gate.admit(name, presented, scope))
    request.scope["gateway.connection"] = name
    request.scope["gateway.caller"] = f"{caller.method}:{caller.name}"
    wait = service.caller_rate.take(caller.rate_key)
    if wait > 0:
        raise too_many("rate_limited", f"over this caller's rate; wait {retry_after(wait)} s", wait)
    live = service.runtime.connections.get(name)
    if live is None:
        # removed by a reload between the two looks
        raise of_auth(Unauthorized("wrong_credentials"))
    return live


async def admit_operator(request: Request) -> None:
    """Let operators pass; the `Problem` for anybody else."""
    service = service_of(request)

    async def judge(presented: Any) -> Any:
        return service.operator_gate.admit(presented)

    await _signed_in(request, judge, OPERATOR_WWW_AUTHENTICATE)


async def _signed_in(request: Request, judge: Callable[[Any], Any], challenge: str | None = None) -> Any:
    service = service_of(request)
    address = _address(request, service)
    wait = service.failed_signins.wait(address)
    if wait > 0:
        detail = f"too many failed sign-ins from this address; wait {retry_after(wait)} s"
        raise too_many("signin_limited", detail, wait)
    try:
        presented = read_credentials(request.scope["headers"], request.scope["query_string"])
        return await judge(presented)
    except AuthError as error:
        if isinstance(error, Unauthorized):
            service.failed_signins.record(address)
        request.scope["gateway.refusal"] = error.reason
        raise (of_auth(error, challenge) if challenge else of_auth(error)) from None


def _address(request: Request, service: Service) -> str:
    peer = request.client.host if request.client else None
    forwarded = [value for name, value in request.scope["headers"] if name == b"x-forwarded-for"]
    return limit_key(caller_address(peer, forwarded, service.runtime.settings.server.trusted_proxies))


async def json_body(request: Request) -> tuple[bytes, Any]:
    """The body, raw and parsed; the `Problem` if it is not JSON, too large or too slow."""
    content_type = request.headers.get("content-type")
    if content_type and not _JSON_TYPE.fullmatch(content_type):
        detail = f"expected application/json or +json, got {content_type[:80]}"
        raise Problem(415, "not_json_type", detail, headers=_CLOSE)
    body = await raw_body(request)
    try:
        return body, parse_json(body)
    except NotJson as error:
        raise Problem(400, "not_json", str(error)) from None


async def raw_body(request: Request) -> bytes:
    """The body as it came, within the size and time the settings allow."""
    server = service_of(request).runtime.settings.server
    largest = server.max_body_bytes
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > largest:
        raise _too_large(largest)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(server.body_timeout_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > largest:
                    raise _too_large(largest)
                chunks.append(chunk)
    except TimeoutError:
        detail = f"the body did not arrive within {server.body_timeout_seconds:g} s; nothing was kept"
        raise Problem(408, "body_timeout", detail, headers=_CLOSE) from None
    except ClientDisconnect:
        raise Problem(400, "disconnected", "the connection closed before the body was complete") from None
    return b"".join(chunks)


def _too_large(largest: int) -> Problem:
    detail = f"the body is larger than {largest:,} bytes (server.max_body_bytes)"
    return Problem(413, "too_large", detail, headers=_CLOSE)
