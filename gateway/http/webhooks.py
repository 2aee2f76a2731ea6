"""`POST /crm/{connection}/webhooks` and `POST /vainu/{connection}/webhooks`: verify, keep, answer, work later."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.http.inbound import admit, admit_sender, check_json_type, json_body, parsed_json, raw_body, service_of
from gateway.problems import invalid, not_kept
from gateway.pushed import NotACompany
from gateway.store.inbox import Kept


async def from_crm(request: Request) -> Response:
    """Take what a CRM tells; the raw bytes are what is verified and kept."""
    body = await raw_body(request)
    live, webhook_id = admit_sender(request, body)
    check_json_type(request)
    parsed = parsed_json(body)
    _refuse_while_draining(request)
    return _answer(await service_of(request).webhooks.from_crm(live, webhook_id, body, parsed))


async def from_vainu(request: Request) -> Response:
    """Take a company change from Vainu."""
    live = await admit(request, "gateway:webhooks")
    body, parsed = await json_body(request)
    _refuse_while_draining(request)
    try:
        return _answer(await service_of(request).webhooks.from_vainu(live, body, parsed))
    except NotACompany as error:
        raise invalid(error.faults) from None


def _refuse_while_draining(request: Request) -> None:
    if service_of(request).draining:
        raise not_kept("this gateway is going down; send it again")


def _answer(kept: Kept) -> Response:
    return JSONResponse({"id": kept.event_id, "duplicate": kept.duplicate}, 200 if kept.duplicate else 202)
