"""Many customers at once for the simulated Apptivo, with their opportunities and without a demo feed.

Dates come in all three forms of Apptivo's pages, one after the other (upstream-apis 1.7).
"""

from collections.abc import Mapping
from typing import Any

from adapters.apptivo.demo_feed import Clock, opportunity
from adapters.simulated_customers import MadeUpCustomer

BUSINESS_ID_ATTRIBUTE = "input_1503034023492_552"
"""The `customAttributeId` of the simulated firm's field for business ids."""
Row = dict[str, Any]
_DEALS = {"won": ("Closed Won", "100.00"), "lost": ("Closed Lost", 0), "open": ("Proposal", "20.00")}
_RANGES = ((1, 9, "1 - 9"), (10, 49, "10 - 49"), (50, 99, "50 - 99"), (100, 499, "100 - 499"), (500, 10**9, "500+"))


def customer_row(made: MadeUpCustomer, clock: Clock, created: int) -> Row:
    """A customer of that many days ago."""
    changed = min(made.changed_days_ago, created)
    forms = (clock.stamp, clock.spoken, clock.day)
    return {
        "customerName": made.name,
        "customerNumber": str(made.number),
        "statusName": "Active",
        "statusId": 10000,
        "assigneeObjectRefName": "sales@example.com",
        "description": f"Made up, number {made.number}",
        "industryName": made.industry,
        "annualRevenue": made.revenue,
        "annualRevenueCurrencyCode": "EUR",
        "employeeRange": next(name for low, high, name in _RANGES if low <= made.employees <= high),
        "emailAddresses": [{"emailAddress": made.email, "emailType": "Business", "emailTypeCode": "BUSINESS"}],
        "addresses": [{"addressType": "Billing Address", "city": made.city, "countryCode": "FI"}],
        "customAttributes": [
            {
                "customAttributeId": BUSINESS_ID_ATTRIBUTE,
                "customAttributeType": "input",
                "customAttributeValue": made.business_id,
            }
        ],
        "labels": [{"labelId": 1, "labelName": made.label}],
        "creationDate": forms[made.number % 3](-created),
        "lastUpdateDate": forms[(made.number + 1) % 3](-changed),
        "lastContactedDate": "Not Contacted",
        "isActive": "Y",
        "version": 1,
    }


def opportunity_rows(made: MadeUpCustomer, customer: Mapping[str, Any], clock: Clock) -> list[Row]:
    """That customer's opportunities."""
    outcomes = ["won"] * made.won + ["lost"] * made.lost + ["open"] * made.open
    return [
        opportunity(
            customer,
            opportunityName=f"Deal {made.number}-{place}",
            salesStageName=_DEALS[outcome][0],
            probability=_DEALS[outcome][1],
            amount=1000,
            closeDate=clock.day(-10 - place),
            creationDate=clock.spoken(-20 - made.number % 1000),
            lastUpdateDate=clock.spoken(-10),
        )
        for place, outcome in enumerate(outcomes)
    ]
