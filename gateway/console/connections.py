"""Connections: how each stands, and one with the values to paste into Vainu and the CRM."""

from starlette.responses import Response

from gateway.commands.guide import guide
from gateway.console.access import Visit


async def connections(visit: Visit) -> Response:
    """`GET /console/connections`."""
    return visit.page("connections.html", connections=await visit.service.operator.connections())


async def connection(visit: Visit) -> Response:
    """`GET /console/connections/{name}`."""
    name = visit.request.path_params["name"]
    found = await visit.service.operator.connection(name)
    settings = visit.service.runtime.settings
    configured = settings.connections.get(name)
    pasted = guide(settings, configured) if configured else ""
    return visit.page("connection.html", found=found, guide=pasted)
