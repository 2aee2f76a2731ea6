"""Schemas, parameters and examples of customer events (CONTRACT section 4; the fields are CRM.COM's, S004)."""

import re
from collections.abc import Iterator

from gateway.openapi.event_rows import KINDS, row_name, row_schemas
from gateway.openapi.references import Node, schema

ID = "evt_01k9y3v4m2f8q7t5r6w1x0z9ab"
_ID_PATTERN = "^evt_[0-9a-z]{26}$"


def event_parameters() -> Node:
    """The parts of `components/parameters` that are about customer events."""
    return {
        "EventsId": {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "The `id` that the request was answered.",
            "schema": {"type": "string", "pattern": _ID_PATTERN},
            "example": ID,
        },
    }


def event_schemas() -> Node:
    """The parts of `components/schemas` that are about customer events."""
    return {
        **{body_name(kind): _body(kind) for kind in KINDS},
        **row_schemas(),
        "EventOutcomes": _object("What became of each row.", _outcomes()),
        "EventsAccepted": _object(
            "Kept; a GET of the same path with this `id` tells how it goes on.",
            {"id": _id(), "status": {"const": "accepted"}},
        ),
        "EventsStanding": _object("Where each row stands.", {**_outcomes(), **_unfinished()}),
        "EventProcessed": _object(
            "A row that the CRM has now.", {"request_unique_identifier": _text(), "id": _text(), "number": _text(0)}
        ),
        "EventFailed": _object(
            "A row that gave up: a dead letter, which can be replayed.",
            {"request_unique_identifier": _text(), "error_code": _text(), "error_description": _text(0)},
        ),
    }


def body_name(kind: str) -> str:
    """The component that describes a body of events of a kind."""
    return f"{row_name(kind)}s"


def set_names(kind: str) -> tuple[str, str]:
    """Under which of an object's fields the events stand: as CRM.COM calls it, which goes before, and as the path."""
    word = re.sub("(?<=[a-z])(?=[A-Z])", "_", KINDS[kind]).lower()
    # `web` and `social_media` are the same both ways
    return f"{word}_customer_events_set", f"{kind}_customer_events_set"


def _body(kind: str) -> Node:
    rows = {"type": "array", "minItems": 1, "uniqueItems": True, "items": schema(row_name(kind))}
    names = dict.fromkeys(set_names(kind))
    beside: Node = {"intended_currency_identifier": _currency()} if kind == "purchases" else {}
    return {
        "description": (
            f"An array of events, or an object with one under {' or '.join(f'`{name}`' for name in names)}. "
            "No `request_unique_identifier` comes twice."
        ),
        "anyOf": [rows, *_sets(list(names), rows, beside)],
    }


def _sets(names: list[str], rows: Node, beside: Node) -> Iterator[Node]:
    for place, name in enumerate(names):
        others = dict.fromkeys(names[:place], False)
        yield {"type": "object", "required": [name], "properties": {**others, name: dict(rows), **beside}}


def _currency() -> Node:
    return {"anyOf": [schema("CurrencyIdentifier"), {"type": "null"}], "description": "That of every event."}


def _outcomes() -> Node:
    return {
        "id": _id(),
        "processed": {"type": "array", "items": schema("EventProcessed")},
        "failed": {"type": "array", "items": schema("EventFailed")},
    }


def _unfinished() -> Node:
    pending = {
        "type": "object",
        "description": "A row that waits; `error_code` and `error_description` say what its last attempt failed of.",
        "required": ["request_unique_identifier", "attempts"],
        "properties": {
            "request_unique_identifier": _text(),
            "attempts": {"type": "integer", "minimum": 0},
            "error_code": _text(),
            "error_description": _text(0),
        },
    }
    return {
        "status": {"enum": ["accepted", "done"], "description": "`done`: no row waits any more."},
        "pending": {"type": "array", "items": pending},
    }


def _id() -> Node:
    return {"type": "string", "pattern": _ID_PATTERN, "description": "Under which the rows are kept."}


def _text(shortest: int = 1) -> Node:
    return {"type": "string", "minLength": shortest} if shortest else {"type": "string"}


def _object(description: str, properties: Node) -> Node:
    return {"type": "object", "description": description, "required": list(properties), "properties": properties}
