"""Webhook configuration of the Vainu simulator over HTTP (vdev, "Configure Webhooks"; all shapes of answers are G)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.vainu.models import WEBHOOK_CONFIGURATION
from adapters.vainu.simulated_account import VainuState
from adapters.vainu.simulated_answers import Endpoint, not_found, read_object
from adapters.vainu.simulated_shapes import FieldRefused


def endpoints() -> list[tuple[str, str, Endpoint, int | None]]:
    """Method, path, endpoint, and the one version that has it."""
    return [
        ("GET", f"{WEBHOOK_CONFIGURATION}/", _list, 2),
        ("POST", f"{WEBHOOK_CONFIGURATION}/", _create, 2),
        ("DELETE", f"{WEBHOOK_CONFIGURATION}/", _delete_all, 2),
        ("DELETE", f"{WEBHOOK_CONFIGURATION}/{{id}}/", _delete, 2),
    ]


async def _list(state: VainuState, _request: Request) -> Response:
    return JSONResponse(list(state.webhooks.values()))


async def _create(state: VainuState, request: Request) -> Response:
    body = await read_object(request)
    if not isinstance(body.get("url"), str) or not body["url"]:
        raise FieldRefused("url", "URL")
    if body.get("type") != "company_change_webhook":
        raise FieldRefused("type", "choice")
    shown = {"id": state.new_id(), "url": body["url"], "query": body.get("query"), "type": body["type"]}
    state.webhooks[shown["id"]] = {**shown, "status": "active"}
    return JSONResponse(state.webhooks[shown["id"]])


async def _delete_all(state: VainuState, _request: Request) -> Response:
    """Removes every one, as a bulk DELETE of customer data does: a client that forgets the id is caught."""
    state.webhooks.clear()
    return Response(status_code=204)


async def _delete(state: VainuState, request: Request) -> Response:
    gone = state.webhooks.pop(request.path_params["id"], None)
    return not_found() if gone is None else Response(status_code=204)
