"""The operations for customer events: rows for CRM.COM, and what became of them."""

from gateway.openapi.answers import refusals
from gateway.openapi.content import json_body, sample
from gateway.openapi.event_schemas import ID
from gateway.openapi.references import Node, example, schema
from gateway.openapi.security import connection_auth

_PROCESSED = {"request_unique_identifier": "1", "id": "3C9F1A52E7B04D6FA0815C2D9E4B7731", "number": "4711"}
_FAILED = {
    "request_unique_identifier": "2",
    "error_code": "NotFoundAPIValueException",
    "error_description": "Error:Account (ACR0000000165) Not Found.",
}
_OUTCOMES = {"id": ID, "processed": [_PROCESSED], "failed": [_FAILED]}


def take() -> Node:
    """`POST /crm/{connection}/customer-events/{kind}`."""
    return {
        "operationId": "takeCustomerEvents",
        "tags": ["Customer events"],
        "summary": "Push customer events to the CRM",
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
                    "schema": schema("CustomerEvents"),
                    "examples": {name: example(name) for name in ("purchases", "purchasesSet")},
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
            **refusals(
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
            ),
        },
        "x-codeSamples": [
            sample(
                "Push a purchase",
                'curl -sS "$GATEWAY/crm/globex/customer-events/purchases" -H "API-Key: $KEY" \\\n'
                '  -H "Content-Type: application/json" \\\n'
                '  -d \'[{"request_unique_identifier": "1", "performed_on": "2026-11-20T15:00:00", \'\\\n'
                '\'"performed_by_unit_identifier": {"name": "Admin Unit"}, "reference_number": "R-1", \'\\\n'
                '\'"accounts_receivable_identifier": {"number": "ACR0000000164"}, "products_set": \'\\\n'
                '\'[{"product_identifier": {"code": "Bronze"}, "net_amount": 50, "vat_amount": 10, \'\\\n'
                "'\"total_amount\": 60}]}]'",
            )
        ],
    }


def standing() -> Node:
    """`GET /crm/{connection}/customer-events/{kind}/{id}`."""
    return {
        "operationId": "getCustomerEvents",
        "tags": ["Customer events"],
        "summary": "What became of customer events, row by row",
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
                f'curl -sS "$GATEWAY/crm/globex/customer-events/purchases/{ID}" -H "API-Key: $KEY"',
            )
        ],
    }
