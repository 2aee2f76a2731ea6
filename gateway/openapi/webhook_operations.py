"""The operations that tell the gateway of changes: company changes from Vainu, webhooks of the CRM."""

from gateway.openapi.answers import refusals
from gateway.openapi.content import json_body, sample
from gateway.openapi.references import Node, example, schema
from gateway.openapi.security import connection_auth, webhook_auth


def from_vainu() -> Node:
    """`POST /vainu/{connection}/webhooks`."""
    change = {"schema": schema("CompanyChange"), "examples": {"companyChange": example("companyChange")}}
    return {
        "operationId": "takeCompanyChange",
        "tags": ["Webhooks"],
        "summary": "A company changed in Vainu",
        "description": (
            "Keeps the change, and brings it to the CRM's record afterwards. Vainu gives it no id: a change with the "
            "same content, but for `number_of_tries`, is a repeat."
        ),
        "security": connection_auth("gateway:webhooks"),
        "requestBody": _body(change),
        "responses": {
            **_kept(),
            **refusals(
                "BadRequest",
                "Unauthorized",
                "Forbidden",
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
                "Send a change",
                'curl -sS "$GATEWAY/vainu/acme/webhooks" -H "API-Key: $KEY" -H "Content-Type: application/json" \\\n'
                '  -d \'{"unique_id": "10235", "data": {"staff_number": 412}}\'',
            )
        ],
    }


def from_crm() -> Node:
    """`POST /crm/{connection}/webhooks`."""
    body = {
        "schema": {"description": "Whatever the CRM sends; each adapter's NOTES.md says which fields are read."},
        "examples": {"crmWebhook": example("crmWebhook")},
    }
    return {
        "operationId": "takeCrmWebhook",
        "tags": ["Webhooks"],
        "summary": "Something happened in the CRM",
        "description": (
            "Verifies the raw bytes, keeps them, and works afterwards: reads the record anew from the CRM and "
            "refreshes Vainu's customer data. A repeat has the same `webhook-id`; else the CRM's same event id; else "
            "the same body. A genuine event that needs no action is kept as well."
        ),
        "security": webhook_auth(),
        "requestBody": _body(body),
        "responses": {
            **_kept(),
            **refusals(
                "BadRequest",
                "Unauthorized",
                "BodyTimeout",
                "BodyTooLarge",
                "NotJsonType",
                "TooManyRequests",
                "Unavailable",
            ),
        },
        "x-codeSamples": [
            sample(
                "Sign and send, by the Standard Webhooks specification",
                "BODY='{\"customerId\": 10235}' ID=msg_1 AT=$(date +%s)\n"
                'SIGNATURE=$(printf %s "$ID.$AT.$BODY" | openssl dgst -sha256 -hmac "$SECRET" -binary | base64)\n'
                'curl -sS "$GATEWAY/crm/acme/webhooks" -H "Content-Type: application/json" \\\n'
                '  -H "webhook-id: $ID" -H "webhook-timestamp: $AT" -H "webhook-signature: v1,$SIGNATURE" -d "$BODY"',
            )
        ],
    }


def _body(content: Node) -> Node:
    return {
        "required": True,
        "description": "JSON, declared as `application/json`, as any `+json`, or not at all.",
        "content": {"application/json": content},
    }


def _kept() -> Node:
    new = {"id": "whk_01k9y3v4m2f8q7t5r6w1x0z9ab", "duplicate": False}
    return {
        "200": json_body("A repeat: it was kept before.", schema("WebhookAnswer"), {**new, "duplicate": True}),
        "202": json_body("Kept; the work follows.", schema("WebhookAnswer"), new),
    }
