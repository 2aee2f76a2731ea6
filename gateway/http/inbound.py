"""What comes in: who it is from, and its body, within the limits (CONTRACT section 4, refusals)."""

import asyncio
import re
from typing import Any, NoReturn

from starlette.requests import Request

from gateway.addresses import caller_address, limit_key
from gateway.auth.credentials import Presented, read_credentials
from gateway.auth.errors import OPERATOR_WWW_AUTHENTICATE, WWW_AUTHENTICATE, AuthError, Unauthorized
from gateway.auth.gate import Operator, Scope
from gateway.body import NotJson, parse_json
from gateway.http.headers import header
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
    service: Service = request.scope["gateway.service"]
    return service


async def admit(request: Request, scope: Scope) -> LiveConnection:
    """The connection of a Vainu call whose caller is admitted; the `Problem` if not."""
    name = request.path_params["connection"]
    _check_sign_ins(request)
    try:
        caller = await service_of(request).gate.admit(name, _presented(request), scope)
    except AuthError as error:
        _refuse(request, error)
    return _within_rate(request, name, f"{caller.method}:{caller.log_name}", caller.rate_key)


def admit_sender(request: Request, body: bytes) -> tuple[LiveConnection, str | None]:
    """The connection of a CRM webhook whose sender has proved itself, and its id of the message; else the `Problem`."""
    service, scope = service_of(request), request.scope
    name = request.path_params["connection"]
    _check_sign_ins(request)
    try:
        sender = service.webhook_gate.admit(name, scope["headers"], scope["query_string"], body)
    except AuthError as error:
        _refuse(request, error)
    live = _within_rate(request, name, sender.name, f"{name}/webhooks/{sender.name}")
    return live, sender.webhook_id


def admit_anybody(request: Request) -> None:
    """Let everybody pass who does not call too often, by address; else the `Problem`."""
    _take(request, f"anybody/{address_of(request)}")


def _take(request: Request, rate_key: str) -> None:
    wait = service_of(request).caller_rate.take(rate_key)
    if wait > 0:
        raise _over_rate(wait)


def _within_rate(request: Request, name: str, caller: str, rate_key: str) -> LiveConnection:
    service = service_of(request)
    request.scope["gateway.connection"] = name
    request.scope["gateway.caller"] = caller
    _take(request, rate_key)
    live = service.runtime.connections.get(name)
    if live is None:
        # removed by a reload between the two looks
        raise of_auth(Unauthorized("wrong_credentials"))
    return live


def _over_rate(wait: float) -> Problem:
    return too_many("rate_limited", f"over this caller's rate; wait {retry_after(wait)} s", wait)


async def admit_operator(request: Request) -> Operator:
    """The operator who asks; the `Problem` for anybody else."""
    _check_sign_ins(request)
    try:
        return service_of(request).operator_gate.admit(_presented(request))
    except AuthError as error:
        _refuse(request, error, OPERATOR_WWW_AUTHENTICATE)


def admit_operator_token(request: Request, token: str) -> Operator:
    """The operator of a token that came in the console's form; the `Problem` for anybody else."""
    _check_sign_ins(request)
    try:
        return service_of(request).operator_gate.admit_token(token.encode("utf-8", "replace"))
    except AuthError as error:
        _refuse(request, error, OPERATOR_WWW_AUTHENTICATE)


def keep_operator_rate(request: Request, operator: Operator) -> None:
    """Count a request of an operator's; the `Problem` for one over the rate that every caller has."""
    request.scope["gateway.caller"] = f"operator:{operator.name}"
    _take(request, f"operator/{operator.name}")


def _presented(request: Request) -> Presented:
    return read_credentials(request.scope["headers"], request.scope["query_string"])


def _check_sign_ins(request: Request) -> None:
    """The `Problem` for an address that has failed to sign in too often."""
    service = service_of(request)
    name = request.path_params.get("connection")
    if name in service.runtime.connections:
        # of the configuration's names only: what anybody may put into a path stays out of the log
        request.scope["gateway.connection"] = name
    if not service.failed_signins.any:
        return
    wait = service.failed_signins.wait(address_of(request))
    if wait > 0:
        detail = f"too many failed sign-ins from this address; wait {retry_after(wait)} s"
        raise too_many("signin_limited", detail, wait)


def _refuse(request: Request, error: AuthError, challenge: str = WWW_AUTHENTICATE) -> NoReturn:
    """Count a sign-in that failed, and answer it."""
    if isinstance(error, Unauthorized):
        service_of(request).failed_signins.record(address_of(request))
    request.scope["gateway.refusal"] = error.reason
    raise of_auth(error, challenge) from None


def address_of(request: Request) -> str:
    """The address that a request comes from, as limits count it and the audit log has it."""
    peer = request.client.host if request.client else None
    forwarded = [value for name, value in request.scope["headers"] if name == b"x-forwarded-for"]
    return limit_key(caller_address(peer, forwarded, service_of(request).runtime.settings.server.trusted_proxies))


async def json_body(request: Request) -> tuple[bytes, Any]:
    """The body, raw and parsed; the `Problem` if it is not JSON, too large or too slow."""
    check_json_type(request)
    body = await raw_body(request)
    return body, parsed_json(body)


def check_json_type(request: Request) -> None:
    """The `Problem` for a body that is declared as something else than JSON; no declaration is fine."""
    raw = header(request.scope, b"content-type")
    if raw == b"application/json":
        return
    content_type = raw.decode("latin-1")
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
    declared = header(request.scope, b"content-length")
    if declared.isdigit() and int(declared[:20]) > largest:
        raise _too_large(request, largest)
    try:
        async with asyncio.timeout(server.body_timeout_seconds):
            return await _received(request, largest)
    except TimeoutError:
        detail = f"the body did not arrive within {server.body_timeout_seconds:g} s; nothing was kept"
        raise Problem(408, "body_timeout", detail, headers=_CLOSE) from None


async def _received(request: Request, largest: int) -> bytes:
    # not by Request.stream, which costs as much as the proof: nearly every body comes in one message
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Problem(400, "disconnected", "the connection closed before the body was complete")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > largest:
            raise _too_large(request, largest)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunk if len(chunks) == 1 else b"".join(chunks)


def _too_large(request: Request, largest: int) -> Problem:
    detail = f"the body is larger than {largest:,} bytes (server.max_body_bytes)"
    return Problem(413, "too_large", detail, headers=_unless_coming(request))


def _unless_coming(request: Request) -> dict[str, str]:
    """Close where the caller asked before it sent the body (Expect: 100-continue): it may or may not follow.

    Elsewhere the body is on its way, and a close in the middle of it could destroy the answer on its way back.
    """
    return _CLOSE if "expect" in request.headers else {}
