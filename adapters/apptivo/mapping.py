"""A pushed company as Apptivo's fields: the field table, and the empty customer that its values are laid over."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from adapters import fields
from adapters.contract import Company
from adapters.plain_text import one_line

CUSTOM = "custom:"
"""Before a `customAttributeId`: a target that is the firm's own field."""

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "customerName": "company_name || name",
        "website": "link || domain || website",
        "phone": "phone",
        "email": "email",
        "addressLine1": "address || visiting_address",
        "addressLine2": "",
        "city": "city || visiting_city",
        "state": "",
        "zipCode": "postal || visiting_postal",
        "countryCode": "country",
        "annualRevenue": "turn_over",
        "annualRevenueCurrencyCode": "turn_over && 'EUR'",
        "employeeRange": "staff_number",
        "industryName": "industry || industry_name",
        # a JSON literal: a JMESPath text in single quotes knows no escapes, and would join by a backslash and an n
        "description": 'join(`"\\n"`, [description, vainu_link][?@])',
        "faceBookURL": "facebook_link",
        "twitterURL": "twitter_link",
        "linkedInURL": "linkedin_link",
        "tickerSymbol": "",
        "ownership": "",
    }
)
"""Target → JMESPath on the company's document; an empty expression switches a target off until it is given one."""


def field_faults(overrides: Mapping[str, str]) -> list[str]:
    """What is wrong with a connection's field table, each as `target: reason`."""
    return fields.faults(overrides, FIELDS, (CUSTOM,))


def values_of(table: Mapping[str, str], company: Company) -> dict[str, str]:
    """Every target with its value as text, blanks left out; the name falls back on the company's."""
    values = {target: fields.text(value) for target, value in fields.evaluate(table, company).items()}
    values = {target: value for target, value in values.items() if value}
    if company.name.strip():
        values.setdefault("customerName", one_line(company.name))
    return values


def new_customer() -> dict[str, Any]:
    """An empty customer as S003's sample of `save` sends it; names and ids of that firm left out."""
    blanks = (
        "customerCategory", "description", "phoneNumber", "contactEmail", "skypeName", "parentCustomerName",
        "employeeRange", "website", "tickerSymbol", "campaignName", "creditRating", "marketName", "segmentName",
        "industryName", "ownership", "slaName", "followUpDescription", "createdByName", "lastUpdatedByName",
        "creationDate", "lastUpdateDate", "faceBookURL", "twitterURL", "linkedInURL",
    )  # fmt: skip
    nulls = (
        "customerId", "customerCategoryId", "parentCustomerId", "employeeRangeId", "annualRevenue", "campaignId",
        "marketId", "segmentId", "industryId", "slaId", "bouncedReason", "followUpDate", "createdBy",
        "lastUpdatedBy", "lastContactedDate",
    )  # fmt: skip
    noes = ("isUnsubscribed", "isBounced", "isResponded", "isExistingCustomer", "isAffiliate")
    lists = ("customAttributes", "accounts", "territories", "labels", "phoneNumbers", "emailAddresses", "addresses")
    return {
        "customerNumber": "Auto generated number",
        **dict.fromkeys(blanks, ""),
        **dict.fromkeys(nulls),
        **dict.fromkeys(noes, "N"),
        **{name: [] for name in lists},
    }
