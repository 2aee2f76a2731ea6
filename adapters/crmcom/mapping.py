"""A pushed company as CRM.COM's contact information, and what of it a record still lacks. Pure.

Sources: upstream-apis section 2.6; the shape of `demographics` by javaclient, which writes phones, e-mails and
`id_number` there. The field table is documented in NOTES.md.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from adapters import company_ids, fields
from adapters.contract import Company, Contact
from adapters.crmcom.models import CrmcomSettings
from adapters.events import number

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "company_name": "company_name",
        "vat_registration_number": "business_id",
        "registration_number": "business_id",
        "phone": "phone",
        "email": "email",
        "street_name": "visiting_address || address",
        "postal_code": "visiting_postal || postal",
        "town_city": "visiting_city || city",
        "country": "country",
        "notes": (
            "join(`\"\\n\"`, [description && to_string(description), link && join('', ['Web: ', to_string(link)]),"
            " turn_over && join('', ['Turnover: ', to_string(turn_over)]),"
            " staff_number && join('', ['Staff: ', to_string(staff_number)]),"
            " vainu_link && join('', ['Vainu: ', to_string(vainu_link)])][?@])"
        ),
    }
)
"""Target → JMESPath on the pushed company (fields of Vainu API v1, prospect all information)."""

UDF = ("udf_string_", "udf_float_", "udf_date_")
NUMBERS = ("vat_registration_number", "registration_number")
_ADDRESS = ("street_name", "postal_code", "town_city")
_PLACES = ("demographics", "company_profile")
_STAND_IN = "VAINU-"
_LONGEST = 255


def field_faults(overrides: Mapping[str, str]) -> list[str]:
    """What is wrong with a connection's own field table."""
    return fields.faults(overrides, FIELDS, UDF)


def stand_in(*parts: object) -> str:
    """A stable number made of `parts`, for records that have none of their own.

    CRM.COM has no idempotency key and no documented search, but it finds records by such a number (C), so a create
    whose reply was lost is found again. javaclient does the same with a person's `id_number`.
    """
    text = "\x1f".join(str(part) for part in parts)
    return _STAND_IN + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24].upper()


def company_stand_in(company: Company) -> str:
    """The number of a company that was pushed without a business id."""
    return stand_in("company", company.vid or f"{company_ids.name_key(company.name)}|{company.country or ''}")


def company_body(company: Company, table: Mapping[str, str], settings: CrmcomSettings) -> dict[str, Any]:
    """The body of contact_information/create for a company, without the token."""
    found = fields.evaluate(table, company)
    values = {target: text for target, value in found.items() if (text := fields.text(value, 4_000))}
    numbers = _numbers(values, company)
    demographics: dict[str, Any] = _reach(values.get("phone"), values.get("email"), settings)
    body: dict[str, Any] = {"type": "COMPANY", "company_name": values.get("company_name", company.name)[:_LONGEST]}
    if settings.category:
        body["category_identifier"] = {"name": settings.category}
    if "notes" in values:
        body["notes"] = values["notes"]
    body |= {name: _udf(name, text) for name, text in values.items() if name.startswith(UDF)}
    if "record" in settings.numbers_in:
        body |= numbers
    if "demographics" in settings.numbers_in:
        demographics |= numbers
    if "company_profile" in settings.numbers_in:
        body["company_profile"] = dict(numbers)
    if demographics:
        body["demographics"] = demographics
    if address := _address(values, settings):
        body["address_set"] = [address]
    return body


def person_body(contact: Contact, id_number: str, company_name: str, settings: CrmcomSettings) -> dict[str, Any]:
    """The body of contact_information/create for a contact of a company, found again by `id_number`.

    How CRM.COM ties persons to a company is not known (U), so the notes name it.
    """
    reach: dict[str, Any] = {}
    if contact.phone:
        reach["phone_set"] = [{"type": settings.person_phone_type, "number": contact.phone}]
    if contact.email:
        reach["email_set"] = [{"type": settings.person_email_type, "email": contact.email}]
    body: dict[str, Any] = {
        "type": "PERSON",
        "first_name": (contact.first_name or contact.last_name or contact.email)[:_LONGEST],
        "last_name": (contact.last_name or contact.first_name or contact.email)[:_LONGEST],
        "notes": ", ".join(part for part in (contact.title, company_name) if part),
        "demographics": {"id_number": id_number, **reach},
    }
    if settings.category:
        body["category_identifier"] = {"name": settings.category}
    return body


def amendment(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What contact_information/update must send so that `record` holds all of `wanted`; empty if it does.

    Absent is unchanged, null would clear, and every phone, e-mail and address sent is added (wiki 490824): so only
    what differs is sent. Notes and numbers are filled when empty, never overwritten: people write there.
    """
    changed: dict[str, Any] = {}
    for name, value in wanted.items():
        if name in ("type", "category_identifier", "demographics", "company_profile", "address_set"):
            continue
        if name == "notes" and _text(record.get("notes")):
            continue
        if name in NUMBERS:
            if not _has_number(record, name, value):
                changed[name] = value
        elif _text(record.get(name)) != _text(value):
            changed[name] = value
    if addresses := [entry for entry in wanted.get("address_set", ()) if not _has_address(record, entry)]:
        changed["address_set"] = addresses
    for place in _PLACES:
        if part := _place_amendment(record, wanted.get(place) or {}):
            changed[place] = part
    return changed


def numbers_of(record: Mapping[str, Any]) -> list[str]:
    """A company record's own registration numbers, wherever it writes them, without our stand-ins."""
    found = (_text(part.get(name)) for part in parts_of(record) for name in NUMBERS)
    return [text for text in found if text and not text.startswith(_STAND_IN)]


def spellings(company: Company, table: Mapping[str, str]) -> list[str]:
    """How a company's number may be written in CRM.COM, the most likely first; its stand-in if it has none."""
    found = fields.evaluate({name: table.get(name, "") for name in NUMBERS}, company)
    pushed = [text for value in found.values() if (text := fields.text(value, _LONGEST))]
    clean = company.business_id
    wanted = [clean] if clean else []
    if clean and company.country == "FI" and len(clean) == 8:
        wanted.append(f"{clean[:7]}-{clean[7]}")
    if clean and company.country:
        wanted.append(f"{company.country}{clean}")
    return list(dict.fromkeys([*wanted, *(pushed or [company_stand_in(company)])]))


def _numbers(values: Mapping[str, str], company: Company) -> dict[str, str]:
    numbers = {name: values[name][:_LONGEST] for name in NUMBERS if name in values}
    for name, written in numbers.items():
        if company.business_id and company_ids.business_id(written, company.country) == company.business_id:
            # one spelling, whatever the push wrote, so that the look-up finds it again
            numbers[name] = company.business_id
    return numbers or {"registration_number": company_stand_in(company)}


def _reach(phone: str | None, email: str | None, settings: CrmcomSettings) -> dict[str, Any]:
    reach: dict[str, Any] = {}
    if phone:
        reach["phone_set"] = [{"type": settings.phone_type, "number": phone}]
    if email:
        reach["email_set"] = [{"type": settings.email_type, "email": email}]
    return reach


def _address(values: Mapping[str, str], settings: CrmcomSettings) -> dict[str, Any]:
    parts: dict[str, Any] = {name: values[name][:_LONGEST] for name in _ADDRESS if name in values}
    if not parts:
        return {}
    if settings.country_identifier and "country" in values:
        parts["country_identifier"] = {settings.country_identifier: values["country"]}
    return {"type": settings.address_type, **parts}


def _udf(name: str, text: str) -> str | int | float:
    amount = number(text) if name.startswith("udf_float_") else None
    return text[:_LONGEST] if amount is None else amount


def _text(value: object) -> str:
    return " ".join(fields.text(value).split())


def parts_of(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The record and those of its parts in which a company's own fields may stand."""
    return [record, *(part for place in _PLACES if isinstance(part := record.get(place), Mapping))]


def _entries(record: Mapping[str, Any], names: Collection[str]) -> Iterable[Mapping[str, Any]]:
    for part in parts_of(record):
        for name in names:
            entries = part.get(name)
            if isinstance(entries, list):
                yield from (entry for entry in entries if isinstance(entry, Mapping))


def addresses_of(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """A record's addresses, wherever it writes them."""
    return _entries(record, ("address_set", "addresses_set"))


def emails_of(record: Mapping[str, Any]) -> list[object]:
    """A record's own e-mail addresses as written, wherever it writes them."""
    return [entry.get("email") for entry in _entries(record, ("email_set", "emails_set"))]


def company_name(record: Mapping[str, Any]) -> object:
    """A company's name, as a whole record or a short one spells it."""
    return record.get("company_name") or record.get("name")


def _has_number(record: Mapping[str, Any], name: str, wanted: str) -> bool:
    held = [text for part in parts_of(record) if (text := _text(part.get(name)))]
    # a number that a person wrote stays, even if it is another; a stand-in gives way to a real one
    return any(not text.startswith(_STAND_IN) for text in held) or (bool(held) and wanted.startswith(_STAND_IN))


def _has_address(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    def key(entry: Mapping[str, Any]) -> Sequence[str]:
        return [_text(entry.get(name)).casefold() for name in _ADDRESS]

    return any(key(entry) == key(wanted) for entry in addresses_of(record))


def _place_amendment(record: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    changed = {
        name: value
        for name, value in wanted.items()
        if name in (*NUMBERS, "id_number") and not _has_number(record, name, value)
    }
    phones = {_digits(entry.get("number")) for entry in _entries(record, ("phone_set", "phones_set"))}
    emails = {_text(email).casefold() for email in emails_of(record)}
    sets = {
        "phone_set": [entry for entry in wanted.get("phone_set", ()) if _digits(entry["number"]) not in phones],
        "email_set": [entry for entry in wanted.get("email_set", ()) if entry["email"].casefold() not in emails],
    }
    return changed | {name: entries for name, entries in sets.items() if entries}


def _digits(phone: object) -> str:
    return "".join(filter(str.isdigit, _text(phone))) or _text(phone)
