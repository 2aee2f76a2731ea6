"""Vainu over HTTP: customer data v1 and v2, v1's batch import, and prospects (S000, S001).

What the documents leave open is marked in NOTES.md. Faults, journal and control paths: `adapters.simulation`.
"""

import hmac
import json
from base64 import b64decode
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulation import Simulator, build
from adapters.vainu.simulated_account import FAKE_API_KEY, FAKE_PASSWORD, FAKE_USERNAME, Job, VainuState
from adapters.vainu.simulated_matching import MatchRefused, find_by_business_id
from adapters.vainu.simulated_query import QueryRefused, page_of, select
from adapters.vainu.simulated_shapes import (
    CustomerRecord,
    FieldRefused,
    in_company_spelling,
    in_prospect_spelling,
)

__all__ = ["FAKE_API_KEY", "FAKE_PASSWORD", "FAKE_USERNAME", "VainuState", "simulator"]

Endpoint = Callable[[VainuState, Request], Awaitable[Response]]
_PARTS = ("financial_statements", "contacts", "prospect_addresses", "description")
"""What only `/all/` shows of a prospect (S001)."""


def simulator(**options: Any) -> Simulator:
    """A Vainu of its own; `options` are those of `VainuState`."""
    state = VainuState(**options)
    routes = [
        Route("/api/v{version:int}/customer_data/", _guarded(state, act), methods=[method])
        for method, act in (("GET", _list), ("POST", _create), ("PATCH", _patch_all), ("DELETE", _delete_all))
    ]
    routes += [
        Route("/api/v{version:int}/customer_data/{id}/", _guarded(state, act), methods=[method])
        for method, act in (("GET", _get), ("PATCH", _patch), ("DELETE", _delete))
    ]
    job = "/api/v{version:int}/async_result/batch-import/{id}/"
    routes += [
        Route(job, _guarded(state, _poll, only=1), methods=["GET"]),
        Route(job, _guarded(state, _stop, only=1), methods=["DELETE"]),
        Route("/api/v{version:int}/prospect/{id}/", _guarded(state, _prospect, only=1), methods=["GET"]),
        Route("/api/v{version:int}/prospect/{id}/{part}/", _guarded(state, _prospect_part, only=1), methods=["GET"]),
    ]
    return build(state, list(routes))


def _guarded(state: VainuState, act: Endpoint, only: int | None = None) -> Callable[[Request], Awaitable[Response]]:
    """Authentication, the API's versions and refusals, around one endpoint."""

    async def endpoint(request: Request) -> Response:
        if not _is_known(state, request):
            refusal = {"detail": "Invalid username/password."}
            return JSONResponse(refusal, 401, {"WWW-Authenticate": 'Basic realm="api"'})
        if not state.api_enabled:
            return JSONResponse({"detail": "API is not enabled for your account."}, 403)
        if request.path_params["version"] not in ((only,) if only else (1, 2)):
            return _not_found()
        try:
            return await act(state, request)
        except MatchRefused as refusal:
            return JSONResponse(refusal.body, refusal.status)
        except FieldRefused as refusal:
            return JSONResponse(refusal.body, 400)
        except QueryRefused:
            return JSONResponse({"detail": "Invalid query"}, 400)
        except ValueError:
            return JSONResponse({"detail": "JSON parse error"}, 400)

    return endpoint


def _is_known(state: VainuState, request: Request) -> bool:
    key = request.headers.get("api-key")
    if key is not None:
        return hmac.compare_digest(key.encode(), state.api_key.encode())
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = b64decode(token, validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(given, f"{state.username}:{state.password}".encode())


def _not_found() -> Response:
    return JSONResponse({"detail": "Not found"}, 404)


def _version(request: Request) -> int:
    return int(request.path_params["version"])


async def _object(request: Request) -> Mapping[str, Any]:
    body = json.loads(await request.body())
    if not isinstance(body, dict):
        raise ValueError("expected an object")
    return body


def _shown(record: CustomerRecord, version: int) -> dict[str, Any]:
    return in_prospect_spelling(record) if version == 1 else in_company_spelling(record)


def _page(state: VainuState, request: Request) -> Response:
    """One page; v2 lists in v1's spelling and the links forget filters and page_size, both as S000 shows."""
    number, size = page_of(request.query_params)
    found = select(state.records.values(), request.query_params)
    rows = found[(number - 1) * size : number * size]
    if not rows and number > 1:
        return _not_found()
    return JSONResponse(
        {
            "total_results": len(found),
            "next_page": _link(request, number + 1) if number * size < len(found) else None,
            "prev_page": _link(request, number - 1) if number > 1 else None,
            "results": [in_prospect_spelling(record, date_only=_version(request) == 2) for record in rows],
        }
    )


def _link(request: Request, page: int) -> str:
    return str(request.url.replace(query=f"page={page}"))


async def _list(state: VainuState, request: Request) -> Response:
    return _page(state, request)


async def _create(state: VainuState, request: Request) -> Response:
    version = _version(request)
    body = json.loads(await request.body())
    if version == 1 and isinstance(body, list):
        job = state.start_job(body)
        if job is None:
            return JSONResponse({"detail": "Async process already exists."}, 409)
        shown = _shown_job(request, job)
        return JSONResponse({key: shown[key] for key in ("job_id", "created", "state", "link", "progress")})
    if not isinstance(body, dict):
        raise ValueError("expected an object")
    return JSONResponse(_shown(state.create(body, version), version))


async def _patch_all(state: VainuState, request: Request) -> Response:
    """Without filters this modifies EVERY object: S001 warns of it, and so it is here."""
    body = await _object(request)
    page_of(request.query_params)
    for record in select(state.records.values(), request.query_params):
        state.patch(record, body, _version(request), may_rematch=False)
    return _page(state, request)


async def _delete_all(state: VainuState, request: Request) -> Response:
    """Without filters this deletes EVERY object: S001 warns of it, and so it is here."""
    gone = select(state.records.values(), request.query_params)
    for record in gone:
        state.delete(record.id)
    return JSONResponse({"deleted": len(gone)})


async def _get(state: VainuState, request: Request) -> Response:
    record = state.records.get(request.path_params["id"])
    return JSONResponse(_shown(record, _version(request))) if record else _not_found()


async def _patch(state: VainuState, request: Request) -> Response:
    """v1 answers 200 without a body (S001 gives it no schema); v2 the object."""
    record = state.records.get(request.path_params["id"])
    if record is None:
        return _not_found()
    version = _version(request)
    state.patch(record, await _object(request), version, may_rematch=True)
    return Response() if version == 1 else JSONResponse(_shown(record, version))


async def _delete(state: VainuState, request: Request) -> Response:
    return Response() if state.delete(request.path_params["id"]) else _not_found()


async def _poll(state: VainuState, request: Request) -> Response:
    job = state.jobs.get(request.path_params["id"])
    if job is None:
        return _not_found()
    state.advance(job)
    return JSONResponse(_shown_job(request, job))


async def _stop(state: VainuState, request: Request) -> Response:
    job = state.jobs.get(request.path_params["id"])
    if job is None:
        return _not_found()
    state.end(job, "stopped")
    return JSONResponse(_shown_job(request, job))


def _shown_job(request: Request, job: Job) -> dict[str, Any]:
    prefix = request.url.path.partition("/api/v1/")[0]
    path = f"{prefix}/api/v1/async_result/batch-import/{job.id}/"
    shown = {
        "job_id": job.id,
        "created": job.created.replace(tzinfo=None).isoformat(timespec="microseconds"),
        "results": job.results,
        "state": job.state,
        "link": str(request.url.replace(path=path, query="")),
        "progress": 100 * len(job.results) // max(1, len(job.rows)),
    }
    if job.state == "completed" and job.ended is not None:
        shown["duration"] = f"{(job.ended - job.created).total_seconds():.2f}"
        shown["progress"] = 100
    return shown


async def _prospect(state: VainuState, request: Request) -> Response:
    company = find_by_business_id(request.path_params["id"], state.companies)
    if company is None:
        return _not_found()
    return JSONResponse({key: value for key, value in company.prospect.items() if key not in _PARTS})


async def _prospect_part(state: VainuState, request: Request) -> Response:
    company = find_by_business_id(request.path_params["id"], state.companies)
    if company is None:
        return _not_found()
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
    return _not_found()
