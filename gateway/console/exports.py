"""Exports: their list, and everything about one."""

from starlette.responses import Response

from gateway.console.access import Visit
from gateway.console.deliveries import connection_names
from gateway.console.paging import filtered
from gateway.operator.queries import STATES, ExportQuery


async def exports(visit: Visit) -> Response:
    """`GET /console/exports`."""
    pairs = visit.request.query_params.multi_items()
    shown = await filtered(ExportQuery, pairs, visit.service.operator.exports, f"{visit.base}/exports")
    status = 422 if shown["fault"] else 200
    return visit.page("exports.html", status, states=STATES, connections=connection_names(visit), **shown)


async def export(visit: Visit) -> Response:
    """`GET /console/exports/{id}`: everything about one."""
    found = await visit.service.operator.export(visit.request.path_params["id"])
    return visit.page("export.html", found=found, done=visit.request.query_params.get("done", ""))
