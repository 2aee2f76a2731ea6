"""The pushed company as a schema: the shapes that `gateway.pushed.read_push` accepts and callers should send.

Each shape alone says exactly what is accepted and what is refused (`tests/gateway/openapi/test_pushed_company.py`
compares schema and reader on random bodies). Of bodies that mix shapes the reader decides as its docstring tells; a
schema that did so, too, is more than people read and tools generate bodies from.
"""

from gateway.openapi.references import Node, schema
from gateway.pushed import WRAPPERS

_IN_AN_ARRAY = "prospects"
_SHAPES = {wrapper: f"Under{wrapper.capitalize()}" for wrapper in WRAPPERS}


def pushed_company_schemas() -> Node:
    """The components that make up `PushedCompany`."""
    return {
        "PushedCompany": _pushed_company(),
        **{name: _under(wrapper) for wrapper, name in _SHAPES.items()},
        "Company": {
            "description": "A company with enough to tell which one it is.",
            "allOf": [schema("CompanyFields"), schema("NumberedCompany"), schema("IdentifiedCompany")],
        },
    }


def _pushed_company() -> Node:
    return {
        "description": (
            "A company as Vainu pushes it: its fields at the top level, or under the first of `prospect`, `prospects`, "
            "`company`, `data` that is there; an array's first object counts, and one wrapper more may stand around. "
            "`contacts` and `leads` stand inside the company or, where it has none, beside it; so may `vid`, "
            "`business_id`, `country` and `domain`. Unknown fields are kept. An `id` beside it all is that of the "
            "parameter `id`, read where the query has none: 1 to 128 of `A-Z a-z 0-9 _ -`, or a whole number."
        ),
        "anyOf": [schema("Company"), *(schema(name) for name in _SHAPES.values())],
    }


def _under(wrapper: str) -> Node:
    company = schema("Company")
    first = {"type": "array", "minItems": 1, "prefixItems": [company]}
    return {
        "type": "object",
        "description": f"The company under `{wrapper}`.",
        "required": [wrapper],
        "properties": {
            wrapper: first if wrapper == _IN_AN_ARRAY else company,
            "contacts": schema("Contacts"),
            "leads": schema("Leads"),
        },
    }
