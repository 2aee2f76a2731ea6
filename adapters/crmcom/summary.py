"""A customer of CRM.COM as Vainu's customer data holds it. Pure; sources: upstream-apis sections 2.4 to 2.6."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from adapters import company_ids
from adapters.contract import NOTES_CHARACTERS, CustomerSummary
from adapters.crmcom.envelope import unexpected
from adapters.crmcom.feed import Outcome, assignees_of, closed_at, outcome_of
from adapters.crmcom.mapping import addresses_of, company_name, emails_of, numbers_of, parts_of
from adapters.customers import Deals
from adapters.events import number
from adapters.plain_text import email_address, one_line, plain_text
from adapters.timestamps import Reading, TimestampRefused
from adapters.webhook_bodies import objects

_CHANGED = ("updated_date", "created_date")
_COUNTRIES = ("country", "country_identifier")
_INDUSTRY = ("industry_sector", "industry")
_REVENUE = ("annual_turnover", "turnover", "annual_revenue")
_EMPLOYEES = ("number_of_employees", "employees", "staff_number")
_LABELS = ("category", "tags_set", "tags")
"""All of these names are G: no page shows a company's profile."""


def deals_of(leads: Iterable[object], read: Callable[[object], Reading]) -> Deals:
    """How many leads are won, lost and open; a row that is no object is an `UnexpectedReply`, never overlooked."""
    counted: Counter[Outcome] = Counter()
    won: list[datetime] = []
    for lead in leads:
        if not isinstance(lead, Mapping):
            raise unexpected("leads that are objects", lead)
        outcome = outcome_of(lead)
        counted[outcome] += 1
        if outcome == "won":
            with suppress(TimestampRefused):
                won.append(read(closed_at(lead)).at)
    return Deals(counted["open"], counted["won"], counted["lost"], max(won, default=None))


def summary_of(
    contact_id: str, contact: Mapping[str, Any], deals: Deals, read: Callable[[object], Reading]
) -> CustomerSummary:
    """The customer whose contact information this is; `read` reads times on the firm's clocks."""
    business_id, country = _business_id(contact)
    return CustomerSummary(
        record_id=contact_id,
        name=one_line(company_name(contact)),
        business_id=business_id,
        country=country,
        owner_email=next(filter(None, map(email_address, assignees_of(contact))), None),
        last_update=last_update_of(contact, read),
        notes=plain_text(contact.get("notes"), NOTES_CHARACTERS) or None,
        open_deals=deals.open,
        won_deals=deals.won,
        lost_deals=deals.lost,
        last_won_at=deals.last_won_at,
        city=next(filter(None, (one_line(row.get("town_city")) for row in addresses_of(contact))), None),
        industry=_profile(contact, _INDUSTRY),
        revenue=number(_profile(contact, _REVENUE)),
        employees=_whole(number(_profile(contact, _EMPLOYEES))),
        emails=tuple(dict.fromkeys(filter(None, map(email_address, emails_of(contact))))),
        labels=_labels(contact),
    )


def _profile(contact: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """What a company says of itself, at the top or in a part of the record; where it stands is U."""
    values = (part.get(name) for part in parts_of(contact) for name in names)
    return next(filter(None, map(_words, values)), None)


def _words(value: object) -> str:
    return one_line(value.get("name") if isinstance(value, Mapping) else value)


def _whole(amount: int | float | None) -> int | None:
    return int(amount) if amount is not None and amount >= 0 else None


def _labels(contact: Mapping[str, Any]) -> tuple[str, ...]:
    named = [each for name in _LABELS for each in _listed(contact.get(name))]
    return tuple(dict.fromkeys(filter(None, map(_words, named))))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _business_id(contact: Mapping[str, Any]) -> tuple[str | None, str | None]:
    written = [address.get(name) for address in addresses_of(contact) for name in _COUNTRIES]
    country = next(filter(None, map(_country_code, written)), None)
    found = (company_ids.written_id(number, country) for number in numbers_of(contact))
    return next((each for each in found if each[0]), (None, country))


def _country_code(country: object) -> str | None:
    # which field of a country holds its ISO code is U; no other has two letters
    texts = country.values() if isinstance(country, Mapping) else [country]
    return next(filter(None, map(company_ids.country_code, texts)), None)


def last_update_of(contact: Mapping[str, Any], read: Callable[[object], Reading]) -> datetime | None:
    """When the record was last changed; None where it does not say."""
    times = [row.get(name) for row in (*objects(contact.get("log_information")), contact) for name in _CHANGED]
    for time in times:
        with suppress(TimestampRefused):
            return read(time).at
    return None
