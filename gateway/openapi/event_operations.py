"""The operations for customer events: rows for CRM.COM, and what became of them."""

import json

from gateway.openapi.answers import refusals
from gateway.openapi.content import json_body, sample
from gateway.openapi.event_examples import event_example, example_names
from gateway.openapi.event_rows import KINDS, row_name
from gateway.openapi.event_schemas import ID, body_name
from gateway.openapi.references import Node, example, schema
from gateway.openapi.security import connection_auth

_PROCESSED = {"request_unique_identifier": "1", "id": "3C9F1A52E7B04D6FA0815C2D9E4B7731", "number": "4711"}
_FAILED = {
    "request_unique_identifier": "2",
    "error_code": "NotFoundAPIValueException",
    "error_description": "Error:Account (ACR0000000165) Not Found.",
}
_REFUSALS = (
    "BadRequest",
    "Unauthorized",
    "Forbidden",
    "NoSuchEventKind",
    "BodyTimeout",
    "BodyTooLarge",
    "NotJsonType",
    "Invalid",
    "TooManyRequests",
    "Unavailable",
)
_OUTCOMES = {"id": ID, "processed": [_PROCESSED], "failed": [_FAILED]}


def event_paths() -> dict[str, tuple[str, Node, tuple[str, ...]]]:
    """By path: the method, the operation, and the path's parameters; a path for each kind, with its own fields."""
    place = "/crm/{connection}/customer-events/"
    return {
        **{place + kind: ("post", _take(kind), ("Connection",)) for kind in KINDS},
        **{f"{place}{kind}/{{id}}": ("get", _standing(kind), ("Connection", "EventsId")) for kind in KINDS},
    }


def _take(kind: str) -> Node:
    return {
        "operationId": f"push{row_name(kind)}s",
        "tags": ["Customer events"],
        "summary": f"Push customer events to the CRM: {_in_words(kind)}",
        "description": (
            "Checks every row, keeps all of them or none, and pushes them together with those of other requests, at "
            "most 1,000 in a call. A row that fails for a passing reason is tried again without the others; one that "
            "the CRM refuses becomes a dead letter with the CRM's code and text. No row is sent twice because of a "
            "crash or a lost answer, but this request, sent twice, makes every event twice."
        ),
        "security": connection_auth("gateway:events"),
        "requestBody": {
            "required": True,
            "description": "JSON, declared as `application/json`, as any `+json`, or not at all.",
            "content": {
                "application/json": {
                    "schema": schema(body_name(kind)),
                    "examples": {name: example(name) for name in example_names(kind)},
                }
            },
        },
        "responses": {
            "200": json_body("Every row is finished.", schema("EventOutcomes"), _OUTCOMES),
            "202": json_body(
                "Kept, and not finished within `export.budget_ms`; the work goes on, with retries.",
                schema("EventsAccepted"),
                {"id": ID, "status": "accepted"},
            ),
            **refusals(*_REFUSALS),
        },
        "x-codeSamples": [
            sample(
                "Push an event",
                f'curl -sS "$GATEWAY/crm/globex/customer-events/{kind}" -H "API-Key: $KEY" \\\n'
                f"  -H \"Content-Type: application/json\" -d '{json.dumps([event_example(kind)], indent=2)}'",
            )
        ],
    }


def _standing(kind: str) -> Node:
    return {
        "operationId": f"get{row_name(kind)}s",
        "tags": ["Customer events"],
        "summary": f"What became of customer events, row by row: {_in_words(kind)}",
        "description": "Rows that were done more than `storage.retention_days` ago are no longer told.",
        "security": connection_auth("gateway:events"),
        "responses": {
            "200": json_body(
                "Where each row stands.",
                schema("EventsStanding"),
                {**_OUTCOMES, "status": "accepted", "pending": [{"request_unique_identifier": "3", "attempts": 0}]},
            ),
            **refusals(
                "AmbiguousProof",
                "Unauthorized",
                "Forbidden",
                "NoSuchEvents",
                "TooManyRequests",
                "Unavailable",
            ),
        },
        "x-codeSamples": [
            sample(
                "Ask what became of a request",
                f'curl -sS "$GATEWAY/crm/globex/customer-events/{kind}/{ID}" -H "API-Key: $KEY"',
            )
        ],
    }


def _in_words(kind: str) -> str:
    return kind.replace("_", " ")
