"""The console's pages as one application, loaded with the first request for one.

With their templates they take 5 MB of memory and a quarter of a second of the start. Many gateways run behind a load
balancer, and no person ever looks at them.
"""

import asyncio

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.named import named


class ConsolePages:
    """Every path below `/console`."""

    def __init__(self) -> None:
        self._router: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request for a page."""
        if self._router is None:
            # on a thread, so that nobody else's request waits for it
            self._router = await asyncio.to_thread(_router)
        await self._router(scope, receive, send)


def _router() -> ASGIApp:
    from gateway.console.routes import CONSOLE_ROUTES

    return Router([named(*route) for route in CONSOLE_ROUTES], redirect_slashes=False)
