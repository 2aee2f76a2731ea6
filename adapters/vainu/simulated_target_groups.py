"""Target groups of the Vainu simulator over HTTP (S001, target_group and target_groups)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.vainu.samples import SampleCompany
from adapters.vainu.simulated_account import TargetGroup, VainuState
from adapters.vainu.simulated_answers import Endpoint, not_found, read_object
from adapters.vainu.simulated_prospects import short_rows, window
from adapters.vainu.simulated_query import QueryRefused
from adapters.vainu.simulated_shapes import FieldRefused, read_moment

OLDEST_LEADS = timedelta(days=60)


def endpoints() -> list[tuple[str, str, Endpoint, int | None]]:
    """Method, path, endpoint, and the one version that has it; the slashes at the end are those of S001."""
    return [
        ("GET", "target_groups/", _list, 1),
        ("POST", "target_groups/", _create, 1),
        ("GET", "target_groups/{id}", _get, 1),
        ("PUT", "target_groups/{id}", _update, 1),
        ("GET", "target_group/{id}/", _prospects, 1),
        ("GET", "target_group/{id}/leads/", _leads, 1),
    ]


async def _list(state: VainuState, _request: Request) -> Response:
    return JSONResponse([group.shown() for group in state.target_groups.values()])


async def _create(state: VainuState, request: Request) -> Response:
    body = await read_object(request)
    named = body.get("is_named_target_group", True)
    if not isinstance(named, bool):
        raise FieldRefused("is_named_target_group", "boolean")
    group = TargetGroup(state.new_id(), _name(body), named)
    state.target_groups[group.id] = group
    return JSONResponse(group.shown())


async def _get(state: VainuState, request: Request) -> Response:
    group = state.target_groups.get(request.path_params["id"])
    return not_found() if group is None else JSONResponse(group.shown())


async def _update(state: VainuState, request: Request) -> Response:
    """Unknown companies are passed over, and so are names in a group that is no portfolio (both G)."""
    group = state.target_groups.get(request.path_params["id"])
    if group is None:
        return not_found()
    body = await read_object(request)
    if "name" in body:
        group.name = _name(body)
    for key, parameter in (("business_ids", "business_id"), ("company_names", "exact_name")):
        wanted = body.get(key, [])
        if not isinstance(wanted, list):
            raise FieldRefused(key, "list")
        for company in (found for each in wanted for found in state.known.matching(parameter, each, None)):
            if group.is_named and company not in group.members:
                group.members.append(company)
    return JSONResponse(group.shown())


def _name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise FieldRefused("name", "string")
    return name


async def _prospects(state: VainuState, request: Request) -> Response:
    """Count and rows; with `count=true` the count only, with `count=false` the rows only, a bare list (shapes: G)."""
    group = state.target_groups.get(request.path_params["id"])
    if group is None:
        return not_found()
    parameters = dict(request.query_params)
    start, end = window(parameters)
    rows = short_rows(group.members[start:end])
    match parameters.get("count"):
        case None:
            return JSONResponse({"count": len(group.members), "results": rows})
        case "true":
            return JSONResponse({"count": len(group.members)})
        case "false":
            return JSONResponse(rows)
    raise QueryRefused


async def _leads(state: VainuState, request: Request) -> Response:
    group = state.target_groups.get(request.path_params["id"])
    if group is None:
        return not_found()
    since = _since(request.query_params.get("from_datetime"), state.clock())
    rows = [row for company in group.members for row in _leads_of(company, since)]
    return JSONResponse(rows)


def _since(written: str | None, now: datetime) -> datetime:
    """The day before at 00:00 by default; 400 for what is not within the last 60 days (S001; the status is G)."""
    if written is None:
        return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    since = read_moment(written)
    if since is None or not now - OLDEST_LEADS <= since <= now:
        raise QueryRefused
    return since


def _leads_of(company: SampleCompany, since: datetime) -> list[dict[str, Any]]:
    """As S001 shows them here: with an id, and `datetime` instead of `added`."""
    return [
        {**{key: value for key, value in lead.items() if key != "added"}, "id": number, "datetime": lead["added"]}
        for number, lead in enumerate(company.leads, company.vid * 100)
        if (read_moment(lead["added"]) or since) >= since
    ]
