"""Routes whose requests are known by their template."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


def named(method: str, path: str, endpoint: Endpoint) -> Route:
    """A route that notes its template, for the log line and the metric: paths themselves hold ids."""

    async def noted(request: Request) -> Response:
        request.scope["gateway.route"] = path
        return await endpoint(request)

    return Route(path, noted, methods=[method])
