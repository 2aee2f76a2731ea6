"""What the Vainu simulator's endpoints share: their form, and the answers that several of them give."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.vainu.simulated_account import VainuState

Endpoint = Callable[[VainuState, Request], Awaitable[Response]]


def not_found() -> Response:
    """S001's 404."""
    return JSONResponse({"detail": "Not found"}, 404)


async def read_object(request: Request) -> Mapping[str, Any]:
    """The body, a JSON object; `ValueError`, which is answered 400, for anything else."""
    body = json.loads(await request.body())
    if not isinstance(body, dict):
        raise ValueError("expected an object")
    return body
