"""Which customers a webhook of Apptivo is about. Pure; NOTES.md, "Webhooks", tells each form with its mark.

Nothing of what Apptivo sends is documented (upstream-apis 1.10): the names are those of its records (S003, phpmt).
"""

import re

from adapters.apptivo.endpoints import CUSTOMER_OBJECT
from adapters.apptivo.feed import associated_customers
from adapters.contract import CrmEvent
from adapters.webhook_bodies import BodyForm, Row, crm_events, event_id, is_about, objects, record_id

_NUMBERS = re.compile(r"[0-9]+")
"""Apptivo's record ids."""
_MARKS_OF_A_CUSTOMER = ("customerName", "customerNumber")
"""What every customer has, and no other record has both of (airbyte's schemas)."""


def read_events(body: object) -> list[CrmEvent]:
    """The customers of a webhook's JSON body, each once; empty where it names none. Never raises."""
    return crm_events(body, _FORM)


def _customers_of(row: Row, envelope: Row) -> list[str]:
    return (
        _named(row)
        or _ids(_by_type(row, envelope))
        or _ids(row.get("opportunityCustomerId"))
        or list(dict.fromkeys(associated_customers(row)))
        or _ids(_by_form(row, envelope))
    )


def _named(row: Row) -> list[str]:
    if found := record_id(row.get("customerId")):
        return [found]
    return _ids(*(one.get("customerId") or one.get("id") for one in objects(row.get("customer"))))


def _by_type(row: Row, envelope: Row) -> object:
    """The record's id where its type is told, and is customer."""
    if not _is_customer(row, envelope):
        return None
    return row.get("objectRefId") or (row.get("id") if row.get("id") != _event_id_of(row) else None)


def _is_customer(row: Row, envelope: Row) -> bool | None:
    """Whether the record is said to be a customer; None where nothing is said."""
    for level in (row, envelope):
        if level.get("objectId") not in (None, ""):
            return record_id(level["objectId"]) == str(CUSTOMER_OBJECT)
        if (told := is_about(level, "customer")) is not None:
            return told
    return None


def _by_form(row: Row, envelope: Row) -> object:
    """The id where no type is told: of a reference, or of what looks like a customer."""
    if _is_customer(row, envelope) is False:
        return None
    if row.get("objectRefId"):
        return row["objectRefId"]
    return row.get("id") if all(row.get(mark) for mark in _MARKS_OF_A_CUSTOMER) else None


def _ids(*values: object) -> list[str]:
    return [found for value in values if (found := record_id(value))]


def _event_id_of(row: Row) -> str | None:
    # an activity's eventId is its own id, the same at every change of it
    return None if "activityType" in row else event_id(row, _NUMBERS)


_FORM = BodyForm(_customers_of, _event_id_of)
