"""What is in force, and who did what: the configuration without its secrets, and the audit log."""

from dataclasses import replace

from starlette.responses import Response

from gateway.console.access import Visit
from gateway.operator.previews import Setting
from gateway.operator.queries import AuditQuery, audit_query, query_string

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
    query = audit_query(visit.request.query_params.multi_items())
    found = await visit.service.operator.audit_log(query)
    return visit.page(
        "audit.html",
        found=found,
        query=query,
        actions=ACTIONS,
        first=_address(visit, replace(query, cursor=None)) if query.cursor else "",
        following=_address(visit, replace(query, cursor=found.next_cursor)) if found.next_cursor else "",
    )


def _address(visit: Visit, query: AuditQuery) -> str:
    string = query_string(query)
    return f"{visit.base}/audit" + (f"?{string}" if string else "")
