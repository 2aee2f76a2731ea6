"""What Apptivo would get of a company: the calls of an export, built by the code that makes them."""

from collections.abc import Mapping
from typing import Any

from adapters.apptivo import details
from adapters.apptivo.catalogue import Catalogue
from adapters.apptivo.mapping import values_of
from adapters.apptivo.overlay import blank_customer, lay_over
from adapters.contract import Company
from adapters.mapping_preview import MappedRequest, company_values, item_values

_NEW = "(the new customer)"
"""Stands for the id that Apptivo will give."""
_WHY_NOT = {
    "employeeRange": "none of the firm's employee ranges holds it, or they were not read yet",
    "annualRevenue": "it is no amount",
    "annualRevenueCurrencyCode": "it is no currency, or there is no revenue",
    "phone": "it has no digits",
}


def previewed(
    company: Company, table: Mapping[str, str], catalogue: Catalogue, business_id_attribute: str | None, *, notes: bool
) -> list[MappedRequest]:
    """customers `save`, then a contacts `save` each, then a `createNote` for each lead if notes are switched on."""

    def customer(fields: Mapping[str, str], pushed: Company) -> dict[str, Any]:
        values = values_of(fields, pushed)
        return lay_over(blank_customer(catalogue), values, pushed, catalogue, business_id_attribute).data

    found = [
        MappedRequest("customers save", "customer", company_values(customer, table, company, "customerData.", _WHY_NOT))
    ]
    for number, contact in enumerate(company.contacts):
        if not (contact.full_name or contact.email):
            continue
        values = item_values(
            lambda each: details.contact_data(each, _NEW, company.name), contact, f"contacts[{number}]", "contactData."
        )
        found.append(MappedRequest("contacts save", f"contact {contact.full_name or contact.email}", values))
    for number, lead in enumerate(company.leads if notes else ()):
        values = item_values(
            lambda each: details.note_details(details.note_text(each), _NEW, company.name),
            lead,
            f"leads[{number}]",
            "noteDetails.",
        )
        found.append(MappedRequest("notes createNote", f"lead {lead.title or lead.link}", values))
    return found
