"""Which customers a webhook of CRM.COM is about. Pure; NOTES.md, "Webhooks", tells each form with its mark.

CRM.COM documents no webhooks (upstream-apis 2.7, U): the names are those of its records.
"""

import re
from collections.abc import Mapping
from typing import Any

from adapters.contract import CrmEvent
from adapters.crmcom.records import owner_of
from adapters.webhook_bodies import BodyForm, Row, crm_events, event_id, is_about, objects, record_id

ACCOUNT_MARK = "ar:"
"""Before the id of an account receivable, where a body names no contact information: `summary` looks up the owner."""
_RECORD_IDS = re.compile(r"[0-9A-Fa-f]{32}|[0-9]+")
"""CRM.COM's record ids (C, captured replies), and its numbers."""
_CONTACT = "contact_information"
_ACCOUNT = "accounts_receivable"


def read_events(body: object) -> list[CrmEvent]:
    """The customers of a webhook's JSON body, each once; empty where it names none. Never raises."""
    return crm_events(body, _FORM)


def is_person(contact: Row) -> bool:
    """Whether contact information says of itself that it is a person: Vainu holds companies only."""
    kind = contact.get("type")
    return isinstance(kind, str) and kind.strip().upper() == "PERSON"


def _customers_of(row: Row, envelope: Row) -> list[str]:
    contacts = [found for value in _references(row, _CONTACT) for found in _contact_ids(value)]
    if contacts:
        return contacts
    accounts = [found for value in _references(row, _ACCOUNT) for found in _account_ids(value)]
    return accounts or _itself(row, envelope)


def _references(row: Row, noun: str) -> list[Any]:
    return [row[name] for name in (noun, f"{noun}_identifier", f"{noun}_id") if row.get(name)]


def _contact_ids(value: object) -> list[str]:
    """Ids of a contact information, or of a list of them, each an object or a bare id."""
    ids = [None if is_person(one) else one.get("id") for one in objects(value)] + _bare(value)
    return [found for one in ids if (found := record_id(one))]


def _account_ids(value: object) -> list[str]:
    """The same for accounts receivable: their owners, and the accounts themselves where no owner is told."""
    owners = [(account, owner_of(account)) for account in objects(value)]
    owned = [found for _account, owner in owners if owner.get("id") for found in _contact_ids(owner)]
    ids = [account.get("id") for account, owner in owners if not owner.get("id")] + _bare(value)
    return owned + [f"{ACCOUNT_MARK}{found}" for one in ids if (found := record_id(one))]


def _bare(value: object) -> list[Any]:
    return [one for one in (value if isinstance(value, list) else [value]) if not isinstance(one, Mapping)]


def _itself(row: Row, envelope: Row) -> list[str]:
    """The object as the record: by the type that is told, or because no other record has such a field."""
    if row.get("id") is not None and row["id"] == event_id(row, _RECORD_IDS):
        return []
    if isinstance(row.get("account_owner"), Mapping) or _is(_ACCOUNT, row, envelope):
        return _account_ids(row)
    kind = row.get("type")
    is_company = isinstance(kind, str) and kind.strip().upper() == "COMPANY"
    return _contact_ids(row) if is_company or _is(_CONTACT, row, envelope) else []


def _is(noun: str, row: Row, envelope: Row) -> bool:
    return bool(is_about(row, noun) or is_about(envelope, noun))


_FORM = BodyForm(_customers_of, lambda row: event_id(row, _RECORD_IDS))
