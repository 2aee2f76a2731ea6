"""The pushed company as a schema: what `gateway.pushed.read_push` accepts, in the shapes that callers should send.

Whatever the schema admits is accepted, whatever it refuses is refused; but the reader is more tolerant in the way in
which a company may be wrapped: an array or an object under any wrapper, wrappers in one another, and a company
without a name that is known only by what stands beside its wrapper. `tests/gateway/openapi/test_pushed_company.py`
compares the two on random bodies. Each shape is a component of its own: tools that generate bodies from schemas
(schemathesis) multiply out what is written in one place, and give up.
"""

from collections.abc import Iterable

from gateway.openapi.company_fields import IDENTIFYING, NAME_KEYS
from gateway.openapi.references import Node, schema
from gateway.pushed import WRAPPERS

_IN_AN_ARRAY = "prospects"
_PARTS = ("CompanyFields", "NumberedCompany", "IdentifiedCompany", "UnwrappedCompany")
_SHAPES = {wrapper: f"Under{wrapper.capitalize()}" for wrapper in WRAPPERS}


def pushed_company_schemas() -> Node:
    """The components that make up `PushedCompany`."""
    return {
        "PushedCompany": _pushed_company(),
        "AtTheTop": _at_the_top(),
        **{name: _under(wrapper) for wrapper, name in _SHAPES.items()},
        "UnwrappedCompany": _unwrapped_company(),
        "NamedCompany": _named_company(),
    }


def _pushed_company() -> Node:
    return {
        "description": (
            "A company as Vainu pushes it: its fields at the top level, or under the first of `prospect`, `prospects`, "
            "`company`, `data` that is there. `contacts` and `leads` stand inside the company or, where it has none, "
            "beside it; so may `vid`, `business_id`, `country` and `domain`. Unknown fields are kept."
        ),
        "anyOf": [schema("AtTheTop"), *(schema(name) for name in _SHAPES.values())],
    }


def _at_the_top() -> Node:
    return {
        "type": "object",
        "description": "The company's fields at the top level.",
        "properties": {"id": schema("CustomerDataId")},
        "allOf": [schema(part) for part in _PARTS],
    }


def _under(wrapper: str) -> Node:
    nothing_beside = {"properties": _all_null(("name", "official_name", *IDENTIFYING))}
    return {
        "type": "object",
        "description": f"The company under `{wrapper}`{'; the first, if several' * (wrapper == _IN_AN_ARRAY)}.",
        "required": [wrapper],
        "properties": {
            "id": schema("CustomerDataId"),
            "company_name": False,
            **_all_null(_before(wrapper)),
            wrapper: _wrapped(wrapper, {"allOf": [schema(part) for part in _PARTS]}),
        },
        "allOf": [
            {"anyOf": [nothing_beside, _inside(wrapper, schema("NamedCompany"))]},
            _beside("vid", wrapper, schema("WholeNumber"), _has("vid")),
            _beside("business_id", wrapper, {"type": ["string", "number", "null"]}, _has("business_id")),
            _beside("contacts", wrapper, schema("Contacts"), _has_value("contacts")),
            _beside("leads", wrapper, schema("Leads"), _has_value("leads")),
        ],
    }


def _unwrapped_company() -> Node:
    """Beside a name of its own, a key called like a wrapper is one only if a company is in it."""
    company = schema("NamedCompany")
    first = {"type": "array", "minItems": 1, "prefixItems": [company]}
    no_company = {"not": {"anyOf": [{"type": "null"}, company, first]}}
    kept: list[Node] = [
        {"required": [wrapper], "properties": {**_all_null(_before(wrapper)), wrapper: no_company}}
        for wrapper in WRAPPERS
    ]
    return {
        "type": "object",
        "description": "A company that holds no other, so that it is the one that is meant.",
        "anyOf": [
            {"required": ["company_name"]},
            {"properties": _all_null(WRAPPERS)},
            {"allOf": [company, {"anyOf": kept}]},
        ],
    }


def _named_company() -> Node:
    return {
        "type": "object",
        "description": "An object with a field that says which company it is.",
        "anyOf": [_has_value(key) for key in (*NAME_KEYS, *IDENTIFYING)],
    }


def _before(wrapper: str) -> tuple[str, ...]:
    return WRAPPERS[: WRAPPERS.index(wrapper)]


def _wrapped(wrapper: str, company: Node) -> Node:
    return {"type": "array", "minItems": 1, "prefixItems": [company]} if wrapper == _IN_AN_ARRAY else company


def _inside(wrapper: str, company: Node) -> Node:
    return {"properties": {wrapper: _wrapped(wrapper, company)}}


def _beside(key: str, wrapper: str, value: Node, unless: Node) -> Node:
    """`key` beside the wrapper is read only where the company inside has none."""
    return {"if": _inside(wrapper, unless), "else": {"properties": {key: value}}}


def _has(key: str) -> Node:
    return {"type": "object", "required": [key]}


def _has_value(key: str) -> Node:
    return {"type": "object", "required": [key], "properties": {key: {"not": {"type": "null"}}}}


def _all_null(keys: Iterable[str]) -> Node:
    return {key: {"type": "null"} for key in keys}
