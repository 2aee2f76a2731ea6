"""The ASGI application: routes, and the one place where errors become answers."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.console_pages import ConsolePages
from gateway.http import api, customer_events, docs, exports, feed, operations, records, webhooks
from gateway.http.envelope import Envelope
from gateway.http.named import Endpoint, named
from gateway.problems import Problem, internal, problem_answer
from gateway.service import Service
from gateway.store import StoreUnavailable

ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/vainu/{connection}/exports", exports.push),
    ("GET", "/vainu/{connection}/exports/{export_id}", exports.standing),
    ("GET", "/vainu/{connection}/activities/{unique_id}", feed.activities),
    ("GET", "/vainu/{connection}/records/{unique_id}", records.record),
    ("POST", "/vainu/{connection}/webhooks", webhooks.from_vainu),
    ("POST", webhooks.FROM_CRM, webhooks.from_crm),
    ("POST", "/crm/{connection}/customer-events/{kind}", customer_events.take),
    ("GET", "/crm/{connection}/customer-events/{kind}/{id}", customer_events.standing),
    ("GET", "/health/live", operations.live),
    ("GET", "/health/ready", operations.ready),
    ("GET", "/metrics", operations.metrics),
    ("GET", "/openapi.json", docs.openapi_json),
    ("GET", "/docs", docs.docs_page),
    *api.ROUTES,
)
"""Every route for programs: method, path, endpoint. The OpenAPI document describes exactly these.

The pages for people are `gateway.console.routes` (CONTRACT section 4 lists them apart).
"""


def create_app(service: Service) -> ASGIApp:
    """The application of a service, which must be started beside it (`Service.start`)."""
    app = Starlette(
        routes=[*(named(*route) for route in ROUTES), Route("/console{below:path}", ConsolePages())],
        exception_handlers={
            Problem: _on_problem,
            HTTPException: _on_http_exception,
            StoreUnavailable: _on_problem,
            Exception: _on_defect,
        },
    )
    # a redirect to the path without its last slash would be built from the caller's Host header
    app.router.redirect_slashes = False
    return Envelope(service.tracing.around(app) if service.tracing else app, service)


async def _on_problem(request: Request, error: Exception) -> Response:
    return problem_answer(request.scope, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls this for HTTPException only
    reasons = {404: ("not_found", "there is nothing at this path"), 405: ("method", "this path has other methods")}
    reason, detail = reasons.get(error.status_code, ("refused", str(error.detail)))
    headers, route = dict(error.headers or {}), request.scope.get("route")
    if isinstance(route, Route) and "gateway.route" not in request.scope:
        # a wrong method ends before the endpoint that would have noted it
        request.scope["gateway.route"] = route.path
        headers["Allow"] = _allowed(route.path)
    problem = Problem(error.status_code, reason, detail, headers=headers)
    if request.url.path.startswith("/console"):
        # loaded by `ConsolePages`, which has seen the request before
        from gateway.console.access import base_of
        from gateway.console.errors import of as error_page

        return error_page(request, problem, base_of(request))
    return await _on_problem(request, problem)


def _allowed(path: str) -> str:
    """The methods of a route's template: each has a route of its own, and Starlette tells only the first one's."""
    routes = ROUTES
    if path.startswith("/console"):
        # loaded by `ConsolePages`, which has seen the request before
        from gateway.console.routes import CONSOLE_ROUTES

        routes = CONSOLE_ROUTES
    methods = {method for method, each, _endpoint in routes if each == path}
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


async def _on_defect(request: Request, _error: Exception) -> Response:
    return await _on_problem(request, internal())
