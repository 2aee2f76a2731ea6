"""`POST /crm/{connection}/webhooks` and `POST /vainu/{connection}/webhooks`: verify, keep, answer, work later."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.http.inbound import admit, admit_sender, check_json_type, json_body, parsed_json, raw_body, service_of
from gateway.problems import invalid, not_kept
from gateway.pushed import NotACompany
from gateway.runtime import LiveConnection
from gateway.store.inbox import Kept

FROM_CRM = "/crm/{connection}/webhooks"


async def from_crm(request: Request) -> Response:
    """Take what a CRM tells; most go by `gateway.http.express`, what is large or comes in pieces this way."""
    admitted = admitted_from_crm(request, await raw_body(request))
    return _answer(await service_of(request).webhooks.from_crm(*admitted))


def admitted_from_crm(request: Request, body: bytes) -> tuple[LiveConnection, str | None, bytes, Any]:
    """Connection, webhook id, body and its JSON value of what a CRM tells, or the `Problem`.

    The raw bytes are what is verified and kept.
    """
    live, webhook_id = admit_sender(request, body)
    check_json_type(request)
    parsed = parsed_json(body)
    _refuse_while_draining(request)
    return live, webhook_id, body, parsed


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


def told(kept: Kept) -> tuple[int, bytes]:
    """Status and JSON of what the sender is told."""
    # the alphabet of ids has nothing in it that would need escaping
    body = b'{"id":"%s","duplicate":%s}' % (kept.event_id.encode(), b"true" if kept.duplicate else b"false")
    return 200 if kept.duplicate else 202, body


def _answer(kept: Kept) -> Response:
    status, body = told(kept)
    return Response(body, status, media_type="application/json")
