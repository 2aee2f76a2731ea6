"""Schemas of one customer event of each kind: exactly what `adapters.crmcom.event_rules` takes (S004).

Of times these are the forms that people need; the gateway reads more (CONTRACT section 5).
"""

from collections.abc import Mapping

from gateway.openapi.references import Node, schema

KINDS: Mapping[str, str] = {
    "achievements": "Achievement",
    "purchases": "Purchase",
    "referrals": "Referral",
    "social_media": "SocialMedia",
    "web": "Web",
    "financial_achievements": "FinancialAchievement",
}
"""The kinds as paths spell them (CONTRACT section 4), and the word by which the document calls one."""
_IDENTIFIERS: Mapping[str, tuple[str, ...]] = {
    "NamedIdentifier": ("id", "name", "alternative_code"),
    "ProductIdentifier": ("id", "code", "alternative_code"),
    "ParticipantIdentifier": ("id", "number"),
    "AccountIdentifier": ("id", "number", "name"),
    "InvoiceIdentifier": ("id", "number", "reference_number", "back_office_code"),
    "CurrencyIdentifier": ("id", "code"),
}
_CENTURY = "(?:[1-8][0-9]|9[0-8])"
"""Those whose every day all zones' clocks can show."""
_DAY = (
    f"{_CENTURY}[0-9]{{2}}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_LEAP_YEAR = f"(?:{_CENTURY}(?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|[13579][26])00)"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_LOCAL = f"^(?:{_DAY}|{_LEAP_YEAR}-02-29)T{_CLOCK}$"
_CUSTOMERS = {
    "accounts_receivable_identifier": "AccountIdentifier",
    "rewards_participant_identifier": "ParticipantIdentifier",
}
_NOT_BLANK = r"[^\s\u001c-\u001f\u0085]"
"""What Python takes for white space, too, and ECMA's regular expressions do not."""
_NO_SLOT = "^udf_(?:string|float|date)_[0-9]+$"


def row_name(kind: str) -> str:
    """The component that describes one event of a kind."""
    return f"{KINDS[kind]}Event"


def row_schemas() -> Node:
    """The parts of `components/schemas` that make up one event."""
    return {
        **{row_name(kind): row for kind, row in _rows().items()},
        "EventProduct": _product(),
        **{name: _identifier(*fields) for name, fields in _IDENTIFIERS.items()},
        "EventTime": _time(),
    }


def _rows() -> dict[str, Node]:
    classification: Node = {"classification_identifier": schema("NamedIdentifier")}
    products: Node = {"type": "array", "minItems": 1, "items": schema("EventProduct")}
    participant = schema("ParticipantIdentifier")
    return {
        "achievements": _row("What a customer achieved.", classification, {}),
        "purchases": _row(
            "What a customer bought.",
            {"reference_number": _text(), "products_set": products},
            {**classification, **_payment(), **_of_purchases()},
            string_slots=16,
        ),
        "referrals": _row(
            "A participant who referred another.",
            {
                "referred_rewards_participant_identifier": participant,
                "referred_by_rewards_participant_identifier": participant,
            },
            classification,
            of_customer=False,
        ),
        "social_media": _row(
            "What a customer liked.",
            {"social_media": {"const": "FACEBOOK"}, "profile": _text(), "action": {"const": "LIKE"}},
            classification,
        ),
        "web": _row("A website that a customer came to.", {"website": _text()}, classification),
        "financial_achievements": _row(
            "What a customer achieved by paying.",
            classification,
            {**_payment(), "product_identifier": schema("ProductIdentifier")},
        ),
    }


def _payment() -> Node:
    return {
        "payment_medium_type_identifier": schema("NamedIdentifier"),
        "payment_medium_brand_identifier": schema("NamedIdentifier"),
        "payment_medium_identifier": _text(),
    }


def _of_purchases() -> Node:
    return {
        "invoice_identifier": schema("InvoiceIdentifier"),
        "intended_currency_identifier": schema("CurrencyIdentifier"),
    }


def _row(description: str, mandatory: Node, optional: Node, *, string_slots: int = 8, of_customer: bool = True) -> Node:
    always: Node = {
        "request_unique_identifier": {**_text(), "description": "Unique in the request; the outcome carries it."},
        "performed_by_unit_identifier": schema("NamedIdentifier"),
        "performed_on": schema("EventTime"),
        **mandatory,
    }
    texts: Node = {
        "description": _text(),
        "external_system": _text(),
        "external_system_reference_number": {
            **_text(),
            "description": "The gateway sets one where it is missing: by it a row that may be there is looked up.",
        },
    }
    customers: Node = {name: schema(of) for name, of in _CUSTOMERS.items()} if of_customer else {}
    needed = "An account or a participant is needed. " if of_customer else ""
    row: Node = {
        "type": "object",
        "description": f"{description} {needed}Further fields of CRM.COM are passed on.",
        "required": list(always),
        "properties": {**always, **{name: _optional(of) for name, of in {**customers, **optional, **texts}.items()}},
        **_slots(string_slots),
    }
    return row | ({"anyOf": [_has(name, schema(of)) for name, of in _CUSTOMERS.items()]} if of_customer else {})


def _slots(strings: int) -> Node:
    """The numbered fields of the caller's own; there are no others of such names."""
    most = {8: ("[1-8]", "9|[1-9][0-9]+"), 16: ("(?:[1-9]|1[0-6])", "1[7-9]|[2-9][0-9]|[1-9][0-9]{2,}")}
    there, beyond = most[strings]
    return {
        "patternProperties": {
            f"^udf_string_{there}$": _optional(_text()),
            "^udf_float_[1-4]$": _optional({"type": "number"}),
            "^udf_date_[1-4]$": _optional(schema("EventTime")),
        },
        **_no_field(f"^udf_(?:string_(?:0[0-9]*|{beyond})|(?:float|date)_(?:0[0-9]*|[5-9]|[1-9][0-9]+))$"),
    }


def _no_field(pattern: str) -> Node:
    # a pattern's schema could be `false`, too, but tools that generate rows make such fields and throw the row away
    return {"propertyNames": {"not": {"pattern": pattern}}}


def _product() -> Node:
    mandatory: Node = {
        "product_identifier": schema("ProductIdentifier"),
        **{name: {"type": "number"} for name in ("net_amount", "vat_amount", "total_amount")},
    }
    return {
        "type": "object",
        "description": "A product that was bought.",
        "required": list(mandatory),
        "properties": {**mandatory, "quantity": _optional({"type": "number"})},
        **_no_field(_NO_SLOT),
    }


def _identifier(*names: str) -> Node:
    blank: Node = {"enum": [None, "", [], {}]}
    return {
        "type": "object",
        "description": "What identifies something in the CRM; one of the fields is enough.",
        "properties": {name: {"anyOf": [_text(), dict(blank)]} for name in names},
        "anyOf": [_has(name, _text()) for name in names],
    }


def _has(name: str, of: Node) -> Node:
    return {"required": [name], "properties": {name: of}}


def _time() -> Node:
    return {
        "description": (
            "Such as 2016-06-22T15:00:00, on the firm's clocks; or ISO 8601 with an offset; or a day. "
            "In the years 1000 to 9899."
        ),
        "anyOf": [
            {"type": "string", "pattern": _LOCAL},
            {"type": "string", "format": "date-time", "pattern": f"^{_CENTURY}"},
            {"type": "string", "format": "date", "pattern": f"^{_CENTURY}"},
        ],
    }


def _text() -> Node:
    """A text that is not blank."""
    return {"type": "string", "pattern": _NOT_BLANK}


def _optional(of: Node) -> Node:
    """A field that may be left out, or empty, which is the same."""
    return {"anyOf": [of, {"enum": [None, ""]}]}
