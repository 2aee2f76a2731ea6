"""Filters and order of the Vainu simulator's prospects/filter (S001, "Prospect Filter")."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.company_ids import business_id
from adapters.vainu.samples import SampleCompany
from adapters.vainu.simulated_query import QueryRefused
from adapters.vainu.simulated_shapes import read_moment

_NUMBERS = frozenset(
    {"turn_over", "profit", "development_of_turnover", "staff_number", "industry_code_2", "industry_code_5"}
)
_TEXTS = frozenset(
    {
        "business_id", "registration_date", "company_name", "link", "domain", "phone", "isic_industry_code",
        "industry_code", "address", "postal", "city", "country", "municipality", "region", "visiting_address",
        "visiting_city", "visiting_postal", "visiting_municipality", "nstatus",
    }
)  # fmt: skip
_FIELDS = _NUMBERS | _TEXTS | {"industry_codes", "basic_modified"}
_SORTABLE_ONLY = frozenset({"vainu_score", "alexa_rank_global"})
_RANGE = re.compile(r"(\d+)-(\d+)")
Values = Sequence[Any]
"""What a company has in one field: nothing, one value, or several industry codes."""


def select(
    companies: Sequence[SampleCompany], parameters: Mapping[str, str], modified: datetime
) -> list[SampleCompany]:
    """The companies that every parameter admits, in the order of `order`; `QueryRefused` for an unknown one (G)."""
    found = list(companies)
    for name, wanted in parameters.items():
        if name != "order":
            admits = _condition(name, wanted)
            found = [company for company in found if admits(_values(company, name.partition("__")[0], modified))]
    return _ordered(found, parameters.get("order", ""), modified)


def _ordered(companies: list[SampleCompany], order: str, modified: datetime) -> list[SampleCompany]:
    """A leading `-` is ascending, as S001's text says; missing values come first then, and last without it."""
    name = order.removeprefix("-")
    if name and name not in _FIELDS | _SORTABLE_ONLY:
        raise QueryRefused

    def key(company: SampleCompany) -> tuple[bool, Any]:
        values = _values(company, name, modified)
        return bool(values), values[0] if values else 0

    return sorted(companies, key=key, reverse=not order.startswith("-")) if name else companies


def _values(company: SampleCompany, name: str, modified: datetime) -> Values:
    prospect = company.prospect
    if name == "basic_modified":
        return [modified]
    if name in ("industry_code", "industry_codes"):
        codes = [prospect.get("industry_code"), prospect.get("isic_industry_code")]
        return list(dict.fromkeys(code.casefold() for code in codes if code))
    if name in ("business_id", "business_ids"):
        return [business_id(prospect["business_id"], prospect["country"])]
    value: Any = _DERIVED[name](company) if name in _DERIVED else prospect.get(name)
    if value in (None, ""):
        return []
    return [float(value)] if name in _NUMBERS else [value.casefold() if isinstance(value, str) else value]


_DERIVED: Mapping[str, Callable[[SampleCompany], object]] = {
    "domain": lambda company: company.domain,
    "nstatus": lambda company: "active" if company.prospect["status"] == "active" else "inactive",
    "municipality": lambda company: company.prospect["city"],
    "visiting_municipality": lambda company: company.prospect["visiting_city"],
}


def _condition(parameter: str, wanted: str) -> Callable[[Values], bool]:
    name, _, kind = parameter.partition("__")
    if name == "business_ids" and not kind:
        return _any_of([business_id(each) for each in wanted.split(",")])
    if name not in _FIELDS:
        raise QueryRefused
    if kind == "ne":
        unwanted = None if wanted == "null" else _read(name, wanted)
        return lambda values: bool(values) if unwanted is None else unwanted not in values
    if kind == "in":
        return _any_of([_read(name, each) for each in wanted.split(",")])
    if not kind:
        return _wildcard(name, wanted)
    compare = _COMPARISONS.get(kind)
    if compare is None:
        raise QueryRefused
    bound = _read(name, wanted)
    return lambda values: any(compare(value, bound) for value in values)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "gte": lambda value, bound: bool(value >= bound),
    "gt": lambda value, bound: bool(value > bound),
    "lte": lambda value, bound: bool(value <= bound),
    "lt": lambda value, bound: bool(value < bound),
    "exact": lambda value, bound: bool(value == bound),
    "startswith": lambda value, bound: str(value).startswith(str(bound)),
}


def _any_of(wanted: Sequence[object]) -> Callable[[Values], bool]:
    return lambda values: any(value in wanted for value in values)


def _wildcard(name: str, wanted: str) -> Callable[[Values], bool]:
    """`*wanted*`; a range of postal codes; equality of numbers (G)."""
    between = _RANGE.fullmatch(wanted) if name.endswith("postal") else None
    if between:
        low, high = int(between[1]), int(between[2])
        return lambda values: any(str(value).isdigit() and low <= int(value) <= high for value in values)
    read = _read(name, wanted)
    if isinstance(read, str):
        return lambda values: any(read in value for value in values)
    return lambda values: read in values


def _read(name: str, written: str) -> Any:
    if name in _NUMBERS:
        try:
            return float(written)
        except ValueError:
            raise QueryRefused from None
    if name == "basic_modified":
        moment = read_moment(written)
        if moment is None:
            raise QueryRefused
        return moment
    return business_id(written) if name == "business_id" else written.casefold()
