"""`GET /vainu/{connection}/activities/{unique_id}`: the activity feed as Vainu reads it."""

import hashlib
import time
from datetime import tzinfo
from typing import get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from adapters.contract import EventType
from adapters.deadline import Deadline
from adapters.timestamps import TimestampRefused, read, render
from gateway.feed import Asked, select
from gateway.gathering import FeedFailed, Gathered, NoSuchRecord
from gateway.http.inbound import UNIQUE_ID, admit, service_of
from gateway.problems import Problem, invalid
from gateway.pushed import BodyFault

TYPES = frozenset(get_args(EventType))
_encoder = msgspec.json.Encoder()


async def activities(request: Request) -> Response:
    """The feed: a bare array, newest first."""
    started = time.perf_counter()
    service = service_of(request)
    live = await admit(request, "gateway:feed")
    settings = live.settings.feed
    deadline = Deadline.after(settings.budget_ms / 1000)
    asked = read_query(request, settings.limit, live.settings.timezone)
    unique_id = request.path_params["unique_id"]
    if not UNIQUE_ID.fullmatch(unique_id):
        raise _no_such_record()
    try:
        with service.precedence.serving():
            gathered = await service.feeds.get(live, unique_id, deadline)
    except NoSuchRecord:
        raise _no_such_record() from None
    except FeedFailed as failed:
        status, reason = (504, "crm_timeout") if failed.timed_out else (502, "crm_failed")
        raise Problem(status, reason, live.redact(f"no source of the CRM answered: {failed}")[:2_000]) from None
    body = _encoder.encode(select(gathered.events, asked))
    headers = _headers(gathered, body, time.perf_counter() - started)
    if _matches(request.headers.getlist("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _no_such_record() -> Problem:
    return Problem(404, "no_such_record", "neither the gateway nor the CRM has a customer with this unique_id")


def _headers(gathered: Gathered, body: bytes, seconds: float) -> dict[str, str]:
    timings = [f"{source};dur={milliseconds:.1f}" for source, milliseconds in gathered.timings]
    headers = {
        "ETag": f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"',
        "Cache-Control": "private, no-cache",
        "Server-Timing": ", ".join([f"total;dur={seconds * 1000:.1f}", *timings]),
    }
    if gathered.rejected:
        headers["Gateway-Rejected-Events"] = str(len(gathered.rejected))
    if gathered.partial:
        headers["Gateway-Partial"] = ", ".join(f"{source}={word}" for source, word in gathered.partial)
    if gathered.stale_seconds is not None:
        headers["Gateway-Stale"] = str(gathered.stale_seconds)
    return headers


def _matches(if_none_match: list[str], etag: str) -> bool:
    """RFC 9110 section 13.1.2: weak comparison, a list, or *."""
    given = {part.strip().removeprefix("W/") for part in ",".join(if_none_match).split(",")}
    return "*" in given or etag in given


def read_query(request: Request, default_limit: int, zone: tzinfo) -> Asked:
    """`limit`, `since` and `type`; the `Problem` names every bad one."""
    faults: list[BodyFault] = []
    query = request.query_params
    limit = _limit(query.get("limit"), default_limit, faults)
    since = _since(query.get("since"), zone, faults)
    types = frozenset(query.getlist("type"))
    unknown = sorted(types - TYPES)
    if unknown:
        faults.append(BodyFault("type", f"expected one of {', '.join(sorted(TYPES))}"))
    if faults:
        raise invalid(faults)
    return Asked(limit, since, types)


def _limit(text: str | None, default: int, faults: list[BodyFault]) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text[:9]) >= 1 and len(text) <= 9):
        faults.append(BodyFault("limit", "expected a whole number from 1"))
        return default
    return min(int(text), default)


def _since(text: str | None, zone: tzinfo, faults: list[BodyFault]) -> str:
    if text is None:
        return ""
    try:
        # a + in a query is a space; in a time it can only have been an offset's sign
        return render(read(text.replace(" ", "+") if "T" in text else text, zone).at)
    except TimestampRefused:
        faults.append(BodyFault("since", "expected a time: ISO 8601, or Unix seconds or milliseconds"))
        return ""
