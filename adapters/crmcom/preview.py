"""What CRM.COM would get of a company: the calls of an export, built by the code that makes them."""

from collections.abc import Mapping
from typing import Any

from adapters.contract import Company, Contact, Lead
from adapters.crmcom.details import Details
from adapters.crmcom.mapping import company_body, person_body, stand_in
from adapters.crmcom.models import CrmcomSettings
from adapters.mapping_preview import MappedRequest, company_values, constant_values, item_values

_NEW = "(the new customer)"
"""Stands for the id that CRM.COM will give."""
_ACCOUNT = {"id": "(its account)"}
_WHY_NOT = {"country": "the setting country_identifier is not set, or there is no address"}


def previewed(
    company: Company, table: Mapping[str, str], settings: CrmcomSettings, details: Details
) -> list[MappedRequest]:
    """contact_information/create, the account, then a person for each contact and a web event for each lead."""
    customer = company_values(
        lambda fields, pushed: company_body(pushed, fields, settings), table, company, "", _WHY_NOT
    )
    account = constant_values(details.account_body(_NEW, company.name))
    found = [
        MappedRequest("contact_information/create", "customer", customer),
        MappedRequest("accounts_receivable/create", "account", account),
    ]

    def person(contact: Contact) -> dict[str, Any]:
        who = contact.email.casefold() or contact.full_name.casefold()
        return person_body(contact, stand_in("contact", _NEW, who), company.name, settings)

    def event(lead: Lead) -> dict[str, Any]:
        return dict(next((row for _reference, row in details.lead_rows(_NEW, _ACCOUNT, lead)), {}))

    for number, contact in enumerate(company.contacts):
        if not (contact.full_name or contact.email):
            continue
        values = item_values(person, contact, f"contacts[{number}]", "")
        about = f"contact {contact.full_name or contact.email}"
        found.append(MappedRequest("contact_information/create", about, values))
    for number, lead in enumerate(company.leads):
        prefix = "web_customer_events_set[]."
        values = item_values(event, lead, f"leads[{number}]", prefix)
        found.append(MappedRequest("customer_events/bulk/web/create", f"lead {lead.title or lead.link}", values))
    return found
