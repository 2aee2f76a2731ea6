"""Prospects as Vainu's API v1 tells them (S001, GET /prospect/{id}/ and its parts).

Numbers come as numbers or as text ("93116557.0", "399"), and much is null. A value that is not of its field's kind
reads as None or "": `document` holds everything as it came, fields unknown here too.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from adapters.contract import UnexpectedReply
from adapters.vainu.models import integer, text

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FinancialStatement:
    """One account period. Amounts are in euros, `_local` ones in `currency_code`; shares and growth in per cent."""

    year: int | None = None
    currency_code: str = ""
    turn_over_eur: float | None = None
    turn_over_local: float | None = None
    turn_over_is_estimate: bool | None = None
    development_of_turnover: float | None = None
    staff_number: int | None = None
    net_income_euro: float | None = None
    net_income_local: float | None = None
    equity_to_assets_ratio: float | None = None
    account_period_start: str = ""
    account_period_end: str = ""


@dataclass(frozen=True, slots=True)
class ProspectContact:
    """A person at the company."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    title: str = ""
    prospect: str = ""
    """The company's name; only `/contacts/` tells it."""


@dataclass(frozen=True, slots=True)
class ProspectAddress:
    """An office of the company."""

    visiting_address: str = ""
    visiting_postal: str = ""
    visiting_city: str = ""
    address: str = ""
    postal: str = ""
    city: str = ""
    office_number: str = ""
    office_name: str = ""
    business_id: str = ""


@dataclass(frozen=True, slots=True)
class LeadCompany:
    """A company that a lead is about."""

    business_id: str = ""
    company_name: str = ""


@dataclass(frozen=True, slots=True)
class ProspectLead:
    """A piece of news about companies."""

    id: int | None = None
    """Only a target group's leads carry one."""
    added: str = ""
    """When Vainu found it, ISO 8601 without an offset (its zone is unknown); `datetime` in a target group's leads."""
    title: str = ""
    link: str = ""
    tags: tuple[str, ...] = ()
    vainu_link: str = ""
    prospects: tuple[LeadCompany, ...] = ()


@dataclass(frozen=True, slots=True)
class Prospect:
    """A company, as much of it as the call tells: least in a target group, most in `/prospect/{id}/all/`."""

    business_id: str = ""
    company_name: str = ""
    status: str = ""
    country: str = ""
    registration_date: str = ""
    """Not zero-padded: "1994-6-8"."""
    link: str = ""
    """The web site, often without a scheme."""
    phone: str = ""
    industry_code: str = ""
    isic_industry_code: str = ""
    industry_code_2: int | None = None
    industry_code_5: int | None = None
    address: str = ""
    postal: str = ""
    city: str = ""
    municipality: str = ""
    visiting_address: str = ""
    visiting_postal: str = ""
    visiting_city: str = ""
    visiting_municipality: str = ""
    currency_code: str = ""
    turn_over: float | None = None
    """Euros."""
    turn_over_local: float | None = None
    turnover_estimate: float | None = None
    turn_over_is_estimate: bool | None = None
    profit: float | None = None
    development_of_turnover: float | None = None
    """Per cent."""
    staff_number: int | None = None
    staff_number_is_estimate: bool | None = None
    vainu_link: str = ""
    linkedin_id: str = ""
    twitter_link: str = ""
    facebook_link: str = ""
    technologies: tuple[str, ...] = ()
    digitality: float | None = None
    sociality: float | None = None
    marketility: float | None = None
    alexa_rank_global: int | None = None
    description: str = ""
    financial_statements: tuple[FinancialStatement, ...] = ()
    contacts: tuple[ProspectContact, ...] = ()
    prospect_addresses: tuple[ProspectAddress, ...] = ()
    document: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    """The whole object as it came; also what has no known form: `mother`, `mother_foreign`."""


def read_prospect(value: object) -> Prospect:
    """One prospect; `UnexpectedReply` for anything without a business id and a name."""
    row = _object(value, "prospect")
    if not (text(row.get("business_id")) or text(row.get("company_name"))):
        raise UnexpectedReply("vainu answered something that is no prospect: expected business_id or company_name")
    parts: dict[str, Any] = {
        "financial_statements": _listed(row.get("financial_statements"), read_financial_statement),
        "contacts": _listed(row.get("contacts"), read_contact),
        "prospect_addresses": _listed(row.get("prospect_addresses"), _read_address),
    }
    return Prospect(**_plain(Prospect, row), **parts, document=row)


def read_financial_statement(value: object) -> FinancialStatement:
    """One account period; `UnexpectedReply` for anything else."""
    return _part(FinancialStatement, value, "financial statement")


def read_contact(value: object) -> ProspectContact:
    """One person; `UnexpectedReply` for anything else."""
    return _part(ProspectContact, value, "contact")


def read_lead(value: object) -> ProspectLead:
    """One lead in either spelling of its time, `added` or `datetime`; `UnexpectedReply` for anything else."""
    row = _object(value, "lead")
    companies = _listed(row.get("prospects"), lambda each: _part(LeadCompany, each, "company"))
    added = text(row.get("added")) or text(row.get("datetime"))
    return replace(_part(ProspectLead, row, "lead"), added=added, prospects=companies)


def _read_address(value: object) -> ProspectAddress:
    return _part(ProspectAddress, value, "address")


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnexpectedReply(f"vainu answered something that is no {what}: expected an object")
    return value


def _part(kind: type[T], value: object, what: str) -> T:
    """A row of which no field is mandatory; `UnexpectedReply` for an object without any of them."""
    row = _object(value, what)
    plain = _plain(kind, row)
    if not plain.keys() & row.keys():
        raise UnexpectedReply(f"vainu answered something that is no {what}: expected one of {', '.join(plain)}")
    return kind(**plain)


def _listed(value: object, read: Callable[[object], T]) -> tuple[T, ...]:
    return tuple(map(read, value)) if isinstance(value, list) else ()


def _number(value: object) -> float | None:
    if isinstance(value, str) and value.isascii() and "_" not in value:
        try:
            value = float(value[:40])
        except ValueError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < 1e300 and math.isfinite(value) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _words(value: object) -> str:
    # an id such as linkedin_id or a phone number may come as a number
    whole = None if isinstance(value, str) else integer(value)
    return text(value) if whole is None else str(whole)


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


_READERS: Mapping[object, Callable[[object], object]] = {
    str: _words,
    int | None: _whole,
    float | None: _number,
    bool | None: _truth,
    tuple[str, ...]: _texts,
}


def _plain(kind: type[Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `kind` that are single values or lists of texts, read from `row`."""
    return {each.name: _READERS[each.type](row.get(each.name)) for each in fields(kind) if each.type in _READERS}
