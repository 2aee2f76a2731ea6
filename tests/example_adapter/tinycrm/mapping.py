"""TinyCRM's words and ours: pure, values in and values out. The facts are in NOTES.md."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from adapters import company_ids, fields
from adapters.contract import Company, Contact, Lead, Match, UnexpectedReply
from adapters.events import EventDraft

FIELDS: Mapping[str, str] = MappingProxyType(
    {"name": "company_name || name", "vat": "business_id", "city": "visiting_city || city", "website": "link || domain"}
)
"""Target → JMESPath on the pushed body."""

SOURCES: Mapping[str, str] = MappingProxyType({"calls": "call", "notes": "note", "deals": "deal"})
"""The feed's sources → the word in event ids."""


def field_faults(overrides: Mapping[str, str]) -> list[str]:
    """What is wrong with a connection's own field table."""
    return fields.faults(overrides, FIELDS)


def customer(table: Mapping[str, str], company: Company) -> dict[str, str]:
    """A company as the fields of a customer; the name is never left out."""
    return {"name": company.name, **{key: fields.text(value) for key, value in fields.evaluate(table, company).items()}}


def matches(rows: list[Any], company: Company) -> list[Match]:
    """The customers that are this company: by business id, then by exact name; the search found parts of words."""
    found = []
    for row in rows:
        vat = company_ids.business_id(row.get("vat"), company.country)
        if vat and vat == company.business_id:
            found.append(Match(row["id"], "business_id"))
        elif company_ids.same_name(row.get("name"), company.name) and not (vat and company.business_id):
            found.append(Match(row["id"], "name"))
    return sorted(found, key=lambda match: (match.by == "name", int(match.record_id[1:])))


def person(contact: Contact) -> dict[str, str]:
    """A contact as a person; `key` tells what is there already."""
    return {"name": contact.full_name, "email": contact.email, "key": contact.email or contact.full_name}


def news(lead: Lead) -> dict[str, str]:
    """A lead of Vainu as a note; `key` tells what is there already."""
    return {"kind": "note", "title": lead.title, "body": lead.link, "at": lead.added, "key": lead.link or lead.title}


def draft(row: Mapping[str, Any]) -> EventDraft:
    """One entry of the timeline as an event; a deal's `stage` is one of Vainu's three words."""
    return EventDraft(
        record_id=row.get("id"),
        timestamp=row.get("at"),
        type={"call": "call", "deal": row.get("stage", "open")}.get(str(row.get("kind")), "note"),
        header=row.get("title"),
        text=row.get("body"),
        value=row.get("amount"),
        currency=row.get("currency"),
    )


def part_of(reply: Any, key: str, kind: type) -> Any:
    """What a reply holds under `key`; anything else is an unexpected reply, never an empty answer."""
    found = reply.get(key) if isinstance(reply, dict) else None
    if not isinstance(found, kind):
        raise UnexpectedReply(f"tinycrm: expected an object with {key}, got {type(reply).__name__}")
    return found
