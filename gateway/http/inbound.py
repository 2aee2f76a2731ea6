"""What comes in: who it is from, and its body, within the limits (CONTRACT section 4, refusals)."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from typing import Any

from starlette.requests import ClientDisconnect, Request

from gateway.addresses import caller_address, limit_key
from gateway.auth.credentials import Presented, read_credentials
from gateway.auth.errors import OPERATOR_WWW_AUTHENTICATE, WWW_AUTHENTICATE, AuthError, Unauthorized
from gateway.auth.gate import Scope
from gateway.body import NotJson, parse_json
from gateway.limits import retry_after
from gateway.problems import Problem, of_auth, too_many
from gateway.runtime import LiveConnection
from gateway.service import Service

UNIQUE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_JSON_TYPE = re.compile(r"\s*(?:application/json|[a-z0-9.+-]+/[a-z0-9.+-]+\+json)\s*(?:;.*)?", re.IGNORECASE)
_CLOSE = {"Connection": "close"}
"""For an answer to a body that may never come. What does come after an answer is swallowed by the protocol."""


def service_of(request: Request) -> Service:
    """The service that this request belongs to."""
    service: Service = request.app.state.service
    return service


async def admit(request: Request, scope: Scope) -> LiveConnection:
    """The connection of a Vainu call whose caller is admitted; the `Problem` if not."""
    service = service_of(request)
    name = request.path_params["connection"]
    with _counting_failures(request):
        caller = await service.gate.admit(name, _presented(request), scope)
    return _within_rate(request, name, f"{caller.method}:{caller.name}", caller.rate_key)


def admit_sender(request: Request, body: bytes) -> tuple[LiveConnection, str | None]:
    """The connection of a CRM webhook whose sender has proved itself, and its id of the message; else the `Problem`."""
    service = service_of(request)
    name = request.path_params["connection"]
    with _counting_failures(request):
        sender = service.webhook_gate.admit(name, request.scope["headers"], request.scope["query_string"], body)
    live = _within_rate(request, name, sender.name, f"{name}/webhooks/{sender.name}")
    return live, sender.webhook_id


def _within_rate(request: Request, name: str, caller: str, rate_key: str) -> LiveConnection:
    service = service_of(request)
    request.scope["gateway.connection"] = name
    request.scope["gateway.caller"] = caller
    wait = service.caller_rate.take(rate_key)
    if wait > 0:
        raise too_many("rate_limited", f"over this caller's rate; wait {retry_after(wait)} s", wait)
    live = service.runtime.connections.get(name)
    if live is None:
        # removed by a reload between the two looks
        raise of_auth(Unauthorized("wrong_credentials"))
    return live


async def admit_operator(request: Request) -> None:
    """Let operators pass; the `Problem` for anybody else."""
    with _counting_failures(request, OPERATOR_WWW_AUTHENTICATE):
        service_of(request).operator_gate.admit(_presented(request))


def _presented(request: Request) -> Presented:
    return read_credentials(request.scope["headers"], request.scope["query_string"])


@contextlib.contextmanager
def _counting_failures(request: Request, challenge: str = WWW_AUTHENTICATE) -> Iterator[None]:
    """Judge a caller inside: its address waits after too many failed sign-ins, and a failure becomes the `Problem`."""
    failures = service_of(request).failed_signins
    name = request.path_params.get("connection")
    if name in service_of(request).runtime.connections:
        # of the configuration's names only: what anybody may put into a path stays out of the log
        request.scope["gateway.connection"] = name
    address = _address(request, service_of(request))
    wait = failures.wait(address)
    if wait > 0:
        detail = f"too many failed sign-ins from this address; wait {retry_after(wait)} s"
        raise too_many("signin_limited", detail, wait)
    try:
        yield
    except AuthError as error:
        if isinstance(error, Unauthorized):
            failures.record(address)
        request.scope["gateway.refusal"] = error.reason
        raise of_auth(error, challenge) from None


def _address(request: Request, service: Service) -> str:
    peer = request.client.host if request.client else None
    forwarded = [value for name, value in request.scope["headers"] if name == b"x-forwarded-for"]
    return limit_key(caller_address(peer, forwarded, service.runtime.settings.server.trusted_proxies))


async def json_body(request: Request) -> tuple[bytes, Any]:
    """The body, raw and parsed; the `Problem` if it is not JSON, too large or too slow."""
    check_json_type(request)
    body = await raw_body(request)
    return body, parsed_json(body)


def check_json_type(request: Request) -> None:
    """The `Problem` for a body that is declared as something else than JSON; no declaration is fine."""
    content_type = request.headers.get("content-type")
    if content_type and not _JSON_TYPE.fullmatch(content_type):
        detail = f"expected application/json or +json, got {content_type[:80]}"
        raise Problem(415, "not_json_type", detail, headers=_unless_coming(request))


def parsed_json(body: bytes) -> Any:
    """The JSON value of a body; the `Problem` if it is none."""
    try:
        return parse_json(body)
    except NotJson as error:
        raise Problem(400, "not_json", str(error)) from None


async def raw_body(request: Request) -> bytes:
    """The body as it came, within the size and time the settings allow."""
    server = service_of(request).runtime.settings.server
    largest = server.max_body_bytes
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > largest:
        raise _too_large(request, largest)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(server.body_timeout_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size > largest:
                    raise _too_large(request, largest)
                chunks.append(chunk)
    except TimeoutError:
        detail = f"the body did not arrive within {server.body_timeout_seconds:g} s; nothing was kept"
        raise Problem(408, "body_timeout", detail, headers=_CLOSE) from None
    except ClientDisconnect:
        raise Problem(400, "disconnected", "the connection closed before the body was complete") from None
    return b"".join(chunks)


def _too_large(request: Request, largest: int) -> Problem:
    detail = f"the body is larger than {largest:,} bytes (server.max_body_bytes)"
    return Problem(413, "too_large", detail, headers=_unless_coming(request))


def _unless_coming(request: Request) -> dict[str, str]:
    """Close where the caller asked before it sent the body (Expect: 100-continue): it may or may not follow.

    Elsewhere the body is on its way, and a close in the middle of it could destroy the answer on its way back.
    """
    return _CLOSE if "expect" in request.headers else {}
