"""What Vainu would show, and what the CRM would get, before anybody does: the previews of feed and mapping."""

import json

from starlette.responses import Response

from adapters.vainu.samples import samples
from gateway.body import NotJson, parse_json
from gateway.console.access import Visit
from gateway.console.deliveries import connection_names
from gateway.operator.errors import OperatorError
from gateway.operator.previews import FeedPreview, MappingPreview

_SAMPLE = "samlink"


async def feed(visit: Visit) -> Response:
    """`GET /console/feed`: the company card as Vainu draws it, with what is not on it and why."""
    query = visit.request.query_params
    connection, unique_id = query.get("connection", "").strip(), query.get("unique_id", "").strip()
    found: FeedPreview | None = None
    fault = ""
    if connection and unique_id:
        try:
            found = await visit.service.operator.feed_preview(connection, unique_id)
        except OperatorError as error:
            fault = str(error)
    return visit.page(
        "feed.html",
        connections=connection_names(visit),
        connection=connection,
        unique_id=unique_id,
        found=found,
        fault=fault,
    )


async def mapping(visit: Visit) -> Response:
    """`GET /console/mapping`: the form, with a sample export where one is asked for."""
    is_sample = "sample" in visit.request.query_params
    written = json.dumps(samples()[_SAMPLE].push_body(), indent=2, ensure_ascii=False) if is_sample else ""
    return _mapping_page(visit, visit.request.query_params.get("connection", ""), written)


async def map_export(visit: Visit) -> Response:
    """`POST /console/mapping`: field by field what the CRM would get. A POST for its length; it changes nothing."""
    connection, written = visit.form["connection"], visit.form["export"]
    try:
        found = await visit.service.operator.mapping_preview(connection, parse_json(written.encode()))
    except (NotJson, OperatorError) as error:
        return _mapping_page(visit, connection, written, fault=str(error))
    return _mapping_page(visit, connection, written, found=found)


def _mapping_page(
    visit: Visit, connection: str, written: str, *, found: MappingPreview | None = None, fault: str = ""
) -> Response:
    return visit.page(
        "mapping.html",
        422 if fault else 200,
        connections=connection_names(visit),
        connection=connection,
        written=written,
        found=found,
        fault=fault,
    )
