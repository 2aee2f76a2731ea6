"""A company's values laid over a customer record: what is there stays, what is missing is added (update and create)."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.apptivo.catalogue import Catalogue, named, preferred, range_of
from adapters.apptivo.mapping import CUSTOM, new_customer
from adapters.apptivo.matching import same_business_id
from adapters.contract import Company
from adapters.events import currency, number

_TEXTS = ("customerName", "website", "faceBookURL", "twitterURL", "linkedInURL", "tickerSymbol", "ownership")
_ADDRESS = ("addressLine1", "addressLine2", "city", "state", "zipCode")
_ATTRIBUTE_TYPES = frozenset({"input", "number", "currency", "date", "textarea"})
_NOT_DIGIT = re.compile(r"[^0-9]+")


@dataclass(slots=True)
class Laid:
    """A customer with values laid over it, and what that changed."""

    data: dict[str, Any]
    names: list[str] = field(default_factory=list)
    """The changed fields, for `attributeName`."""
    attribute_ids: list[str] = field(default_factory=list)
    """The changed custom attributes, for `attributeIds`."""

    def put(self, name: str, value: object) -> None:
        """Set one field and note it as changed."""
        self.data[name] = value
        if name not in self.names:
            self.names.append(name)

    def rows_of(self, name: str) -> list[Any]:
        """The list in a field; a fresh one where there is none."""
        rows = self.data.get(name)
        return rows if isinstance(rows, list) else []


def blank_customer(catalogue: Catalogue) -> dict[str, Any]:
    """What a new customer's values are laid over; active, where the firm's list has that status."""
    blank = new_customer()
    if status := next((option for option in catalogue.statuses if option.name.casefold() == "active"), None):
        blank |= {"statusName": status.name, "statusId": status.id}
    return blank


def lay_over(
    record: Mapping[str, Any],
    values: Mapping[str, str],
    company: Company,
    catalogue: Catalogue,
    business_id_attribute: str | None,
) -> Laid:
    """`record` with the values laid over it. Nothing of it is removed or blanked; a repeat changes nothing.

    Phones, e-mail addresses and postal addresses are added where the record has not got them; a description
    is filled in only where the record has none, since people write there.
    """
    laid = Laid(copy.deepcopy(dict(record)))
    for name in _TEXTS:
        if name in values and _text(laid.data.get(name)) != values[name]:
            laid.put(name, values[name])
    if "description" in values and not _text(laid.data.get("description")):
        laid.put("description", values["description"])
    _lay_revenue(laid, values)
    _lay_choices(laid, values, catalogue)
    _lay_phone(laid, values.get("phone", ""), catalogue)
    _lay_email(laid, values.get("email", ""), catalogue)
    _lay_address(laid, values, catalogue)
    for target, value in values.items():
        if target.startswith(CUSTOM):
            _lay_attribute(laid, target.removeprefix(CUSTOM), value, catalogue)
    if business_id_attribute and company.business_id:
        _lay_business_id(laid, business_id_attribute, company, catalogue)
    return laid


def _lay_revenue(laid: Laid, values: Mapping[str, str]) -> None:
    revenue = number(values.get("annualRevenue"))
    if revenue is None:
        return
    if number(laid.data.get("annualRevenue")) != revenue:
        laid.put("annualRevenue", revenue)
    code = currency(values.get("annualRevenueCurrencyCode"))
    if code and laid.data.get("annualRevenueCurrencyCode") != code:
        laid.put("annualRevenueCurrencyCode", code)


def _lay_choices(laid: Laid, values: Mapping[str, str], catalogue: Catalogue) -> None:
    if industry := values.get("industryName"):
        option = named(catalogue.industries, industry)
        _lay_choice(laid, "industry", "industryName", option.name if option else industry, option and option.id)
    given = values.get("employeeRange", "")
    staff = number(given)
    option = named(catalogue.employee_ranges, given) if staff is None else range_of(catalogue.employee_ranges, staff)
    if option:
        _lay_choice(laid, "employeeRange", "employeeRange", option.name, option.id)
    elif given and staff is None:
        _lay_choice(laid, "employeeRange", "employeeRange", given, None)


def _lay_choice(laid: Laid, stem: str, name: str, value: str, option_id: object) -> None:
    if _text(laid.data.get(name)).casefold() == value.casefold():
        return
    laid.put(name, value)
    # an id that belongs to the old name would win over the new one
    laid.put(f"{stem}Id", option_id)


def _lay_phone(laid: Laid, phone: str, catalogue: Catalogue) -> None:
    digits = _NOT_DIGIT.sub("", phone)
    phones = laid.rows_of("phoneNumbers")
    if not digits or any(_NOT_DIGIT.sub("", _part(row, "phoneNumber")) == digits for row in phones):
        return
    kind = preferred(catalogue.phone_types, "Business")
    row = {
        "phoneNumber": phone,
        "phoneType": kind.name if kind else "Business",
        "phoneTypeCode": (kind.code if kind else "") or "PHONE_BUSINESS",
        "id": "cust_phone_input",
    }
    laid.put("phoneNumbers", [*phones, row])


def _lay_email(laid: Laid, email: str, catalogue: Catalogue) -> None:
    emails = laid.rows_of("emailAddresses")
    known = {_part(row, "emailAddress").casefold() for row in emails}
    if not email or email.casefold() in known:
        return
    kind = preferred(catalogue.email_types, "Business")
    row = {
        "emailAddress": email,
        "emailTypeCode": (kind.code if kind else "") or "BUSINESS",
        "emailType": kind.name if kind else "Business",
        "id": "cont_email_input",
    }
    laid.put("emailAddresses", [*emails, row])


def _lay_address(laid: Laid, values: Mapping[str, str], catalogue: Catalogue) -> None:
    ours = {name: values[name] for name in _ADDRESS if name in values}
    code = values.get("countryCode", "").upper()
    if not ours and not code:
        return
    addresses = laid.rows_of("addresses")
    if any(_agrees(row, ours, code) for row in addresses) or (addresses and not ours):
        return
    for position, row in enumerate(addresses):
        # Apptivo keeps an address of which only the country is filled (S003's sample of update)
        if isinstance(row, Mapping) and not any(_part(row, name) for name in _ADDRESS):
            filled = {**row, **ours, **_country(code, row, catalogue)}
            laid.put("addresses", [*addresses[:position], filled, *addresses[position + 1 :]])
            return
    blank = _blank_address(len(addresses) + 1, catalogue)
    laid.put("addresses", [*addresses, {**blank, **ours, **_country(code, blank, catalogue)}])


def _country(code: str, row: Mapping[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    if not code or _part(row, "countryCode").upper() == code:
        return {}
    country = named(catalogue.countries, code)
    return {
        "countryCode": code,
        "countryName": country.name if country else "",
        "countryId": country.id if country else None,
    }


def _blank_address(position: int, catalogue: Catalogue) -> dict[str, Any]:
    kind = preferred(catalogue.address_types, "Billing Address")
    return {
        "addressAttributeId": "address_section_attr_id",
        "addressTypeCode": (kind.code if kind else "") or "1",
        "addressType": kind.name if kind else "Billing Address",
        **dict.fromkeys((*_ADDRESS, "stateCode"), ""),
        "addressGroupName": f"Address{position}",
        "deliveryInstructions": None,
        "county": None,
    }


def _agrees(row: object, ours: Mapping[str, str], code: str) -> bool:
    if any(_part(row, name).casefold() != value.casefold() for name, value in ours.items()):
        return False
    return not code or _part(row, "countryCode").upper() in ("", code)


def _lay_business_id(laid: Laid, attribute_id: str, company: Company, catalogue: Catalogue) -> None:
    # a person's "0970409-8" is the same id, so it stays as written
    for row in laid.rows_of("customAttributes"):
        if _part(row, "customAttributeId") == attribute_id and same_business_id(
            row.get("customAttributeValue"), company
        ):
            return
    _lay_attribute(laid, attribute_id, company.business_id or "", catalogue)


def _lay_attribute(laid: Laid, attribute_id: str, value: str, catalogue: Catalogue) -> None:
    rows = laid.rows_of("customAttributes")
    position = next((at for at, row in enumerate(rows) if _part(row, "customAttributeId") == attribute_id), None)
    old = rows[position] if position is not None else _new_attribute(attribute_id, catalogue)
    if _text(old.get("customAttributeValue")) == value:
        return
    new = {**old, "customAttributeValue": value}
    if old.get("customAttributeType") in ("number", "currency"):
        new["numberValue"] = value
    tag = old.get("customAttributeTagName")
    if isinstance(tag, str) and tag:
        new[tag] = value
    kept = rows if position is None else [*rows[:position], *rows[position + 1 :]]
    at = len(kept) if position is None else position
    laid.put("customAttributes", [*kept[:at], new, *kept[at:]])
    laid.attribute_ids.append(attribute_id)


def _new_attribute(attribute_id: str, catalogue: Catalogue) -> dict[str, Any]:
    # ids begin with their type in every sample: input_…, number_…, select_… (I, phplibv6)
    kind = attribute_id.partition("_")[0]
    tag = catalogue.tag_names.get(attribute_id, "")
    return {
        "customAttributeId": attribute_id,
        "customAttributeType": kind if kind in _ATTRIBUTE_TYPES else "input",
        "customAttributeValue": "",
        **({"customAttributeTagName": tag, "customAttributeName": tag} if tag else {}),
    }


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _part(row: object, name: str) -> str:
    return _text(row.get(name)) if isinstance(row, Mapping) else ""
