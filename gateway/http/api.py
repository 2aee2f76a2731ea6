"""`/api/…`: what the console can do, as JSON, for operators' scripts (CONTRACT section 4)."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.inbound import address_of, admit_operator, json_body, keep_operator_rate, service_of
from gateway.operator import Actor, BadQuery, CrmFailed, NoSuch, OperatorError, OperatorService
from gateway.operator import queries as read
from gateway.operator.bodies import replay_order, single_replay, sync_order
from gateway.operator.rendering import to_json
from gateway.problems import Problem, invalid, not_kept

# as many digits as a reference to a delivery may have, and no more than the store's integers hold
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
# a filter that is misspelt must not mean everything
_OF_DELIVERIES = read.names_of(read.DeliveryQuery)
_OF_DEAD_LETTERS = read.names_of(read.DeliveryQuery, "state")
_OF_WEBHOOKS = read.names_of(read.DeliveryQuery, "kind")
Answer = Callable[[Request, OperatorService], Awaitable[Any]]


def _operation(answer: Answer, status: int = 200) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint: the operator is let in, and what `answer` gives, or raises, becomes the answer."""

    async def endpoint(request: Request) -> Response:
        operator = await admit_operator(request)
        keep_operator_rate(request, operator)
        request.state.actor = Actor(f"token {operator.name}", address_of(request))
        try:
            found = await answer(request, service_of(request).operator)
        except OperatorError as error:
            raise _problem(error) from None
        body = msgspec.json.encode(to_json(found))
        return Response(body, status, {"Cache-Control": "no-store"}, "application/json")

    return endpoint


def _problem(error: OperatorError) -> Problem:
    if isinstance(error, BadQuery):
        return invalid(error.faults)
    if isinstance(error, NoSuch):
        return Problem(404, error.reason, str(error))
    if isinstance(error, CrmFailed):
        return Problem(504 if error.timed_out else 502, error.reason, str(error))
    return Problem(409, error.reason, str(error))


def _pairs(request: Request) -> list[tuple[str, str]]:
    return request.query_params.multi_items()


def _number(request: Request, name: str) -> int:
    text = request.path_params[name]
    if not _NUMBER.fullmatch(text):
        raise NoSuch("not_found", "there is nothing under this number")
    return int(text)


def _keep_work(request: Request) -> None:
    if service_of(request).draining:
        raise not_kept("this gateway is going down; ask again")


async def _overview(_request: Request, operator: OperatorService) -> Any:
    return await operator.overview()


async def _connections(_request: Request, operator: OperatorService) -> Any:
    return {"items": await operator.connections()}


async def _connection(request: Request, operator: OperatorService) -> Any:
    return await operator.connection(request.path_params["connection"])


async def _feed(request: Request, operator: OperatorService) -> Any:
    return await operator.feed_preview(request.path_params["connection"], request.path_params["unique_id"])


async def _mapping(request: Request, operator: OperatorService) -> Any:
    _body, parsed = await json_body(request)
    return await operator.mapping_preview(request.path_params["connection"], parsed)


async def _deliveries(request: Request, operator: OperatorService) -> Any:
    return await operator.deliveries(read.query_of(read.DeliveryQuery, _pairs(request), _OF_DELIVERIES))


async def _dead_letters(request: Request, operator: OperatorService) -> Any:
    return await operator.dead_letters(read.query_of(read.DeliveryQuery, _pairs(request), _OF_DEAD_LETTERS))


async def _webhooks(request: Request, operator: OperatorService) -> Any:
    return await operator.webhooks(read.query_of(read.DeliveryQuery, _pairs(request), _OF_WEBHOOKS))


async def _exports(request: Request, operator: OperatorService) -> Any:
    return await operator.exports(read.query_of(read.ExportQuery, _pairs(request), read.names_of(read.ExportQuery)))


async def _delivery(request: Request, operator: OperatorService) -> Any:
    if request.path_params["delivery_id"] == "replay":
        # a path of its own, which POST alone has
        raise HTTPException(405, headers={"Allow": "POST"})
    return await operator.delivery(_number(request, "delivery_id"))


async def _webhook(request: Request, operator: OperatorService) -> Any:
    return await operator.webhook(request.path_params["webhook_id"])


async def _export(request: Request, operator: OperatorService) -> Any:
    return await operator.export(request.path_params["export_id"])


async def _replay(request: Request, operator: OperatorService) -> Any:
    _body, parsed = await json_body(request)
    order = replay_order(parsed)
    _keep_work(request)
    if order.deliveries is not None:
        return await operator.replay(order.deliveries, request.state.actor, dry_run=order.dry_run)
    return await operator.replay_matching(
        order.query, request.state.actor, everything=order.everything, up_to=order.up_to, dry_run=order.dry_run
    )


async def _replay_one(request: Request, operator: OperatorService) -> Any:
    number = _number(request, "delivery_id")
    _body, parsed = await json_body(request)
    dry_run = single_replay(parsed)
    _keep_work(request)
    outcome = await operator.replay([str(number)], request.state.actor, dry_run=dry_run)
    if outcome.missing:
        raise NoSuch("no_such_delivery", "no delivery with this number is kept")
    return outcome


async def _syncs(request: Request, operator: OperatorService) -> Any:
    return await operator.syncs(read.query_of(read.SyncQuery, _pairs(request), read.names_of(read.SyncQuery)))


async def _sync(request: Request, operator: OperatorService) -> Any:
    return await operator.sync(_number(request, "run_id"))


async def _start_sync(request: Request, operator: OperatorService) -> Any:
    _body, parsed = await json_body(request)
    order = sync_order(request.path_params["connection"], parsed)
    _keep_work(request)
    return await operator.start_sync(order, request.state.actor)


async def _configuration(_request: Request, operator: OperatorService) -> Any:
    return operator.configuration()


async def _audit_log(request: Request, operator: OperatorService) -> Any:
    return await operator.audit_log(read.query_of(read.AuditQuery, _pairs(request), read.names_of(read.AuditQuery)))


async def _history(request: Request, operator: OperatorService) -> Any:
    return await operator.history(read.query_of(read.HistoryQuery, _pairs(request), read.names_of(read.HistoryQuery)))


ROUTES = (
    ("GET", "/api/overview", _operation(_overview)),
    ("GET", "/api/connections", _operation(_connections)),
    ("GET", "/api/connections/{connection}", _operation(_connection)),
    ("GET", "/api/connections/{connection}/feed/{unique_id}", _operation(_feed)),
    ("POST", "/api/connections/{connection}/mapping", _operation(_mapping)),
    ("POST", "/api/connections/{connection}/syncs", _operation(_start_sync, 202)),
    ("GET", "/api/exports", _operation(_exports)),
    ("GET", "/api/exports/{export_id}", _operation(_export)),
    ("GET", "/api/webhooks", _operation(_webhooks)),
    ("GET", "/api/webhooks/{webhook_id}", _operation(_webhook)),
    ("GET", "/api/deliveries", _operation(_deliveries)),
    ("POST", "/api/deliveries/replay", _operation(_replay)),
    ("GET", "/api/deliveries/{delivery_id}", _operation(_delivery)),
    ("POST", "/api/deliveries/{delivery_id}/replay", _operation(_replay_one)),
    ("GET", "/api/dead-letters", _operation(_dead_letters)),
    ("GET", "/api/syncs", _operation(_syncs)),
    ("GET", "/api/syncs/{run_id}", _operation(_sync)),
    ("GET", "/api/configuration", _operation(_configuration)),
    ("GET", "/api/audit", _operation(_audit_log)),
    ("GET", "/api/history", _operation(_history)),
)
"""The routes below `/api`: method, path, endpoint."""
