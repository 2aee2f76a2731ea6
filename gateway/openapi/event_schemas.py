"""Schemas, parameters and examples of customer events (CONTRACT section 4; the fields are CRM.COM's, S004)."""

from gateway.openapi.references import Node, schema

ID = "evt_01k9y3v4m2f8q7t5r6w1x0z9ab"
_ID_PATTERN = "^evt_[0-9a-z]{26}$"
KINDS = ("achievements", "purchases", "referrals", "social_media", "web", "financial_achievements")


def event_parameters() -> Node:
    """The parts of `components/parameters` that are about customer events."""
    return {
        "EventKind": {
            "name": "kind",
            "in": "path",
            "required": True,
            "description": "Which customer events.",
            "schema": {"type": "string", "enum": list(KINDS)},
            "example": "purchases",
        },
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
        "CustomerEvents": _body(),
        "CustomerEvent": _event(),
        "EventIdentifier": {
            "type": "object",
            "description": "What identifies something in the CRM; one of the fields is enough.",
            "properties": {name: _text() for name in ("id", "number", "code", "name", "alternative_code")},
            "minProperties": 1,
        },
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


def event_examples() -> Node:
    """The parts of `components/examples` that are about customer events."""
    return {
        "purchases": {"summary": "A bare array", "value": [_purchase()]},
        "purchasesSet": {"summary": "As CRM.COM's own set", "value": {"purchases_customer_events_set": [_purchase()]}},
    }


def _body() -> Node:
    rows = {"type": "array", "minItems": 1, "items": schema("CustomerEvent")}
    names = [f"{kind}_customer_events_set" for kind in KINDS]
    return {
        "description": (
            "An array of events, or an object with one under `<kind>_customer_events_set`, `kind` as in the path. "
            "No `request_unique_identifier` comes twice."
        ),
        "anyOf": [
            rows,
            {
                "type": "object",
                "anyOf": [{"required": [name]} for name in names],
                "properties": {name: dict(rows) for name in names},
            },
        ],
    }


def _event() -> Node:
    identifier = schema("EventIdentifier")
    product = _object(
        "A product that was bought.",
        {
            "product_identifier": identifier,
            "net_amount": {"type": "number"},
            "vat_amount": {"type": "number"},
            "total_amount": {"type": "number"},
        },
    )
    always: Node = {
        "request_unique_identifier": {**_text(), "description": "Unique in the request; the outcome carries it."},
        "performed_by_unit_identifier": identifier,
        "performed_on": {
            **_text(),
            "description": "Such as 2016-06-22T15:00:00, on the firm's clocks; or ISO 8601 with an offset.",
        },
    }
    more: Node = {
        "accounts_receivable_identifier": identifier,
        "rewards_participant_identifier": identifier,
        "classification_identifier": identifier,
        "reference_number": _text(),
        "products_set": {"type": "array", "minItems": 1, "items": product},
        "referred_rewards_participant_identifier": identifier,
        "referred_by_rewards_participant_identifier": identifier,
        "social_media": {"const": "FACEBOOK"},
        "profile": _text(),
        "action": {"const": "LIKE"},
        "website": _text(),
        "external_system_reference_number": {
            **_text(),
            "description": "The gateway sets one where it is missing: by it a row that may be there is looked up.",
        },
    }
    return {
        "type": "object",
        "description": (
            "One event in CRM.COM's own fields. Besides those required here: an account or a participant (all kinds "
            "but referrals); `classification_identifier` (achievements, financial_achievements); `reference_number` "
            "and `products_set` (purchases); both participants (referrals); `social_media`, `profile` and `action` "
            "(social_media); `website` (web). Further fields of CRM.COM are passed on."
        ),
        "required": list(always),
        "properties": {**always, **more},
    }


def _purchase() -> Node:
    amounts = {"net_amount": 50, "vat_amount": 10, "total_amount": 60}
    return {
        "request_unique_identifier": "1",
        "performed_by_unit_identifier": {"name": "Admin Unit"},
        "performed_on": "2026-11-20T15:00:00",
        "accounts_receivable_identifier": {"number": "ACR0000000164"},
        "reference_number": "R-1",
        "products_set": [{"product_identifier": {"code": "Bronze"}, **amounts}],
    }


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
