"""Exports: their list, and everything about one."""

from dataclasses import replace

from starlette.responses import Response

from gateway.console.access import Visit
from gateway.console.deliveries import connection_names
from gateway.console.paging import pages
from gateway.operator import BadQuery
from gateway.operator.models import ExportLine, Page
from gateway.operator.queries import STATES, ExportQuery, export_query


async def exports(visit: Visit) -> Response:
    """`GET /console/exports`."""
    found: Page[ExportLine] = Page((), None, None)
    fault, query = "", ExportQuery()
    try:
        query = export_query(visit.request.query_params.multi_items())
        found = await visit.service.operator.exports(query)
    except BadQuery as error:
        fault = str(error)
    unpaged = replace(query, cursor=None)
    return visit.page(
        "exports.html",
        422 if fault else 200,
        query=query,
        found=found,
        fault=fault,
        is_narrowed=replace(unpaged, limit=ExportQuery().limit) != ExportQuery(),
        states=STATES,
        connections=connection_names(visit),
        pages=pages(f"{visit.base}/exports", query, found.next_cursor),
    )


async def export(visit: Visit) -> Response:
    """`GET /console/exports/{id}`: everything about one."""
    found = await visit.service.operator.export(visit.request.path_params["id"])
    return visit.page("export.html", found=found, done=visit.request.query_params.get("done", ""))
