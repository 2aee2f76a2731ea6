"""Schemas of `/api`: the operators' models as they are, pages of them, and what operators send."""

from gateway.openapi.model_schemas import schemas_of
from gateway.openapi.operator_parameters import since_schema, text_schema
from gateway.openapi.references import Node, schema
from gateway.operator import cursors, models, previews, status
from gateway.operator.replaying import MOST_NAMED, REFERENCE_PATTERN
from gateway.store.ledger import REPLAYABLE

_MODELS = (
    status.Overview,
    models.ExportDetail,
    models.ReplayOutcome,
    previews.FeedPreview,
    previews.MappingPreview,
    previews.Configuration,
    status.SyncLine,
    status.AuditLine,
    status.History,
)
_PAGES = {
    "DeliveryPage": ("DeliveryLine", cursors.DELIVERIES_PATTERN),
    "ExportPage": ("ExportLine", cursors.EXPORTS_PATTERN),
    "SyncPage": ("SyncLine", cursors.SYNCS_PATTERN),
    "AuditPage": ("AuditLine", cursors.AUDIT_PATTERN),
}
_LARGEST = 2**63 - 1


def operator_schemas() -> Node:
    """`components/schemas` of `/api`."""
    every = {"type": "array", "items": schema("ConnectionStatus")}
    return {
        **schemas_of((*_MODELS, models.ExportLine)),
        **{name: _page(item, pattern) for name, (item, pattern) in _PAGES.items()},
        "ConnectionList": {
            "type": "object",
            "description": "Every connection.",
            "required": ["items"],
            "properties": {"items": every},
        },
        "ReplayOrder": _replay_order(),
        "ReplayFilter": _filter(),
        "SingleReplay": _closed("How to replay one delivery.", {"dry_run": _flag("Change nothing.")}),
        "SyncOrder": _sync_order(),
    }


def _page(item: str, pattern: str) -> Node:
    cursor = {"type": ["string", "null"], "pattern": pattern, "description": "For the next page; null at the end."}
    return {
        "type": "object",
        "description": "One page, newest first.",
        "required": ["items", "next_cursor", "searched_until"],
        "properties": {
            "items": {"type": "array", "items": schema(item)},
            "next_cursor": cursor,
            "searched_until": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": (
                    "Where many entries had to be looked through, and fewer than `limit` were found: how far back that "
                    "was. `next_cursor` goes on from there."
                ),
            },
        },
    }


def _closed(description: str, properties: Node, *required: str) -> Node:
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "properties": properties,
        "additionalProperties": False,
    }


def _flag(description: str) -> Node:
    return {"type": "boolean", "description": description}


def _replay_order() -> Node:
    dry_run = _flag("Only tell how many it would be.")
    up_to = {
        "type": "integer",
        "minimum": 0,
        "maximum": _LARGEST,
        "description": "`up_to` of a dry run: leaves out what has come since.",
    }
    every = {"const": True, "description": "Every delivery that the filter wants is meant, however little it narrows."}
    named = {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_NAMED,
        "items": {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 10**19 - 1},
                {"type": "string", "pattern": REFERENCE_PATTERN},
            ]
        },
        "description": "Numbers of deliveries; ids of exports, webhooks, customer events (of these only dead letters).",
    }
    narrow = {"type": "object", "anyOf": [{"required": [name]} for name in _filter()["properties"] if name != "state"]}
    dead = {
        "type": "object",
        "required": ["state"],
        "properties": {"state": _one_or_more({"const": "dead"})},
    }
    narrowed = {"allOf": [schema("ReplayFilter"), {"anyOf": [narrow, dead]}]}
    of_filter = {"all": {"type": "boolean"}, "dry_run": dry_run, "up_to": up_to}
    return {
        "description": "Which deliveries to try again. A filter means dead letters, unless it names states.",
        "anyOf": [
            _closed("These.", {"deliveries": named, "dry_run": dry_run}, "deliveries"),
            _closed("All that match.", {"filter": narrowed, **of_filter}, "filter"),
            _closed("All.", {**of_filter, "filter": schema("ReplayFilter"), "all": every}, "filter", "all"),
        ],
    }


def _filter() -> Node:
    text = {**text_schema(), "minLength": 1}
    state = {"enum": [str(state) for state in REPLAYABLE]}
    return _closed(
        "Which deliveries, as the list's parameters say it.",
        {
            "state": _one_or_more(state),
            "kind": _one_or_more(text),
            "connection": text,
            "reason": text,
            "since": since_schema(),
            "until": since_schema(),
            "q": {**text_schema(), "minLength": 1},
        },
    )


def _one_or_more(item: Node) -> Node:
    return {"anyOf": [{"type": "array", "minItems": 1, "items": item}, item]}


def _sync_order() -> Node:
    to = {"enum": ["vainu", "aixon"], "description": "`vainu` unless told otherwise."}
    dry_run = _flag("Look, compare and tell; change nothing.")
    full = _flag("Begin anew and send everything.")
    no = {"const": False}
    return {
        "description": "A sync, as `gateway sync` takes it.",
        "anyOf": [
            _closed("Of all customers.", {"to": to, "dry_run": dry_run, "full": full, "delete": no}),
            _closed(
                "Of all customers, deleting at Vainu what the CRM has deleted.",
                {"to": {"const": "vainu"}, "dry_run": dry_run, "full": full, "delete": _flag("Delete.")},
            ),
            _closed(
                "Of those that changed since.",
                {"to": to, "dry_run": dry_run, "since": since_schema(), "full": no, "delete": no},
                "since",
            ),
        ],
    }
