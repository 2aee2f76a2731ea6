"""`POST /vainu/{connection}/exports` and where an export stands."""

from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.deadline import Deadline
from gateway.exports import Answer
from gateway.http.inbound import UNIQUE_ID, admit, json_body, service_of
from gateway.problems import Problem, invalid, not_kept
from gateway.pushed import NotACompany, read_push


async def push(request: Request) -> Response:
    """Take a company from Vainu, and answer within the connection's budget."""
    service = service_of(request)
    live = await admit(request, "gateway:export")
    # the budget runs from here: sending the body is the caller's time
    body, parsed = await json_body(request)
    deadline = Deadline.after(live.settings.export.budget_ms / 1000)
    try:
        pushed = read_push(parsed, request.query_params.get("id"))
    except NotACompany as error:
        raise invalid(error.faults) from None
    if service.draining:
        raise not_kept("this gateway is going down; send the export again")
    with live.in_use(), service.precedence.serving():
        answer = await service.exports.push(live, pushed, body, _query(request), deadline)
    return _response(answer)


def _query(request: Request) -> str:
    """The query as it came, without the token that may stand in it."""
    parts = request.scope["query_string"].decode("latin-1").split("&")
    kept = [part for part in parts if unquote_plus(part.partition("=")[0]) != "token"]
    return "&".join(kept)[:2_000]


def _response(answer: Answer) -> Response:
    if answer.status == "timeout":
        detail = "the CRM did not answer within the budget; nothing more is written, a repeat is safe"
        raise Problem(504, "crm_timeout", detail, members={"export_id": answer.export_id})
    if answer.status == "dead":
        detail = f"the CRM refused the export: {answer.reason}"
        raise Problem(502, "crm_refused", detail, members={"export_id": answer.export_id})
    content = {"unique_id": answer.unique_id, "status": answer.status, "export_id": answer.export_id}
    return JSONResponse(content, 201 if answer.status == "created" else 200)


async def standing(request: Request) -> Response:
    """Where an export stands."""
    live = await admit(request, "gateway:export")
    export_id = request.path_params["export_id"]
    found = None
    if UNIQUE_ID.fullmatch(export_id):
        found = await service_of(request).exports.standing(live.name, export_id)
    if found is None:
        raise Problem(404, "no_such_export", "this connection has no export with this id")
    content = {
        "export_id": found.export_id,
        "unique_id": found.unique_id,
        "status": found.status,
        "attempts": found.attempts,
    }
    if found.reason:
        content["reason"] = found.reason
    return JSONResponse(content)
