"""The operations of `/api`: what operators see and do."""

from gateway.openapi.answers import refusals
from gateway.openapi.content import json_body, sample
from gateway.openapi.examples import pushes
from gateway.openapi.operator_examples import shown
from gateway.openapi.references import Node, example, parameter, schema
from gateway.openapi.security import operator_auth

_AUTH = '-H "Authorization: Bearer $OPERATOR_TOKEN"'
_ASKED = ("OperatorUnauthorized", "TooManyRequests", "Unavailable")
_SENT = ("BadRequest", "BodyTimeout", "BodyTooLarge", "NotJsonType", "Invalid")
_OF_DELIVERIES = ("OfState", "OfKind", "OfConnection", "OfReason", "FromTime", "UntilTime", "Search", "PageLimit")
_OF_EXPORTS = ("OfState", "OfConnection", "OfReason", "FromTime", "UntilTime", "Search", "PageLimit")
_LOOKS_THROUGH = (
    "Newest first. A filter that wants few of many looks through 50,000 entries at most: `searched_until` tells how "
    "far back that was, and `next_cursor` goes on."
)


def operator_paths() -> dict[str, tuple[str, Node, tuple[str, ...]]]:
    """By path: the method, the operation, and the path's parameters."""
    return {
        "/api/overview": _get("getOverview", "The whole gateway at a glance", "Overview"),
        "/api/connections": _get("listConnections", "Every connection", "ConnectionList"),
        "/api/connections/{connection}": _get(
            "getConnection", "A connection at a glance", "ConnectionStatus", "NoSuchThing", of=("KnownConnection",)
        ),
        "/api/connections/{connection}/feed/{unique_id}": _feed(),
        "/api/connections/{connection}/mapping": _mapping(),
        "/api/connections/{connection}/syncs": _start_sync(),
        "/api/exports": _list("listExports", "Exports", "ExportPage", (*_OF_EXPORTS, "ExportCursor")),
        "/api/exports/{export_id}": _get(
            "getExportDetail", "Everything about an export", "ExportDetail", "NoSuchThing", of=("ExportId",)
        ),
        "/api/webhooks": _list("listWebhooks", "Webhooks", "DeliveryPage", (*_without("OfKind"), "DeliveryCursor")),
        "/api/webhooks/{webhook_id}": _get(
            "getWebhook", "Everything about a webhook", "DeliveryDetail", "NoSuchThing", of=("WebhookId",)
        ),
        "/api/deliveries": _list("listDeliveries", "Deliveries", "DeliveryPage", (*_OF_DELIVERIES, "DeliveryCursor")),
        "/api/deliveries/replay": _replay(),
        "/api/deliveries/{delivery_id}": _get(
            "getDelivery", "Everything about a delivery", "DeliveryDetail", "NoSuchThing", of=("DeliveryId",)
        ),
        "/api/deliveries/{delivery_id}/replay": _replay_one(),
        "/api/dead-letters": _list(
            "listDeadLetters", "Deliveries that gave up", "DeliveryPage", (*_without("OfState"), "DeliveryCursor")
        ),
        "/api/syncs": _list(
            "listSyncs", "Runs of the customer sync", "SyncPage", ("OfConnection", "PageLimit", "SyncCursor")
        ),
        "/api/syncs/{run_id}": _get("getSync", "A run with its progress", "SyncLine", "NoSuchThing", of=("RunId",)),
        "/api/configuration": _get("getConfiguration", "Every setting in force, secrets masked", "Configuration"),
        "/api/audit": _list(
            "listAudit", "Who did what, when, from where", "AuditPage", ("Who", "Action", "PageLimit", "AuditCursor")
        ),
        "/api/history": _history(),
    }


def _without(name: str) -> tuple[str, ...]:
    return tuple(each for each in _OF_DELIVERIES if each != name)


Described = tuple[str, Node, tuple[str, ...]]


def _get(
    operation_id: str, summary: str, answer: str, *refused: str, of: tuple[str, ...] = (), description: str = ""
) -> Described:
    operation: Node = {
        "operationId": operation_id,
        "tags": ["Operators"],
        "summary": summary,
        **({"description": description} if description else {}),
        "security": operator_auth(),
        "responses": {
            "200": json_body("As it is now.", schema(answer), shown(answer), "Cache-Control"),
            **refusals("AmbiguousProof", *_ASKED, *refused),
        },
        "x-codeSamples": [sample("Ask", f'curl -sS "$GATEWAY{_PLACES[operation_id]}" {_AUTH}')],
    }
    return "get", operation, of


_PLACES = {
    "getOverview": "/api/overview",
    "listConnections": "/api/connections",
    "getConnection": "/api/connections/acme",
    "previewFeed": "/api/connections/acme/feed/10235",
    "listExports": "/api/exports?state=dead&connection=acme",
    "getExportDetail": "/api/exports/exp_01k9y3v4m2f8q7t5r6w1x0z9ab",
    "listWebhooks": "/api/webhooks?since=2026-01-31",
    "getWebhook": "/api/webhooks/whk_01k9y3v4m2f8q7t5r6w1x0z9ab",
    "listDeliveries": "/api/deliveries?q=Oy%20Samlink",
    "getDelivery": "/api/deliveries/4711",
    "listDeadLetters": "/api/dead-letters?reason=timeout",
    "listSyncs": "/api/syncs",
    "getSync": "/api/syncs/12",
    "getConfiguration": "/api/configuration",
    "listAudit": "/api/audit?action=replay",
    "getHistory": "/api/history?connection=acme&job=export",
}


def _list(operation_id: str, summary: str, answer: str, parameters: tuple[str, ...]) -> Described:
    method, operation, of = _get(operation_id, summary, answer, "Invalid", description=_LOOKS_THROUGH)
    if answer in ("SyncPage", "AuditPage"):
        operation["description"] = "Newest first."
    return method, {**operation, "parameters": [parameter(name) for name in parameters]}, of


def _history() -> Described:
    described = (
        "Counts, errors by reason and latencies of every job, and the age of the oldest due delivery: the last hour, "
        "or what `since` and `until` name, in at most 240 intervals. Latencies are read from buckets dense around "
        "Vainu's 3 s. Every gateway hands its counts over about every ten seconds."
    )
    method, operation, of = _get("getHistory", "Series ready for charts", "History", "Invalid", description=described)
    names = ("OfConnection", "OfJob", "FromTime", "UntilTime")
    return method, {**operation, "parameters": [parameter(name) for name in names]}, of


def _feed() -> Described:
    described = "Asks the CRM now. With what is left out, and why."
    return _get(
        "previewFeed",
        "A customer's feed as Vainu would get it",
        "FeedPreview",
        "NoSuchThing",
        "FeedFailed",
        "FeedTimedOut",
        of=("KnownConnection", "UniqueId"),
        description=described,
    )


def _post(
    operation_id: str, summary: str, description: str, body: Node, answers: Node, of: tuple[str, ...], *refused: str
) -> Described:
    operation = {
        "operationId": operation_id,
        "tags": ["Operators"],
        "summary": summary,
        "description": description,
        "security": operator_auth(),
        "requestBody": {
            "required": True,
            "description": "JSON, declared as `application/json`, as any `+json`, or not at all.",
            "content": {"application/json": body},
        },
        "responses": {**answers, **refusals(*_SENT, *_ASKED, *refused)},
    }
    return "post", operation, of


def _sampled(described: Described, label: str, place: str, body: str) -> Described:
    method, operation, of = described
    source = f'curl -sS "$GATEWAY{place}" {_AUTH} \\\n  -H "Content-Type: application/json" -d \'{body}\''
    return method, {**operation, "x-codeSamples": [sample(label, source)]}, of


def _mapping() -> Described:
    described = _post(
        "previewMapping",
        "What the CRM would get of an export",
        "Takes an export as Vainu would push it, and tells field by field what the CRM would get, and from where; "
        "found by the code of a real export. Nothing is sent, nothing is kept.",
        {"schema": schema("PushedCompany"), "examples": {name: example(name) for name in pushes()}},
        {"200": json_body("The calls that would be made.", schema("MappingPreview"), shown("MappingPreview"))},
        ("KnownConnection",),
        "NoSuchThing",
        "Conflict",
    )
    body = '{"company_name": "Oy Samlink Ab", "business_id": "09704098", "country": "FI"}'
    return _sampled(described, "Look", "/api/connections/acme/mapping", body)


def _start_sync() -> Described:
    described = _post(
        "startSync",
        "Begin a sync of a connection's customers",
        "It runs in the background of the gateway that answers, and goes on in the next sync if that goes down. One at "
        "a time for a connection and target.",
        {"schema": schema("SyncOrder"), "example": {"to": "vainu"}},
        {"202": json_body("It has begun.", schema("SyncLine"), shown("SyncLine"), "Cache-Control")},
        ("KnownConnection",),
        "NoSuchThing",
        "Conflict",
    )
    return _sampled(described, "Begin", "/api/connections/acme/syncs", '{"to": "vainu", "dry_run": true}')


def _replay() -> Described:
    order: Node = {"filter": {"connection": "acme", "reason": "timeout"}, "dry_run": True}
    described = _post(
        "replayDeliveries",
        "Try deliveries again",
        "Those named, or all that match a filter: dead letters, unless it names states. Ask with `dry_run` first how "
        "many it would be. What is pending or running is left as it is.",
        {"schema": schema("ReplayOrder"), "example": order},
        {"200": json_body("What was done.", schema("ReplayOutcome"), shown("ReplayOutcome"), "Cache-Control")},
        (),
    )
    body = '{"filter": {"connection": "acme", "reason": "timeout"}, "dry_run": true}'
    return _sampled(described, "Count first", "/api/deliveries/replay", body)


def _replay_one() -> Described:
    described = _post(
        "replayDelivery",
        "Try a delivery again",
        "What is pending or running is left as it is, and told under `left`.",
        {"schema": schema("SingleReplay"), "example": {}},
        {"200": json_body("What was done.", schema("ReplayOutcome"), shown("ReplayOutcome"), "Cache-Control")},
        ("DeliveryId",),
        "NoSuchThing",
    )
    return _sampled(described, "Replay", "/api/deliveries/4711/replay", "{}")
