"""What a CRM would get of a company, field by field, found by the code of a real export.

An adapter hands over the function that builds a request's body. Which field of the table, and which field of the
export, a value comes from is found by leaving that field out and looking what becomes different. Pure: nothing is sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

from adapters.contract import Company, Contact, Lead
from adapters.fields import evaluate, text

_BLANK: tuple[Any, ...] = (None, "", [], {})
_Person = TypeVar("_Person", Contact, Lead)
_TRACED = 300
"""How many of an export's fields are traced at most: each costs another building of the body."""
Build = Callable[[Mapping[str, str], Company], Mapping[str, Any]]
"""Makes a request's body of a field table and a company."""


@dataclass(frozen=True, slots=True)
class MappedValue:
    """One field of a request to the CRM."""

    target: str
    """Where it stands in the request, such as `customerData.phoneNumbers[0].phoneNumber`."""
    value: Any
    """As it would be sent; None where it is left out."""
    sources: tuple[str, ...]
    """The fields of the export that it comes from; none for what is the same for every export."""
    field: str | None
    """The field of the mapping table that puts it there."""
    expression: str | None
    """That field's JMESPath."""
    left_out: str | None
    """Why it would not be sent; None if it would."""


@dataclass(frozen=True, slots=True)
class MappedRequest:
    """A call that an export would make."""

    action: str
    """The CRM's own name of it."""
    about: str
    """`customer`, `account`, `contact` or `lead`, and which one."""
    values: tuple[MappedValue, ...]


@runtime_checkable
class MappingPreview(Protocol):
    """What an adapter offers besides `adapters.contract.Adapter` if it can tell beforehand what it would send."""

    def preview(self, company: Company) -> Sequence[MappedRequest]:
        """The calls that would make this company, were it not in the CRM yet. Nothing is sent, and nothing asked."""
        ...


def company_values(
    build: Build, table: Mapping[str, str], company: Company, prefix: str, why_not: Mapping[str, str]
) -> tuple[MappedValue, ...]:
    """The values of a body that is built of a company, then what the table names and the body lacks.

    `why_not`: by field of the table, why a value may have no place in the request.
    """
    body = _flat(build(table, company))
    by_field = _differences(body, {name: build({**table, name: ""}, company) for name in table})
    without = {key: build(table, _without(company, key)) for key in list(company.document)[:_TRACED]}
    by_source = _differences(body, without)
    found = []
    for path, value in body.items():
        if value in _BLANK:
            continue
        name = next(iter(by_field.get(path, [])), None) or _field_of(table, company, value)
        found.append(
            MappedValue(prefix + path, value, tuple(by_source.get(path, ())), name, table.get(name or ""), None)
        )
    return (*found, *_left_out(table, company, {each.field for each in found}, why_not))


def _left_out(
    table: Mapping[str, str], company: Company, placed: set[str | None], why_not: Mapping[str, str]
) -> list[MappedValue]:
    values = evaluate(table, company)
    lacking = []
    for name, expression in table.items():
        if name in placed:
            continue
        if not expression:
            why = "switched off: the field has no expression"
        elif name not in values:
            why = "the export has nothing for it"
        else:
            why = why_not.get(name, "the CRM's request has no place for this value")
        lacking.append(MappedValue(name, None, (), name, expression, why))
    return lacking


def _field_of(table: Mapping[str, str], company: Company, value: Any) -> str | None:
    """The field whose value this is, where the company's own attributes would stand in for it."""
    values = evaluate(table, company)
    return next((name for name, found in values.items() if text(found) == value), None)


def _without(company: Company, key: str) -> Company:
    value = company.document[key]
    document = {other: each for other, each in company.document.items() if other != key}
    return replace(
        company,
        document=document,
        name="" if text(value) == company.name else company.name,
        business_id=None if key == "business_id" else company.business_id,
        country=None if key == "country" else company.country,
        vid=None if key in ("vid", "company_vid", "vainu_link") else company.vid,
    )


def item_values(
    build: Callable[[_Person], Mapping[str, Any]], item: _Person, place: str, prefix: str
) -> tuple[MappedValue, ...]:
    """The values of a body that is built of a contact or lead; `place` is where the export has it: `contacts[0]`."""
    body = _flat(build(item))
    names = [field.name for field in fields(item) if getattr(item, field.name)]
    empty: dict[str, Any] = {name: () if isinstance(getattr(item, name), tuple) else "" for name in names}
    sources = _differences(body, {name: build(replace(item, **{name: empty[name]})) for name in names})
    return tuple(
        MappedValue(prefix + path, value, tuple(f"{place}.{name}" for name in sources.get(path, ())), None, None, None)
        for path, value in body.items()
        if value not in _BLANK
    )


def constant_values(body: Mapping[str, Any], prefix: str = "") -> tuple[MappedValue, ...]:
    """The values of a body that is not traced."""
    return tuple(
        MappedValue(prefix + path, value, (), None, None, None)
        for path, value in _flat(body).items()
        if value not in _BLANK
    )


def _differences(body: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """By path, the names without which its value would be another."""
    found: dict[str, list[str]] = {}
    for name, other in others.items():
        flat = _flat(other)
        for path, value in body.items():
            if flat.get(path) != value:
                found.setdefault(path, []).append(name)
    return found


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Every scalar of a body with its path."""
    if isinstance(value, Mapping) and value:
        items = [(f"{path}.{key}" if path else str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple) and value:
        items = [(f"{path}[{number}]", item) for number, item in enumerate(value)]
    else:
        return {path: value}
    return {inner: found for at, item in items for inner, found in _flat(item, at).items()}
