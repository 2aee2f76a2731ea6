"""Vainu over HTTP: customer data v1 and v2, v1's batch import, prospects, target groups, webhooks (S000, S001, vdev).

What the documents leave open is marked in NOTES.md. Faults, journal and control paths: `adapters.simulation`.
"""

import hmac
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulation import Simulator, build
from adapters.vainu import (
    simulated_customer_data,
    simulated_prospects,
    simulated_target_groups,
    simulated_webhook_configurations,
)
from adapters.vainu.simulated_account import FAKE_API_KEY, FAKE_PASSWORD, FAKE_USERNAME, VainuState
from adapters.vainu.simulated_answers import Endpoint, not_found
from adapters.vainu.simulated_matching import MatchRefused
from adapters.vainu.simulated_query import QueryRefused
from adapters.vainu.simulated_shapes import FieldRefused

__all__ = ["FAKE_API_KEY", "FAKE_PASSWORD", "FAKE_USERNAME", "VainuState", "simulator"]

_RESOURCES = (
    simulated_customer_data,
    simulated_prospects,
    simulated_target_groups,
    simulated_webhook_configurations,
)


def simulator(**options: Any) -> Simulator:
    """A Vainu of its own; `options` are those of `VainuState`."""
    state = VainuState(**options)
    rows = [row for resource in _RESOURCES for row in resource.endpoints()]
    routes = [
        Route(f"/api/v{{version:int}}/{path}", _guarded(state, act, only), methods=[method])
        for method, path, act, only in rows
    ]
    return build(state, list(routes))


def _guarded(state: VainuState, act: Endpoint, only: int | None = None) -> Callable[[Request], Awaitable[Response]]:
    """Authentication, the API's versions and refusals, around one endpoint."""

    async def endpoint(request: Request) -> Response:
        if not _is_known(state, request):
            refusal = {"detail": "Invalid username/password."}
            return JSONResponse(refusal, 401, {"WWW-Authenticate": 'Basic realm="api"'})
        if not state.api_enabled:
            return JSONResponse({"detail": "API is not enabled for your account."}, 403)
        if request.path_params["version"] not in ((only,) if only else (1, 2)):
            return not_found()
        try:
            return await act(state, request)
        except MatchRefused as refusal:
            return JSONResponse(refusal.body, refusal.status)
        except FieldRefused as refusal:
            return JSONResponse(refusal.body, 400)
        except QueryRefused:
            return JSONResponse({"detail": "Invalid query"}, 400)
        except ValueError:
            return JSONResponse({"detail": "JSON parse error"}, 400)

    return endpoint


def _is_known(state: VainuState, request: Request) -> bool:
    key = request.headers.get("api-key")
    if key is not None:
        return hmac.compare_digest(key.encode(), state.api_key.encode())
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = b64decode(token, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(given, f"{state.username}:{state.password}".encode())
