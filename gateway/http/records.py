"""`GET /vainu/{connection}/records/{unique_id}`: from Vainu's card to the CRM's own page of the customer."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.deadline import Deadline
from gateway.http.inbound import UNIQUE_ID, admit_anybody, service_of
from gateway.problems import Problem
from gateway.store import companies

_LOOK_SECONDS = 2.0
"""How long the store may take to tell whose page it is."""


async def record(request: Request) -> Response:
    """302 to the CRM's page. Needs no credentials, and tells nothing but the link."""
    admit_anybody(request)
    service = service_of(request)
    live = service.runtime.connections.get(request.path_params["connection"])
    unique_id = request.path_params["unique_id"]
    if live is None or not UNIQUE_ID.fullmatch(unique_id):
        raise _no_page()
    request.scope["gateway.connection"] = live.name
    by = Deadline.after(_LOOK_SECONDS)
    company = await service.store.read(lambda c: companies.by_unique_id(c, live.name, unique_id), by)
    record_id = company.record_id if company else unique_id
    if record_id is None or (company is None and unique_id.startswith("gw_")):
        raise _no_page()
    url = live.adapter.record_url(record_id)
    if url is None:
        raise _no_page()
    return RedirectResponse(url, 302, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})


def _no_page() -> Problem:
    return Problem(404, "no_such_page", "there is no page of the CRM for this address")
