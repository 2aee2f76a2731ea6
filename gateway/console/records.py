"""What is in force, and who did what: the configuration without its secrets, and the audit log."""

from starlette.responses import Response

from gateway.console.access import Visit
from gateway.console.paging import pages
from gateway.operator.previews import Setting
from gateway.operator.queries import AuditQuery, query_of

ACTIONS = ("replay", "sync.start", "sign_in", "sign_in.failed", "sign_out")


async def configuration(visit: Visit) -> Response:
    """`GET /console/configuration`."""
    found = visit.service.operator.configuration()
    tables: dict[str, list[Setting]] = {}
    for setting in found.settings:
        tables.setdefault(setting.path.rpartition(".")[0], []).append(setting)
    return visit.page("configuration.html", found=found, tables=sorted(tables.items()))


async def audit(visit: Visit) -> Response:
    """`GET /console/audit`."""
    query = query_of(AuditQuery, visit.request.query_params.multi_items())
    found = await visit.service.operator.audit_log(query)
    return visit.page(
        "audit.html",
        found=found,
        query=query,
        actions=ACTIONS,
        pages=pages(f"{visit.base}/audit", query, found.next_cursor),
    )
