"""The operations that Vainu calls: exports, the activity feed, links to records."""

from gateway.openapi.answers import refusals
from gateway.openapi.content import headers_of, json_body, sample
from gateway.openapi.examples import pushes
from gateway.openapi.references import Node, example, parameter, schema
from gateway.openapi.security import connection_auth


def push() -> Node:
    """`POST /vainu/{connection}/exports`."""
    answer = schema("ExportAnswer")
    created = {"allOf": [answer, {"properties": {"status": {"const": "created"}}}]}
    found = {"allOf": [answer, {"properties": {"status": {"enum": ["updated", "accepted"]}}}]}
    return {
        "operationId": "pushExport",
        "tags": ["Export"],
        "summary": "Export a company to the CRM",
        "description": (
            "Keeps the push, then brings it to the CRM, and answers within the connection's `export.budget_ms`. "
            "The same company on the same connection always gets the same `unique_id` and never a second record, "
            "however often and in however many spellings it is pushed."
        ),
        "security": connection_auth("gateway:export"),
        "parameters": [parameter("CustomerDataId")],
        "requestBody": {
            "required": True,
            "description": "JSON, declared as `application/json`, as any `+json`, or not at all.",
            "content": {
                "application/json": {
                    "schema": schema("PushedCompany"),
                    "examples": {name: example(name) for name in pushes()},
                }
            },
        },
        "responses": {
            "200": json_body("Updated; or accepted, and not finished within the budget.", found, _answered("updated")),
            "201": json_body("The record was created.", created, _answered("created")),
            **refusals(
                "BadRequest",
                "Unauthorized",
                "Forbidden",
                "BodyTimeout",
                "BodyTooLarge",
                "NotJsonType",
                "Invalid",
                "TooManyRequests",
                "ExportRefused",
                "Unavailable",
                "ExportTimedOut",
            ),
        },
        "x-codeSamples": [
            sample(
                "Push a company",
                'curl -sS "$GATEWAY/vainu/acme/exports" -H "API-Key: $KEY" -H "Content-Type: application/json" \\\n'
                '  -d \'{"company_name": "Oy Samlink Ab", "business_id": "09704098", "country": "FI"}\'',
            ),
            sample(
                "With the id of Vainu's customer data in the query",
                'curl -sS "$GATEWAY/vainu/acme/exports?id=5af06d0c2b1e4c0001a7c1d2" -H "API-Key: $KEY" \\\n'
                '  -H "Content-Type: application/json" \\\n'
                '  -d \'{"prospect": {"company_name": "Oy Samlink Ab", "vid": 253870}}\'',
            ),
        ],
    }


def _answered(status: str) -> Node:
    return {"unique_id": "10235", "status": status, "export_id": "exp_01k9y3v4m2f8q7t5r6w1x0z9ab"}


def standing() -> Node:
    """`GET /vainu/{connection}/exports/{export_id}`."""
    return {
        "operationId": "getExport",
        "tags": ["Export"],
        "summary": "Where an export stands",
        "security": connection_auth("gateway:export"),
        "responses": {
            "200": json_body("Where it stands.", schema("ExportStanding"), {**_answered("created"), "attempts": 1}),
            **refusals(
                "AmbiguousProof",
                "Unauthorized",
                "Forbidden",
                "NoSuchExport",
                "TooManyRequests",
                "Unavailable",
            ),
        },
        "x-codeSamples": [
            sample(
                "Ask for an export",
                'curl -sS "$GATEWAY/vainu/acme/exports/exp_01k9y3v4m2f8q7t5r6w1x0z9ab" -H "API-Key: $KEY"',
            )
        ],
    }


def activities() -> Node:
    """`GET /vainu/{connection}/activities/{unique_id}`."""
    headers = ("ETag", "Cache-Control", "Server-Timing", "Gateway-Partial", "Gateway-Stale", "Gateway-Rejected-Events")
    feed = json_body("The feed.", schema("ActivityFeed"), None, *headers)
    feed["content"]["application/json"]["examples"] = {"feed": example("feed")}
    return {
        "operationId": "getActivities",
        "tags": ["Activity feed"],
        "summary": "A customer's activity feed",
        "description": (
            "A bare array, newest first. All of the CRM's sources are asked at the same time within `feed.budget_ms`; "
            "what did not arrive is left out and named in `Gateway-Partial`. If no source answers, the last good feed "
            "is served for `feed.stale_seconds`, with `Gateway-Stale`. Vainu's Activity Feed URL is this one with "
            "`{}` in the place of the unique_id."
        ),
        "security": connection_auth("gateway:feed"),
        "parameters": [parameter(name) for name in ("Limit", "Since", "Type", "IfNoneMatch")],
        "responses": {
            "200": feed,
            "304": {"description": "The feed is still the same.", "headers": headers_of(*headers)},
            **refusals(
                "AmbiguousProof",
                "Unauthorized",
                "Forbidden",
                "NoSuchRecord",
                "Invalid",
                "TooManyRequests",
                "FeedFailed",
                "Unavailable",
                "FeedTimedOut",
            ),
        },
        "x-codeSamples": [
            sample(
                "The newest calls and meetings",
                'curl -sS "$GATEWAY/vainu/acme/activities/10235?limit=20&type=call&type=meeting" -H "API-Key: $KEY"',
            )
        ],
    }


def record() -> Node:
    """`GET /vainu/{connection}/records/{unique_id}`."""
    return {
        "operationId": "openRecord",
        "tags": ["Activity feed"],
        "summary": "The CRM's own page of a customer",
        "description": "For a person's browser. Needs no credentials, and tells nothing but the link.",
        "security": [],
        "responses": {
            "302": {
                "description": "To the CRM's page.",
                "headers": {**headers_of("Location", "Cache-Control")},
            },
            **refusals("NoSuchPage", "TooManyRequests", "Unavailable"),
        },
        "x-codeSamples": [sample("Where the page is", 'curl -sSI "$GATEWAY/vainu/acme/records/10235"')],
    }
