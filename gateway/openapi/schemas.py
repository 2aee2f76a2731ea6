"""`components/schemas`, but for the pushed company, which has modules of its own."""

from typing import get_args

from adapters.contract import EventType, Icon
from adapters.events import DEALS
from gateway.openapi.company_fields import company_field_schemas
from gateway.openapi.event_schemas import event_schemas
from gateway.openapi.operator_schemas import operator_schemas
from gateway.openapi.parameters import EXPORT_ID_PATTERN, UNIQUE_ID_PATTERN
from gateway.openapi.pushed_company import pushed_company_schemas
from gateway.openapi.references import Node, schema


def schemas() -> Node:
    """`components/schemas`."""
    return {
        **pushed_company_schemas(),
        **company_field_schemas(),
        "ExportAnswer": _export_answer(),
        "ExportStanding": _export_standing(),
        "ActivityFeed": _activity_feed(),
        "ActivityEvent": _activity_event(),
        "WebhookAnswer": _webhook_answer(),
        **event_schemas(),
        "Liveness": _object("The process answers.", {"status": {"const": "live"}}),
        "Readiness": _readiness(),
        "Check": _check(),
        "Condition": _condition(),
        "Problem": _problem(),
        "InvalidProblem": _invalid_problem(),
        "ExportProblem": _export_problem(),
        **operator_schemas(),
    }


def _object(description: str, properties: Node, optional: frozenset[str] = frozenset()) -> Node:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "required": required, "properties": properties}


def _unique_id() -> Node:
    return {
        "type": "string",
        "pattern": UNIQUE_ID_PATTERN,
        "description": (
            "The CRM's id of the record (Apptivo: `customerId`; CRM.COM: the contact information's `id`), or `gw_…` "
            "while there is none."
        ),
    }


def _export_answer() -> Node:
    return _object(
        "What Vainu is told of its push.",
        {
            "unique_id": _unique_id(),
            "status": {
                "enum": ["created", "updated", "accepted"],
                "description": "`accepted`: kept, not finished within the budget; the work goes on, with retries.",
            },
            "export_id": {"type": "string", "pattern": EXPORT_ID_PATTERN},
        },
    )


def _export_standing() -> Node:
    return _object(
        "Where an export stands.",
        {
            "export_id": {"type": "string", "pattern": EXPORT_ID_PATTERN},
            "unique_id": _unique_id(),
            "status": {
                "enum": ["created", "updated", "accepted", "dead"],
                "description": "`dead`: it gave up. The export is kept as a dead letter and can be replayed.",
            },
            "attempts": {"type": "integer", "minimum": 0, "description": "How often the CRM was tried."},
            "reason": {
                "type": "string",
                "minLength": 1,
                "description": "What the last attempt failed of; secrets are redacted.",
            },
        },
        optional=frozenset({"reason"}),
    )


def _webhook_answer() -> Node:
    return _object(
        "A webhook that is kept.",
        {
            "id": {"type": "string", "pattern": "^whk_[0-9a-z]{26}$", "description": "Under which it is kept."},
            "duplicate": {"type": "boolean", "description": "It was kept before, under this id."},
        },
    )


def _activity_feed() -> Node:
    return {
        "type": "array",
        "description": "Newest first; ties by id, ascending. No id comes twice.",
        "items": schema("ActivityEvent"),
    }


def _activity_event() -> Node:
    deal = " Only for won, lost and open."
    properties: Node = {
        "id": {
            "type": "string",
            "minLength": 1,
            "description": "`<source>-<kind>-<CRM's id>`; unique in the feed, and the same on every call.",
        },
        "timestamp": {
            "type": "string",
            "format": "date-time",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
            "description": "UTC, milliseconds.",
        },
        "type": {"enum": list(get_args(EventType))},
        "header": _text("The headline, on one line."),
        "text": {**_text("Plain text: HTML of the CRM is read as its text."), "maxLength": 10_000},
        "icon": {"enum": list(get_args(Icon)), "description": "Where absent, Vainu shows its default for the type."},
        "user_email": _text("Whose activity it was."),
        "location": _text("Where a meeting is."),
        "hide_time": {"const": True, "description": "The CRM knows the day only; the time is 00:00 UTC."},
        "value": {"type": "number", "description": f"The deal's amount.{deal}"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": f"ISO 4217.{deal}"},
        "probability_percent": {"type": "number", "minimum": 0, "maximum": 100, "description": deal.strip()},
    }
    optional = frozenset(properties) - {"id", "timestamp", "type"}
    return {
        **_object(
            "One object of Vainu's Activity Feed, fields in this order, absent where empty.", properties, optional
        ),
        "additionalProperties": False,
        "if": {"properties": {"type": {"enum": sorted(DEALS)}}},
        "else": {"properties": {"value": False, "currency": False, "probability_percent": False}},
    }


def _text(description: str) -> Node:
    return {"type": "string", "minLength": 1, "description": description}


def _readiness() -> Node:
    connections = {
        "type": "object",
        "description": "By connection, then by remote system. A CRM that is down does not make the gateway unready.",
        "additionalProperties": {"type": "object", "additionalProperties": schema("Condition")},
    }
    names = ("storage", "worker", "backlog", "disk")
    checks = _object("The gateway is ready if all of them are ok.", {name: schema("Check") for name in names})
    return _object(
        "Whether the gateway can accept and keep work, at most 2 s old.",
        {
            "status": {"enum": ["ready", "not ready"]},
            "checks": checks,
            "connections": connections,
        },
    )


def _check() -> Node:
    return _object(
        "One thing the gateway needs; which figures come with it depends on the check.",
        {
            "ok": {"type": "boolean"},
            "detail": {"type": "string", "description": "What is wrong, or why there is no figure."},
            "write_ms": {"type": "number", "minimum": 0, "description": "storage: how long a write took."},
            "heartbeat_seconds": {"type": "number", "description": "worker: since its last sign of life."},
            "oldest_due_seconds": {
                "type": "number",
                "minimum": 0,
                "description": "backlog: age of the oldest due work.",
            },
            "free_bytes": {"type": "integer", "minimum": 0, "description": "disk: free where the store lies."},
        },
        optional=frozenset({"detail", "write_ms", "heartbeat_seconds", "oldest_due_seconds", "free_bytes"}),
    )


def _condition() -> Node:
    moment = {"type": ["string", "null"], "format": "date-time"}
    return _object(
        "How a remote system last behaved.",
        {
            "state": {"enum": ["unknown", "ok", "failing"]},
            "reason": {
                "type": ["string", "null"],
                "description": "A fixed word, such as `timeout`; null unless failing.",
            },
            "last_ok": moment,
            "last_failure": dict(moment),
        },
    )


def _problem() -> Node:
    return _object(
        "A refusal (RFC 9457). Other members may come with it.",
        {
            "type": {
                "type": "string",
                "pattern": "^urn:vainu-gateway:[a-z_]+$",
                "description": "Ends with a fixed word for the reason.",
            },
            "title": {"type": "string", "description": "The status in words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string", "description": "What was expected, what was got, the next step; for people."},
            "request_id": {"type": "string", "description": "As in `X-Request-ID`."},
        },
    )


def _invalid_problem() -> Node:
    fault = _object(
        "One thing that is wrong.",
        {
            "path": {
                "type": "string",
                "description": "Where: `contacts[3].email`, a query parameter, `$` for the body.",
            },
            "message": {"type": "string"},
        },
    )
    errors = {"type": "array", "minItems": 1, "items": fault, "description": "Every fault."}
    return {
        "description": "A refusal with everything that is wrong.",
        "allOf": [schema("Problem"), {"type": "object", "required": ["errors"], "properties": {"errors": errors}}],
    }


def _export_problem() -> Node:
    export_id = {"type": "string", "pattern": EXPORT_ID_PATTERN, "description": "Where to look how it goes on."}
    return {
        "description": "A refusal of a push that was kept.",
        "allOf": [
            schema("Problem"),
            {"type": "object", "required": ["export_id"], "properties": {"export_id": export_id}},
        ],
    }
