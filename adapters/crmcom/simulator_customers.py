"""Many customers at once for the simulated CRM.COM, with their leads and without a demo feed."""

from collections.abc import Callable
from typing import Any

from adapters.crmcom.simulator_feed import contact_row
from adapters.simulated_customers import MadeUpCustomer

Row = dict[str, Any]
_STATES = {"won": "WON", "lost": "Lost", "open": "In Progress"}
"""The spelling of states varies (G)."""


def customer_row(made: MadeUpCustomer, row_id: str, number: str, local: Callable[[float], str]) -> Row:
    """A company's contact information."""
    stamp = local(made.changed_days_ago)
    return {
        "id": row_id,
        "number": number,
        "type": "COMPANY",
        "name": made.name,
        "company_name": made.name,
        "life_cycle_state": "FINANCIAL",
        "vat_registration_number": made.business_id,
        "category": {"id": "1", "name": made.label},
        "demographics": {"emails_set": [{"type": "BUSINESS", "email": made.email}]},
        "company_profile": {
            "industry_sector": {"name": made.industry},
            "annual_turnover": made.revenue,
            "number_of_employees": made.employees,
        },
        "address_set": [{"type": "BUSINESS", "town_city": made.city, "country": {"alternative_code": "FI"}}],
        "notes": f"Made up, number {made.number}",
        "assigned_to_user": {"email": "anna.admin@example.com"},
        "log_information": {"created_date": stamp, "updated_date": stamp},
    }


def lead_rows(
    made: MadeUpCustomer, contact_id: str, new_id: Callable[[], str], local: Callable[[float], str]
) -> list[Row]:
    """The leads of that company."""
    states = ["won"] * made.won + ["lost"] * made.lost + ["open"] * made.open
    rows = []
    for place, state in enumerate(states):
        done = {"actual_completion_date": local(10 + place)} if state != "open" else {}
        fields = {"life_cycle_state": _STATES[state], "name": f"Lead {made.number}-{place}", **done}
        stamp = local(made.changed_days_ago)
        rows.append(contact_row(contact_id, made.name, new_id(), stamp, number=f"{made.number}-{place}", **fields))
    return rows
