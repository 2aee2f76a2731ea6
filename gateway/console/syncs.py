"""Runs of the customer sync: their list, one with its progress, and the form that begins one."""

from typing import get_args

from starlette.responses import Response

from gateway.console import answers
from gateway.console.access import Visit
from gateway.console.paging import pages
from gateway.operator.queries import SyncQuery, query_of
from gateway.problems import Problem
from gateway.sync.order import Order
from gateway.sync.progress import Target


async def syncs(visit: Visit) -> Response:
    """`GET /console/syncs`."""
    query = query_of(SyncQuery, visit.request.query_params.multi_items())
    found = await visit.service.operator.syncs(query)
    return visit.page(
        "syncs.html",
        found=found,
        query=query,
        connections=await visit.service.operator.connections(),
        pages=pages(f"{visit.base}/syncs", query, found.next_cursor),
    )


async def sync(visit: Visit) -> Response:
    """`GET /console/syncs/{id}`."""
    return visit.page("sync.html", run=await visit.service.operator.sync(visit.number))


async def sync_live(visit: Visit) -> Response:
    """`GET /console/live/syncs/{id}`: the part of the page that moves."""
    return visit.page("sync_run.html", run=await visit.service.operator.sync(visit.number))


async def start(visit: Visit) -> Response:
    """`POST /console/syncs`: begin one."""
    connection, _, target = visit.form["what"].partition("/")
    if target not in get_args(Target):
        raise Problem(422, "invalid", "choose what to sync, and where to")
    order = Order(
        connection,
        "aixon" if target == "aixon" else "vainu",
        dry_run=visit.form["dry_run"] == "yes",
        full=visit.form["full"] == "yes",
    )
    visit.keep_work()
    run = await visit.service.operator.start_sync(order, visit.actor)
    return answers.see_other(f"{visit.base}/syncs/{run.id}")
