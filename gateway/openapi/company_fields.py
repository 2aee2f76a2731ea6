"""The fields of a company, its contacts and leads as schemas: exactly what `gateway.pushed` accepts of them.

What the reader does not look at is free: unknown fields, a `name` beside a good `company_name`, a `company_vid`
beside a good `vid`.
"""

from gateway.openapi.references import Node, schema

_UNSEEN = r"\s\u0000-\u001f\u007f-\u009f"
"""White space and control characters: text of nothing else is read as empty."""
NAME_KEYS = ("company_name", "name", "official_name")
IDENTIFYING = ("vid", "business_id", "country", "domain")
"""What may stand beside a wrapper."""
_WEB_KEYS = ("domain", "link", "website")
_WEB_ADDRESS = r"^(?:https?://)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}(?:/[A-Za-z0-9._~-]+)*/?$"


def company_field_schemas() -> Node:
    """The components that the pushed company and the company change are made of."""
    return {
        "CompanyFields": _company_fields(),
        "IdentifiedCompany": _identified_company(),
        "NumberedCompany": _numbered_company(),
        "CompanyChange": _company_change(),
        "Contacts": _rows("Contact", "One person or several; nulls are passed over."),
        "Contact": _contact(),
        "Leads": _rows("Lead", "One piece of news or several; nulls are passed over."),
        "Lead": _lead(),
        "WholeNumber": _whole_number(),
        "TextOrNumber": {
            "type": ["string", "number", "null"],
            "description": "Text; a number is read as its digits. HTML is read as its text.",
        },
    }


def _company_fields() -> Node:
    free = {
        "country": "ISO 3166-1 alpha-2; anything else counts as unknown.",
        "name": "Read where `company_name` is empty.",
        "official_name": "Read where both others are empty.",
        "company_vid": "Read where `vid` is empty.",
        "domain": "The company's web address.",
        "link": "The company's web address, read where `domain` is none.",
        "website": "The company's web address, read where both others are none.",
        "vainu_link": "The company's page in Vainu; names its `vid` where no other field does.",
    }
    read: Node = {
        "company_name": {"type": ["string", "null"]},
        "vid": {**schema("WholeNumber"), "description": "Vainu's id of the company."},
        "business_id": {
            "type": ["string", "number", "null"],
            "description": "Dashes, spaces and the country's prefix do not matter.",
        },
        "contacts": schema("Contacts"),
        "leads": schema("Leads"),
    }
    return {
        "type": "object",
        "description": "The fields that are read; a company has them as Vainu's API names them, and any others.",
        "properties": {**read, **{key: {"description": text} for key, text in free.items()}},
    }


def _numbered_company() -> Node:
    return {
        "type": "object",
        "description": "A usable `vid` is enough; without one, `company_vid` is read as well.",
        "anyOf": [
            {"required": ["vid"], "properties": {"vid": usable_vid()}},
            {"properties": {"company_vid": schema("WholeNumber")}},
        ],
    }


def usable_vid() -> Node:
    """A vid that a company can have."""
    return {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
            {"type": "string", "pattern": r"^\s*[1-9][0-9]{0,17}\s*$"},
        ]
    }


def _identified_company() -> Node:
    """One branch for each way to know the company: the names in their order, then the id, then a web address."""
    branches = _named(_visible_text())
    nameless: Node = {key: blank() for key in NAME_KEYS}
    for key, value in {"business_id": usable_business_id(), **dict.fromkeys(_WEB_KEYS, web_address())}.items():
        branches.append({"required": [key], "properties": {**nameless, key: value}})
    return {
        "type": "object",
        "description": "A company has a name, or at least a business id or a web address.",
        "anyOf": branches,
    }


def _named(name: Node) -> list[Node]:
    """One branch for each key that may hold the name; those before it are empty, those after it are not read."""
    return [
        {"required": [key], "properties": {**{before: blank() for before in NAME_KEYS[:at]}, key: name}}
        for at, key in enumerate(NAME_KEYS)
    ]


def usable_business_id() -> Node:
    """A business id with a digit or a letter in it."""
    return {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "[0-9A-Za-z]"}]}


def web_address() -> Node:
    """Text with a host in it."""
    return {"type": "string", "pattern": _WEB_ADDRESS}


def _visible_text() -> Node:
    return {"type": "string", "pattern": f"[^{_UNSEEN}]"}


def blank() -> Node:
    """What a name counts as none for: null, or text with nothing to see in it."""
    return {"anyOf": [{"type": "null"}, {"type": "string", "pattern": f"^[{_UNSEEN}]*$"}]}


def _rows(name: str, description: str) -> Node:
    row = schema(name)
    return {
        "description": description,
        "anyOf": [{"type": "null"}, row, {"type": "array", "items": {"anyOf": [{"type": "null"}, row]}}],
    }


def _contact() -> Node:
    named: list[Node] = [
        {"required": [key], "properties": {key: {"anyOf": [{"type": "number"}, _visible_text()]}}}
        for key in ("first_name", "last_name")
    ]
    return {
        "type": "object",
        "description": "A person at the company.",
        "properties": {
            **{key: schema("TextOrNumber") for key in ("first_name", "last_name", "email", "phone", "title")},
            "name": {"description": "The whole name, read where first and last name are empty."},
        },
        "anyOf": [*named, {"properties": {"name": schema("TextOrNumber")}}],
    }


def _lead() -> Node:
    tags = {"description": "Labels; texts and numbers of an array are kept, anything else is passed over."}
    return {
        "type": "object",
        "description": "A piece of news about the company: what Vainu calls a lead.",
        "properties": {
            **{key: schema("TextOrNumber") for key in ("title", "link", "added", "vainu_link")},
            "tags": tags,
        },
    }


def _whole_number() -> Node:
    return {
        "description": "A whole number, or its digits as text; null and empty text count as absent.",
        "anyOf": [
            {"type": ["integer", "null"]},
            {"const": ""},
            {"type": "string", "pattern": r"^\s*-?[0-9]{1,19}\s*$"},
        ],
    }


def _company_change() -> Node:
    """What `gateway.pushed.read_change` accepts."""
    fields: Node = {
        "country": {"description": "ISO 3166-1 alpha-2; anything else counts as unknown."},
        "business_id": {"description": "Dashes, spaces and the country's prefix do not matter."},
        "domain": {"description": "The company's web address."},
    }
    unnamed = {"properties": {key: blank() for key in NAME_KEYS}}
    unique_id = {"anyOf": [{"type": "string", "pattern": "^[A-Za-z0-9_-]{1,128}$"}, {"type": "integer"}]}
    return {
        "type": "object",
        "description": "A company change as Vainu's webhooks tell it. Unknown fields are kept.",
        "required": ["unique_id", "data"],
        "properties": {
            "unique_id": {"description": "The id that the export answered.", **unique_id},
            "data": {
                "type": "object",
                "description": "The changed fields, any part of a company's, named as in an export.",
                "properties": {"company_name": {"type": ["string", "null"]}, **fields},
                "anyOf": [*_named(_visible_text()), unnamed],
            },
            "number_of_tries": {"description": "How often Vainu sent this change; does not make it another one."},
        },
    }
