"""Parameters of paths, queries and headers, with exactly the values that the service accepts."""

from typing import get_args

from adapters.contract import EventType
from gateway.openapi.event_schemas import event_parameters
from gateway.openapi.operator_parameters import operator_parameters
from gateway.openapi.references import Node

CONNECTION_PATTERN = "^[a-z0-9][a-z0-9-]{0,62}$"
UNIQUE_ID_PATTERN = "^[A-Za-z0-9_-]{1,128}$"
EXPORT_ID_PATTERN = "^exp_[0-9a-z]{26}$"


def parameters() -> Node:
    """`components/parameters`."""
    return {
        "Connection": {
            "name": "connection",
            "in": "path",
            "required": True,
            "description": "The connection's name. One that does not exist is answered like wrong credentials.",
            "schema": {"type": "string", "pattern": CONNECTION_PATTERN},
            "example": "acme",
        },
        "UniqueId": {
            "name": "unique_id",
            "in": "path",
            "required": True,
            "description": (
                "The id that an export answered, or the CRM's own id of a customer that was never exported here. "
                "Both ids of a company, `gw_…` and the CRM's, stay valid for ever."
            ),
            "schema": {"type": "string", "pattern": UNIQUE_ID_PATTERN},
            "example": "10235",
        },
        "ExportId": {
            "name": "export_id",
            "in": "path",
            "required": True,
            "description": "The `export_id` of an answered push.",
            "schema": {"type": "string", "pattern": EXPORT_ID_PATTERN},
            "example": "exp_01k9y3v4m2f8q7t5r6w1x0z9ab",
        },
        **event_parameters(),
        **operator_parameters(),
        "CustomerDataId": _customer_data_id(),
        "Limit": {
            "name": "limit",
            "in": "query",
            "description": "So many of the newest events. The connection's `feed.limit` is the default and the most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
            "example": 20,
        },
        "Since": _since(),
        "Type": {
            "name": "type",
            "in": "query",
            "description": "Only events of this type; may be repeated.",
            "style": "form",
            "explode": True,
            "schema": {"type": "array", "items": {"type": "string", "enum": list(get_args(EventType))}},
            "example": ["call", "meeting"],
        },
        "IfNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "description": "The `ETag` of an earlier answer, several, or `*`: 304 if the feed is still the same.",
            "schema": {"type": "string"},
        },
        "RequestId": {
            "name": "X-Request-ID",
            "in": "header",
            "description": "Kept and sent back if it is 1 to 128 of `A-Z a-z 0-9 . _ -`; else the gateway gives one.",
            "schema": {"type": "string"},
        },
    }


def _customer_data_id() -> Node:
    return {
        "name": "id",
        "in": "query",
        "description": (
            'Vainu\'s id of the customer data that it made for this export ("Create Customer Data entity"). '
            "Goes before an `id` in the body; an empty one counts as none."
        ),
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{0,128}$"},
        "example": "5af06d0c2b1e4c0001a7c1d2",
    }


def _since() -> Node:
    return {
        "name": "since",
        "in": "query",
        "description": (
            "Only events at or after this time: ISO 8601, or Unix time in seconds, milliseconds, microseconds or "
            "nanoseconds (told by its magnitude). A date-time without an offset is read in the connection's time zone; "
            "week dates, ordinal dates and the basic form are read, too."
        ),
        "schema": {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
                {"type": "string", "pattern": r"^(?:[0-9]{1,20}|-[0-9]{1,10})(?:\.[0-9]+)?$"},
            ]
        },
        "example": "2026-01-31T00:00:00Z",
    }
