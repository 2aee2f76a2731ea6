"""Parameters of `/api`, with exactly the values that `gateway.operator.queries` reads. A blank one counts as none."""

from gateway.ids import ID_DIGITS
from gateway.openapi.references import Node
from gateway.operator import cursors
from gateway.operator.queries import JOBS, LIMIT, LONGEST_TEXT, MAX_LIMIT, STATES

_BLANK: Node = {"type": "string", "maxLength": 0}
_SEARCH = (
    "A search, by indexes only: a delivery's number; an export's, a webhook's or customer events' id; a unique_id, a "
    "CRM's record id; a company's name, business id, domain or vid, or how these begin. The newest 1,000 that fit."
)


def text_schema() -> Node:
    """A text that is searched for or compared."""
    return {"type": "string", "maxLength": LONGEST_TEXT, "pattern": "^[^\\u0000]*$"}


def since_schema() -> Node:
    """A point in time; without an offset it is UTC."""
    return {
        "anyOf": [
            {"type": "string", "format": "date-time"},
            {"type": "string", "format": "date"},
            {"type": "string", "pattern": r"^(?:[0-9]{1,20}|-[0-9]{1,10})(?:\.[0-9]+)?$"},
        ]
    }


def operator_parameters() -> Node:
    """`components/parameters` of `/api`."""
    return {
        "OfState": _query("state", _many({"enum": [*STATES, ""]}), "Only of this state; may be repeated.", ["dead"]),
        "OfKind": _query("kind", _many(text_schema()), "Only of this kind; may be repeated.", ["export"]),
        "OfConnection": _query("connection", text_schema(), "Only of this connection.", "acme"),
        "OfReason": _query("reason", text_schema(), "Only with this fixed word as the last failure.", "timeout"),
        "FromTime": _query("since", _or_blank(since_schema()), "From this time on; UTC without an offset."),
        "UntilTime": _query("until", _or_blank(since_schema()), "Before this time."),
        "Search": _query("q", text_schema(), _SEARCH, "Oy Samlink"),
        "PageLimit": _query(
            "limit",
            _or_blank({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT}),
            f"So many at most; {LIMIT} unless told otherwise.",
            20,
        ),
        "DeliveryCursor": _cursor(cursors.DELIVERIES_PATTERN),
        "ExportCursor": _cursor(cursors.EXPORTS_PATTERN),
        "SyncCursor": _cursor(cursors.SYNCS_PATTERN),
        "AuditCursor": _cursor(cursors.AUDIT_PATTERN),
        "Who": _query("who", text_schema(), "Only by this operator.", "token 14265c6f61ea"),
        "Action": _query("action", text_schema(), "Only this action.", "replay"),
        "OfJob": _query("job", {"enum": [*JOBS, ""]}, "Only of this job.", "export"),
        "KnownConnection": _path("connection", {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}, "acme"),
        "DeliveryId": _path("delivery_id", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, 4711),
        "WebhookId": _path(
            "webhook_id", {"type": "string", "pattern": f"^whk_[{ID_DIGITS}]{{26}}$"}, "whk_01k9y3v4m2f8q7t5r6w1x0z9ab"
        ),
        "RunId": _path("run_id", {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, 12),
    }


def _or_blank(value: Node) -> Node:
    return {"anyOf": [value, dict(_BLANK)]}


def _many(item: Node) -> Node:
    return {"type": "array", "items": item}


def _query(name: str, value: Node, description: str, example: object = None) -> Node:
    found: Node = {"name": name, "in": "query", "description": description, "schema": value}
    if value.get("type") == "array":
        found |= {"style": "form", "explode": True}
    return found if example is None else {**found, "example": example}


def _cursor(pattern: str) -> Node:
    described = "`next_cursor` of the page before. It stays good whatever comes in meanwhile."
    return _query("cursor", _or_blank({"type": "string", "pattern": pattern}), described)


def _path(name: str, value: Node, example: object) -> Node:
    words = {"connection": "The connection's name.", "webhook_id": "The id that the sender was told."}
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": words.get(name, "Its number."),
        "schema": value,
        "example": example,
    }
