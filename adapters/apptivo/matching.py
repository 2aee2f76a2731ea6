"""Which of the customers that a search found are the company we look for; Apptivo's search matches parts, we do not."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from adapters import company_ids
from adapters.apptivo import replies
from adapters.contract import Company, Match, UnexpectedReply

_NAMES_A_BUSINESS_ID = re.compile(
    r"business(?:id|no|nr|number|code|identitycode)|(?:company|organi[sz]ation|org)(?:no|nr|number|registrationnumber)"
    r"|y?tunnus|yritystunnus|organi[sz]asjonsnummer|organisationsnummer|orgnummer|cvr(?:nr|no|number|nummer)?"
    r"|vat(?:id|no|nr|number|registrationnumber)|(?:trade|company)?regist(?:er|ration)(?:id|no|nr|number)"
)
"""What a firm's own field for business ids may be called, without blanks, dots and case: English, Nordic words (G).

Not "company id", which is as likely a number of the firm's own.
"""
_SHORTEST_ID = 5


def spellings(company: Company) -> list[str]:
    """The business id as people may have typed it: plain, and with the dash of Finland (7-1) or Sweden (6-4)."""
    plain = company.business_id or ""
    written = [plain] if plain else []
    if plain.isascii() and plain.isdigit():
        if company.country in (None, "FI") and len(plain) == 8:
            written.append(f"{plain[:7]}-{plain[7:]}")
        if company.country in (None, "SE") and len(plain) == 10:
            written.append(f"{plain[:6]}-{plain[6:]}")
    return written


def same_business_id(value: object, company: Company) -> bool:
    """Whether a field holds the company's business id, with or without dashes and the country's prefix."""
    if company.business_id is None:
        return False
    _country, bare = company_ids.split_country(value)
    return company.business_id in (
        company_ids.business_id(value, company.country),
        company_ids.business_id(bare, company.country),
    )


def matches(
    rows: Iterable[Mapping[str, Any]], company: Company, names: Iterable[str], attribute: str | None
) -> list[Match]:
    """The rows that are the company: by business id first, then by exact name; oldest (lowest id) first, each once.

    `attribute` is the `customAttributeId` that holds business ids. A row of the right name in which it holds
    another id is another company. Without `attribute` any custom attribute may hold the id, and none contradicts.
    """
    wanted = list(names)
    found: dict[str, Match] = {}
    for row in rows:
        ids = [value for value in attribute_values(row, attribute) if company_ids.business_id(value)]
        if any(same_business_id(value, company) for value in ids):
            match = Match(_id_of(row), "business_id")
            found[match.record_id] = match
        elif attribute and ids and company.business_id:
            continue
        elif any(company_ids.same_name(row.get("customerName"), name) for name in wanted):
            match = Match(_id_of(row), "name")
            found.setdefault(match.record_id, match)
    return sorted(found.values(), key=lambda match: (match.by == "name", *_age(match.record_id)))


def attribute_values(row: Mapping[str, Any], attribute: str | None) -> list[object]:
    """What a customer's custom attribute of this `customAttributeId` holds, or with None what all of them hold."""
    wanted = (item for item in _attributes(row) if attribute in (None, _text(item.get("customAttributeId"))))
    return [value for item in wanted for value in _values(item)]


def named_business_ids(row: Mapping[str, Any]) -> list[object]:
    """What the custom attributes hold that are called a business id, where no setting says which one it is (G).

    Only what may be one: digits among at least five letters and digits.
    """
    found = (value for item in _attributes(row) if _is_named_business_id(item) for value in _values(item))
    written = ((value, company_ids.business_id(value) or "") for value in found)
    return [value for value, plain in written if len(plain) >= _SHORTEST_ID and any(map(str.isdigit, plain))]


def _attributes(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    custom = row.get("customAttributes")
    return [item for item in custom if isinstance(item, Mapping)] if isinstance(custom, list) else []


def _values(item: Mapping[str, Any]) -> list[object]:
    tag = item.get("customAttributeTagName")
    return [
        item.get("customAttributeValue"),
        item.get("numberValue"),
        item.get(tag) if isinstance(tag, str) else None,
    ]


def _is_named_business_id(item: Mapping[str, Any]) -> bool:
    names = (_text(item.get(key)) for key in ("customAttributeName", "customAttributeTagName"))
    return any(_NAMES_A_BUSINESS_ID.fullmatch("".join(filter(str.isalnum, name.casefold()))) for name in names)


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _id_of(row: Mapping[str, Any]) -> str:
    record_id = replies.record_id(row)
    if record_id is None:
        # to leave it out would make a second customer of the same company
        raise UnexpectedReply("apptivo found the customer, but told no customerId of it")
    return record_id


def _age(record_id: str) -> tuple[int, int, str]:
    digits = record_id if record_id.isascii() and record_id.isdigit() else ""
    return (0, int(digits), "") if digits else (1, 0, record_id)
