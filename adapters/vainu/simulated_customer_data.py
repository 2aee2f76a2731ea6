"""Customer data of the Vainu simulator over HTTP: v1, v2, and v1's batch import (S000, S001)."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from adapters.vainu.simulated_account import Job, VainuState
from adapters.vainu.simulated_answers import Endpoint, not_found, read_object
from adapters.vainu.simulated_query import page_of, select
from adapters.vainu.simulated_shapes import CustomerRecord, in_company_spelling, in_prospect_spelling


def endpoints() -> list[tuple[str, str, Endpoint, int | None]]:
    """Method, path, endpoint, and the one version that has it."""
    every, one = "customer_data/", "customer_data/{id}/"
    job = "async_result/batch-import/{id}/"
    return [
        ("GET", every, _list, None),
        ("POST", every, _create, None),
        ("PATCH", every, _patch_all, None),
        ("DELETE", every, _delete_all, None),
        ("GET", one, _get, None),
        ("PATCH", one, _patch, None),
        ("DELETE", one, _delete, None),
        ("GET", job, _poll, 1),
        ("DELETE", job, _stop, 1),
    ]


def _version(request: Request) -> int:
    return int(request.path_params["version"])


def _shown(record: CustomerRecord, version: int) -> dict[str, Any]:
    return in_prospect_spelling(record) if version == 1 else in_company_spelling(record)


def _page(state: VainuState, request: Request) -> Response:
    """One page; v2 lists in v1's spelling and the links forget filters and page_size, both as S000 shows."""
    number, size = page_of(request.query_params)
    found = select(state.records.values(), request.query_params)
    rows = found[(number - 1) * size : number * size]
    if not rows and number > 1:
        return not_found()
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
    body = await read_object(request)
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
    return JSONResponse(_shown(record, _version(request))) if record else not_found()


async def _patch(state: VainuState, request: Request) -> Response:
    """v1 answers 200 without a body (S001 gives it no schema); v2 the object."""
    record = state.records.get(request.path_params["id"])
    if record is None:
        return not_found()
    version = _version(request)
    state.patch(record, await read_object(request), version, may_rematch=True)
    return Response() if version == 1 else JSONResponse(_shown(record, version))


async def _delete(state: VainuState, request: Request) -> Response:
    return Response() if state.delete(request.path_params["id"]) else not_found()


async def _poll(state: VainuState, request: Request) -> Response:
    job = state.jobs.get(request.path_params["id"])
    if job is None:
        return not_found()
    state.advance(job)
    return JSONResponse(_shown_job(request, job))


async def _stop(state: VainuState, request: Request) -> Response:
    job = state.jobs.get(request.path_params["id"])
    if job is None:
        return not_found()
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
