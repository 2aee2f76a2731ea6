"""What every request to the console passes: who asks, whether it may act, and an HTML answer whatever happens.

A page needs a session, or the operator token as Bearer, which no browser sends by itself. An action needs a session,
our own origin and the form's token. The configuration in force decides at every request whether a session still holds.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.auth.gate import Operator
from gateway.clock import moment
from gateway.console import answers, credentials, errors
from gateway.console.cookies import Cookies
from gateway.console.forms import Form, check_form, form_of
from gateway.console.menu import MENU
from gateway.console.sessions import Session
from gateway.http.inbound import address_of, admit_operator, keep_operator_rate, service_of
from gateway.operator.auditing import Actor
from gateway.operator.errors import OperatorError
from gateway.problems import Problem, internal, not_kept
from gateway.service import Service
from gateway.store import StoreUnavailable

log = structlog.get_logger()

Endpoint = Callable[[Request], Awaitable[Response]]
_LARGEST = 2**63 - 1
_DIGITS = 19
_LONGEST_PLACE = 2_000


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of an operator who is admitted."""

    request: Request
    operator: str
    """Who it is, for the page and the audit log."""
    session: Session | None
    """None for a caller with a Bearer token, who can only look."""
    form_token: str
    form: Form

    @property
    def service(self) -> Service:
        """The service that was asked."""
        return service_of(self.request)

    @property
    def actor(self) -> Actor:
        """Who acts, for the audit log."""
        return Actor(self.operator, address_of(self.request))

    @property
    def base(self) -> str:
        """The console's own path, as the browser sees it."""
        return base_of(self.request)

    @property
    def now(self) -> datetime:
        """By the service's clock."""
        return moment(self.service.clock())

    @property
    def number(self) -> int:
        """The number in the path; the `Problem` for what is none that anything is kept under."""
        given = self.request.path_params["id"]
        if not (given.isascii() and given.isdigit() and len(given) <= _DIGITS and int(given) <= _LARGEST):
            raise Problem(404, "not_found", "there is nothing under this number")
        return int(given)

    def keep_work(self) -> None:
        """The `Problem` while this gateway goes down: what is begun now could not be told of."""
        if self.service.draining:
            raise not_kept("this gateway is going down, and nothing was done; try again")

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page for this operator."""
        return answers.page(
            template,
            status,
            base=self.base,
            visit=self,
            now=self.now,
            here=self.request.url.path.partition("/console")[2].removeprefix("/live"),
            menu=MENU,
            is_live="/live/" in self.request.url.path,
            **context,
        )


Handler = Callable[[Visit], Awaitable[Response]]


def page(handler: Handler) -> Endpoint:
    """A page that an operator asks for."""
    return guarded(lambda request: _show(request, handler, is_person=True))


def live(handler: Handler) -> Endpoint:
    """A part of a page that the page asks for by itself: it keeps nobody signed in."""
    return guarded(lambda request: _show(request, handler, is_person=False))


def action(handler: Handler) -> Endpoint:
    """What changes something: a POST of a form of ours, in a session."""
    return guarded(lambda request: _act(request, handler))


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, but every failure is a page that says what happened and what to do."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except StoreUnavailable as error:
            return errors.of(request, not_kept(f"{error}; nothing was changed"), base_of(request))
        except Problem as problem:
            return errors.of(request, problem, base_of(request))
        except OperatorError as error:
            return errors.of(request, errors.of_operator(error), base_of(request))
        except HTTPException as error:
            return errors.of(request, Problem(error.status_code, "refused", str(error.detail)), base_of(request))
        except Exception:
            log.exception("console.internal_error")
            return errors.of(request, internal(), base_of(request))

    return answered


def base_of(request: Request) -> str:
    """`/console`, below the path of `server.public_url` where that has one."""
    public = service_of(request).runtime.settings.server.public_url
    return (urlsplit(public).path.rstrip("/") if public else "") + "/console"


def cookies_of(request: Request) -> Cookies:
    """The console's cookies of this request."""
    settings = service_of(request).runtime.settings
    return Cookies(is_secure=(settings.server.public_url or "").startswith("https://"))


async def to_overview(request: Request) -> Response:
    """`GET /console`: the slash is missing."""
    return answers.see_other(base_of(request) + "/")


async def nowhere(visit: Visit) -> Response:
    """Any other path: 404."""
    raise Problem(404, "not_found", f"there is no such page below {visit.base}")


async def _show(request: Request, handler: Handler, *, is_person: bool) -> Response:
    # Bearer only: a proxy that asks for a password of its own passes that on
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        operator = await admit_operator(request)
        return await handler(_within_rate(Visit(request, f"token {operator.name}", None, "", Form([]))))
    session = await session_of(request, is_person=is_person)
    if session is None:
        return _to_sign_in(request)
    return await handler(await _visit(request, session, Form([])))


async def _act(request: Request, handler: Handler) -> Response:
    session = await session_of(request)
    if session is None:
        raise Problem(403, "signed_out", "your session has ended, and nothing was done; sign in and try again")
    form = await form_of(request)
    await check_form(request, session.id, form)
    return await handler(await _visit(request, session, form))


async def _visit(request: Request, session: Session, form: Form) -> Visit:
    token = await service_of(request).sessions.form_token(session.id)
    return _within_rate(Visit(request, session.operator, session, token, form))


def _within_rate(visit: Visit) -> Visit:
    keep_operator_rate(visit.request, Operator(visit.operator))
    return visit


async def session_of(request: Request, *, is_person: bool = True) -> Session | None:
    """The session of this request, if it has one that holds and whose credential is still in the configuration."""
    cookie = cookies_of(request).session_in(request)
    if cookie is None:
        return None
    service = service_of(request)
    session = await service.sessions.find(cookie, is_person=is_person)
    if session is None or not credentials.still_admits(service.runtime.settings.operator, session.credential):
        return None
    return session


def _to_sign_in(request: Request) -> Response:
    base = base_of(request)
    # a token in the address, which admits nobody here, goes no further
    query = urlencode([pair for pair in request.query_params.multi_items() if pair[0] != "token"])
    place = request.url.path.partition("/console")[2] + (f"?{query}" if query else "")
    if request.headers.get("hx-request"):
        return answers.page("signed_out.html", 200, {"HX-Redirect": f"{base}/sign-in"}, base=base)
    if request.headers.get("sec-fetch-site") == "cross-site" and request.headers.get("sec-fetch-mode") == "navigate":
        # a link from elsewhere, such as an alert: the cookie stayed at home, and comes when we ask for the page
        return answers.bounce(base + place, base, "Opening the console")
    return answers.see_other(f"{base}/sign-in" + (f"?next={quote(place, safe='')}" if place not in ("", "/") else ""))


def place_of(text: str) -> str:
    """Where to go after a sign-in: a path of the console's own, below its base; "/" for anything else."""
    parts = urlsplit(text if len(text) <= _LONGEST_PLACE else "")
    is_path = text.startswith("/") and not text.startswith(("//", "/\\", "/sign-")) and "\\" not in text
    return text if is_path and not parts.scheme and not parts.netloc and text.isprintable() else "/"
