"""`POST /crm/{connection}/customer-events/{kind}`, and where such a request stands (CONTRACT section 4)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.contract import BulkEvents
from adapters.deadline import Deadline
from gateway.event_work import bulk_events
from gateway.events import BadEvents, Report
from gateway.http.inbound import UNIQUE_ID, admit, json_body, service_of
from gateway.problems import Problem, invalid, not_kept
from gateway.runtime import LiveConnection


async def take(request: Request) -> Response:
    """Take customer events, and answer within the connection's budget."""
    service = service_of(request)
    live, adapter = await _admitted(request)
    _body, parsed = await json_body(request)
    # the budget runs from here: sending the body is the caller's time
    deadline = Deadline.after(live.settings.export.budget_ms / 1000)
    if service.draining:
        raise not_kept("this gateway is going down; send the events again")
    with live.in_use():
        try:
            report = await service.events.take(live, adapter, request.path_params["kind"], parsed, deadline)
        except BadEvents as error:
            raise invalid(error.faults) from None
    if report.pending:
        return JSONResponse({"id": report.request_id, "status": "accepted"}, 202)
    return JSONResponse(_outcomes(report))


async def standing(request: Request) -> Response:
    """Where the rows of a request stand."""
    live, _adapter = await _admitted(request)
    request_id = request.path_params["id"]
    report = None
    if UNIQUE_ID.fullmatch(request_id):
        report = await service_of(request).events.report(live.name, request.path_params["kind"], request_id)
    if report is None:
        raise Problem(404, "no_such_events", "this connection has no customer events of this kind with this id")
    status = "accepted" if report.pending else "done"
    return JSONResponse({**_outcomes(report), "status": status, "pending": report.pending})


async def _admitted(request: Request) -> tuple[LiveConnection, BulkEvents]:
    live = await admit(request, "gateway:events")
    adapter = bulk_events(live, request.path_params["kind"])
    if adapter is None:
        raise Problem(404, "no_such_kind", "the connection's CRM takes no customer events of this kind")
    return live, adapter


def _outcomes(report: Report) -> dict[str, Any]:
    return {"id": report.request_id, "processed": report.processed, "failed": report.failed}
