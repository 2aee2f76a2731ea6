"""Signing in with an operator token, and out again."""

import contextlib
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from gateway.console import access, answers, credentials
from gateway.console.access import Visit, base_of, cookies_of
from gateway.console.forms import Form, check_form, form_of
from gateway.http.inbound import address_of, admit_operator_token, service_of
from gateway.operator.auditing import Actor
from gateway.problems import Problem
from gateway.store import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is about to sign in."""

    id: str
    is_new: bool


async def form(request: Request) -> Response:
    """`GET /console/sign-in`: the form; who is signed in already goes on."""
    place = access.place_of(request.query_params.get("next", "/"))
    if await access.session_of(request) is not None:
        return answers.see_other(base_of(request) + place)
    says = "You are signed out." if "out" in request.query_params else ""
    return await show(request, place, says=says)


async def show(request: Request, place: str, status: int = 200, fault: str = "", says: str = "") -> Response:
    """The form as a page; `place` is where a sign-in goes on to."""
    service, visitor = service_of(request), visitor_of(request)
    operator = service.runtime.settings.operator
    response = answers.page(
        "sign_in.html",
        status,
        base=base_of(request),
        place=place,
        fault=fault,
        says=says,
        form_token=await service.sessions.form_token(visitor.id),
        takes_tokens=bool(operator.tokens),
        provider=operator.oidc.issuer if operator.oidc else "",
    )
    if visitor.is_new:
        cookies_of(request).set_visitor(response, visitor.id)
    return response


def visitor_of(request: Request) -> Visitor:
    """Who the form is, or was, made for."""
    found = cookies_of(request).visitor_in(request)
    return Visitor(found, False) if found else Visitor(f"visitor-{secrets.token_urlsafe(24)}", True)


async def with_token(request: Request) -> Response:
    """`POST /console/sign-in`: the form with an operator token."""
    given = await visitor_form(request)
    try:
        operator = admit_operator_token(request, given["token"])
    except Problem as problem:
        await note_failure(request, request.scope.get("gateway.refusal", problem.reason))
        fault = "That token is not an operator token of this gateway." if problem.status == 401 else problem.detail
        response = await show(request, access.place_of(given["next"]), problem.status, fault=fault)
        response.headers.update({name: value for name, value in problem.headers.items() if name == "Retry-After"})
        return response
    response = answers.see_other(base_of(request) + access.place_of(given["next"]))
    await open_session(request, response, credentials.of_token(operator), f"token {operator.name}")
    return response


async def visitor_form(request: Request) -> Form:
    """The form of somebody who is not signed in; the `Problem` if it is not ours."""
    given, visitor = await form_of(request), visitor_of(request)
    try:
        await check_form(request, visitor.id, given)
    except Problem as problem:
        raise (_no_cookie(request) if visitor.is_new and problem.reason == "form_expired" else problem) from None
    return given


def _no_cookie(request: Request) -> Problem:
    """A browser returns a Secure cookie only over https, or on its own machine."""
    public = service_of(request).runtime.settings.server.public_url
    where = f"open the console under {public.rstrip('/')}/console/" if public else "use one address for the console"
    return Problem(
        403, "no_cookie", f"the form came without its cookie, and nothing was done: allow cookies, and {where}"
    )


async def open_session(request: Request, response: Response, credential: str, operator: str) -> None:
    """Begin a session; one that this browser had before ends."""
    service, before = service_of(request), await access.session_of(request)
    if before is not None:
        await service.sessions.end(before)
    actor = Actor(operator, address_of(request))
    await service.operator.audit(actor, "sign_in")
    _session, value = await service.sessions.open(credential, operator)
    cookies_of(request).set_session(response, value)


async def note_failure(request: Request, reason: str) -> None:
    """Write a failed sign-in into the audit log; the limit of failed sign-ins bounds how many there can be."""
    with contextlib.suppress(StoreUnavailable):
        # what was wrong is told all the same
        actor = Actor("unknown", address_of(request))
        await service_of(request).operator.audit(actor, "sign_in.failed", outcome="refused", detail=reason)


async def out(visit: Visit) -> Response:
    """`POST /console/sign-out`: the session ends, at every gateway."""
    assert visit.session is not None  # noqa: S101 - actions have one
    await visit.service.operator.audit(visit.actor, "sign_out")
    await visit.service.sessions.end(visit.session)
    response = answers.see_other(f"{visit.base}/sign-in?out")
    cookies_of(visit.request).forget_session(response)
    return response
