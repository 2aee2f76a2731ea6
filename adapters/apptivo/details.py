"""A company's contacts and leads as Apptivo's contacts and notes, and which of them Apptivo has already.

The app, its action and `contactData` are C (phpmt, jsphp); the names inside are those of customers (C there, I
here); how a contact names its customer is G: `accountId` and `accountName`, checked afterwards by reading.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.apptivo.endpoints import CUSTOMER_OBJECT
from adapters.contract import Contact, Lead
from adapters.plain_text import one_line, plain_text


def new_contacts(contacts: Iterable[Contact], rows: Iterable[Mapping[str, Any]]) -> list[Contact]:
    """The contacts that are in none of the rows of getCustomerContacts, each once, those without any name left out."""
    known = [_known_person(row) for row in rows]
    wanted = []
    for contact in contacts:
        person = (_folded(contact.full_name), frozenset(filter(None, [_folded(contact.email)])))
        if (person[0] or person[1]) and not any(_same_person(person, other) for other in known):
            known.append(person)
            wanted.append(contact)
    return wanted


_Person = tuple[str, frozenset[str]]


def _same_person(one: _Person, other: _Person) -> bool:
    if one[1] and other[1]:
        return bool(one[1] & other[1])
    return one[0] == other[0] != ""


def _known_person(row: Mapping[str, Any]) -> _Person:
    name = _folded(f"{row.get('firstName') or ''} {row.get('lastName') or ''}")
    rows = row.get("emailAddresses")
    listed = [item.get("emailAddress") for item in rows if isinstance(item, Mapping)] if isinstance(rows, list) else []
    emails = {_folded(email) for email in (*listed, row.get("emailAddress"), row.get("contactEmail"), row.get("email"))}
    return name or _folded(row.get("fullName")) or _folded(row.get("contactName")), frozenset(emails - {""})


def contact_data(contact: Contact, customer_id: str, customer_name: str) -> dict[str, Any]:
    """`contactData` of one contact of a customer. A contact without a last name gets what name there is as one (G)."""
    email = one_line(contact.email)
    phone = one_line(contact.phone)
    last = one_line(contact.last_name) or one_line(contact.first_name) or email
    return {
        "firstName": one_line(contact.first_name) if contact.last_name.strip() else "",
        "lastName": last,
        "jobTitle": one_line(contact.title),
        "accountId": reference(customer_id),
        "accountName": customer_name,
        "phoneNumbers": [_phone(phone)] if phone else [],
        "emailAddresses": [_email(email)] if email else [],
        "addresses": [],
        "labels": [],
        "customAttributes": [],
    }


def _phone(phone: str) -> dict[str, str]:
    return {
        "phoneNumber": phone,
        "phoneType": "Business",
        "phoneTypeCode": "PHONE_BUSINESS",
        "id": "cont_phone_input",
    }


def _email(email: str) -> dict[str, str]:
    return {"emailAddress": email, "emailType": "Business", "emailTypeCode": "BUSINESS", "id": "cont_email_input"}


def note_text(lead: Lead) -> str:
    """One lead as the text of a note: title, link, when Vainu found it, tags, Vainu's page; "" for an empty lead."""
    tags = ", ".join(one_line(tag) for tag in lead.tags)
    lines = [
        plain_text(lead.title),
        one_line(lead.link, 2_000),
        f"Added: {one_line(lead.added)}" if lead.added.strip() else "",
        f"Tags: {tags}" if tags else "",
        one_line(lead.vainu_link, 2_000),
    ]
    return "\n".join(line for line in lines if line)


def new_notes(leads: Iterable[Lead], rows: Iterable[object]) -> list[str]:
    """The texts of the leads that none of the notes holds already, each once."""
    known = {_folded(written(row)) for row in rows if isinstance(row, Mapping)}
    wanted = []
    for text in map(note_text, leads):
        if text and _folded(text) not in known:
            known.add(_folded(text))
            wanted.append(text)
    return wanted


def written(note: Mapping[str, Any]) -> object:
    """The text of a note as read: `noteText` (C in createNote and the news feed), else the likely other names (G)."""
    texts = (note.get(name) for name in ("noteText", "note", "text", "description"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def note_details(text: str, customer_id: str, customer_name: str) -> dict[str, Any]:
    """`noteDetails` of createNote for a note at a customer (C, phplib: names of its parts)."""
    place = {"objectId": CUSTOMER_OBJECT, "objectRefId": reference(customer_id)}
    return {
        "noteText": text,
        **place,
        "labels": [],
        "associations": [{**place, "objectRefName": customer_name}],
    }


def reference(customer_id: str) -> int | str:
    """A customer's id as JSON: a number, as Apptivo's are; any other text as it is."""
    is_number = customer_id.isascii() and customer_id.isdigit() and not customer_id.startswith("0")
    return int(customer_id) if is_number else customer_id


def _folded(value: object) -> str:
    # Apptivo's editor may have made markup of line breaks and ampersands
    return " ".join(plain_text(value).casefold().split())
