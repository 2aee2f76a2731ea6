"""What answers of `/api` look like."""

from gateway.openapi.references import Node

_AT = "2026-01-31T09:30:00.000Z"
_LATER = "2026-01-31T09:30:02.412Z"
_EXPORT_ID = "exp_01k9y3v4m2f8q7t5r6w1x0z9ab"
_COMPANY_ID = "co_01k9y3v4m2f8q7t5r6w1x0z9ab"


def shown(name: str) -> Node | None:
    """An example of a schema; None where the schema says it all."""
    made = {
        "DeliveryPage": lambda: _page([_delivery()]),
        "ExportPage": lambda: _page([_export()]),
        "SyncLine": _sync,
        "SyncPage": lambda: _page([_sync()]),
        "AuditPage": lambda: _page([_audit()]),
        "ReplayOutcome": _replay,
        "ExportDetail": _export_detail,
        "DeliveryDetail": _detail,
        "MappingPreview": _mapping,
    }.get(name)
    return None if made is None else made()


def _page(items: list[Node]) -> Node:
    return {"items": items, "next_cursor": None, "searched_until": None}


def _delivery() -> Node:
    return {
        "id": 4711,
        "connection": "acme",
        "kind": "export",
        "state": "dead",
        "subject": _COMPANY_ID,
        "company_name": "Oy Samlink Ab",
        "event_id": None,
        "attempts": 24,
        "reason": "server_fault",
        "detail": "apptivo (customers.save): answered 500",
        "created_at": _AT,
        "due_at": None,
        "finished_at": _LATER,
        "replayed_at": None,
        "replayable": True,
    }


def _export() -> Node:
    return {
        "id": _EXPORT_ID,
        "connection": "acme",
        "company_name": "Oy Samlink Ab",
        "unique_id": "gw_01k9y3v4m2f8q7t5r6w1x0z9ab",
        "record_id": None,
        "status": "dead",
        "state": "dead",
        "attempts": 24,
        "reason": "server_fault",
        "detail": "apptivo (customers.save): answered 500",
        "received_at": _AT,
        "accepted_at": _LATER,
        "finished_at": _LATER,
        "milliseconds": 2412,
        "joined": False,
        "delivery_id": 4711,
        "company_id": _COMPANY_ID,
    }


def _detail() -> Node:
    received: Node = {"what": "received", "number": None, "milliseconds": None, "outcome": None, "detail": None}
    attempt = {"number": 1, "milliseconds": 412, "outcome": "server_fault", "detail": "answered 500"}
    return {
        "line": _delivery(),
        "sentence": "It gave up: a dead letter, kept, shown, and can be replayed.",
        "next_step": "The remote system broke: ask those who run it, then replay.",
        "timeline": [{"at": _AT, **received}, {"at": _LATER, "what": "attempt", **attempt}],
        "request": '{\n  "company_name": "Oy Samlink Ab"\n}',
        "request_bytes": 32,
        "answer": None,
        "export_ids": [_EXPORT_ID],
        "company": None,
        "overtaken_by": None,
        "connection_is_configured": True,
    }


def _export_detail() -> Node:
    return {"line": _export(), "query": "", "customer_data_id": None, "delivery": _detail()}


def _replay() -> Node:
    return {"dry_run": True, "count": 1, "deliveries": [_delivery()], "left": [], "missing": [], "up_to": 4711}


def _sync() -> Node:
    counts = {"pages": 3, "customers": 300, "unchanged": 280, "created": 12, "updated": 7, "failed": 1}
    return {
        "id": 12,
        "connection": "acme",
        "target": "vainu",
        "state": "running",
        "dry_run": False,
        "since": None,
        "phase": "customers",
        "counts": {**counts, "gone": 0, "deleted": 0},
        "total": 1200,
        "percent": 25.0,
        "detail": None,
        "started_at": _AT,
        "updated_at": _LATER,
        "ended_at": None,
    }


def _audit() -> Node:
    return {
        "id": 17,
        "at": _AT,
        "who": "token 14265c6f61ea",
        "action": "replay",
        "target": "delivery 4711",
        "address": "192.0.2.7",
        "outcome": "done",
        "detail": "1 replayed",
    }


def _mapping() -> Node:
    value = {
        "target": "customerData.customerName",
        "value": "Oy Samlink Ab",
        "sources": ["company_name"],
        "field": "customerName",
        "expression": "company_name || name",
        "left_out": None,
    }
    lacking: Node = {"target": "email", "value": None, "sources": [], "field": "email", "expression": "email"}
    values = [value, {**lacking, "left_out": "the export has nothing for it"}]
    return {
        "connection": "acme",
        "crm": "apptivo",
        "company_name": "Oy Samlink Ab",
        "recognised_by": ["business_id 09704098 FI", "name oy samlink ab FI"],
        "known_as": None,
        "requests": [{"action": "customers save", "about": "customer", "values": values}],
        "unused": [{"field": "business_id", "why": "no field of the mapping table reads it"}],
    }
