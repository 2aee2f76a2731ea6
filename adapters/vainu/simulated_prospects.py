"""Prospects of the Vainu simulator over HTTP: one company and its parts, and prospects/filter (S001)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.vainu.samples import SampleCompany
from adapters.vainu.simulated_account import VainuState
from adapters.vainu.simulated_answers import Endpoint, not_found, read_object
from adapters.vainu.simulated_matching import find_by_business_id
from adapters.vainu.simulated_prospect_filter import select
from adapters.vainu.simulated_query import QueryRefused

_PARTS = ("financial_statements", "contacts", "prospect_addresses", "description")
"""What only `/all/` shows of a prospect (S001)."""
DEFAULT_LIMIT = 20
"""S001's for a target group; for prospects/filter it is unknown."""


def endpoints() -> list[tuple[str, str, Endpoint, int | None]]:
    """Method, path, endpoint, and the one version that has it."""
    return [
        ("GET", "prospect/{id}/", _prospect, 1),
        ("GET", "prospect/{id}/{part}/", _prospect_part, 1),
        ("GET", "prospects/filter/", _filter, 1),
        ("POST", "prospects/filter/", _filter, 1),
    ]


def basic(company: SampleCompany) -> dict[str, Any]:
    """A company without the parts that only `/all/` shows."""
    return {key: value for key, value in company.prospect.items() if key not in _PARTS}


async def _prospect(state: VainuState, request: Request) -> Response:
    company = find_by_business_id(request.path_params["id"], state.known)
    return not_found() if company is None else JSONResponse(basic(company))


async def _prospect_part(state: VainuState, request: Request) -> Response:
    company = find_by_business_id(request.path_params["id"], state.known)
    if company is None:
        return not_found()
    match request.path_params["part"]:
        case "all":
            return JSONResponse(dict(company.prospect))
        case "leads":
            return JSONResponse(list(company.leads))
        case "contacts":
            rows = company.prospect["contacts"]
            return JSONResponse([{**row, "prospect": company.prospect["company_name"]} for row in rows])
        case "financial_statements":
            return JSONResponse(company.prospect["financial_statements"])
    return not_found()


async def _filter(state: VainuState, request: Request) -> Response:
    """Parameters in the query or, "POST payload", in a JSON object (S001 says no more of it: G)."""
    given: Mapping[str, Any] = request.query_params
    if request.method == "POST":
        given = await read_object(request)
    parameters = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    counting = parameters.pop("count", "false")
    start, end = window(parameters)
    found = select(state.companies, parameters, state.started)
    if counting == "true":
        return JSONResponse({"count": len(found)})
    rows = [_row(company) for company in found[start:end]]
    return JSONResponse({"count": len(found), "results": rows} if counting == "include" else rows)


def window(parameters: dict[str, str]) -> tuple[int, int | None]:
    """Takes limit and offset out of the parameters: where the rows begin, and before which they end."""
    limit, offset = parameters.pop("limit", str(DEFAULT_LIMIT)), parameters.pop("offset", "0")
    if not offset.isdigit() or not (limit.isdigit() or limit == "none"):
        raise QueryRefused
    return int(offset), None if limit == "none" else int(offset) + int(limit)


def _row(company: SampleCompany) -> dict[str, Any]:
    """As S001's sample of the filter: with the municipalities, which the samples have not, so the cities stand in."""
    row = basic(company)
    return {**row, "municipality": row["city"], "visiting_municipality": row["visiting_city"]}


def short_rows(companies: Sequence[SampleCompany]) -> list[dict[str, Any]]:
    """As S001's sample of a target group shows companies."""
    names = (
        "business_id", "company_name", "link", "isic_industry_code", "address", "postal", "city", "country",
        "turn_over", "staff_number", "development_of_turnover", "profit",
    )  # fmt: skip
    return [{name: company.prospect.get(name) for name in names} for company in companies]
