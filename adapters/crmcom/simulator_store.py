"""What the simulated CRM.COM holds, and what its methods do to it; the HTTP around it is in simulator.py."""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta, tzinfo
from typing import Any

from adapters.crmcom.models import BULK_ROWS, EVENT_KINDS, set_name
from adapters.crmcom.simulator_feed import contact_feed, contact_row, event_feed
from adapters.simulated_webhooks import Deal

Row = dict[str, Any]
_SETS = ("phone_set", "email_set", "address_set")
_BULK_MANDATORY: Mapping[str, tuple[str, ...]] = {
    "achievements": ("accounts_receivable_identifier", "classification_identifier"),
    "purchases": ("accounts_receivable_identifier", "reference_number", "products_set"),
    "referrals": ("referred_rewards_participant_identifier", "referred_by_rewards_participant_identifier"),
    "social_media": ("accounts_receivable_identifier", "social_media", "profile", "action"),
    "web": ("accounts_receivable_identifier", "website"),
    "financial_achievements": ("accounts_receivable_identifier", "classification_identifier"),
}
"""Mandatory fields of a row besides the three that every kind has (S004)."""


class ApiFailure(Exception):
    """A business error: HTTP 200, and this code and description in the envelope or the row."""

    def __init__(self, code: str, detail: str, generic: str = "The API call failed.") -> None:
        super().__init__(code)
        self.code = code
        self.description = f"Error:{detail}. - Description:{generic}"


def not_found(what: str, value: object) -> ApiFailure:
    """The documented failure of a look-up (S004)."""
    return ApiFailure(
        "NotFoundAPIValueException", f"{what} ({value}) Not Found", "The specified API value was not found."
    )


def mandatory(body: Mapping[str, Any], name: str) -> Any:
    """A field that must be there; its failure's code is not documented (G)."""
    if body.get(name) in (None, "", [], {}):
        raise ApiFailure("MandatoryFieldMissingException", f"{name} is mandatory")
    return body[name]


class Store:
    """Contacts, accounts, customer events and the rest, each a list of rows in order of creation."""

    def __init__(self, *, now: Callable[[], float], zone: tzinfo, demo_feed: bool) -> None:
        self.now = now
        self.zone = zone
        self.demo_feed = demo_feed
        self.tables: dict[str, list[Row]] = {}
        Store.reset(self)

    def reset(self) -> None:
        """Forget every record."""
        names = ("contact_information", "accounts_receivable", "communications", "leads", "activities")
        self.tables = {name: [] for name in (*names, *(f"customer_events/{kind}" for kind in EVENT_KINDS))}

    def dump(self) -> dict[str, list[Row]]:
        """Every table with its rows."""
        return deepcopy(self.tables)

    def knows(self, resource: str) -> bool:
        """Whether there is such a resource."""
        return resource in self.tables

    def list_key(self, resource: str) -> str:
        """Under which key a list stands in `data` (U; G as in the bulk calls' set names)."""
        kind = resource.removeprefix("customer_events/")
        return set_name(kind) if kind in EVENT_KINDS else f"{resource}_set"

    def new_id(self) -> str:
        """An id as CRM.COM makes them: 32 upper-case hex digits."""
        return uuid.uuid4().hex.upper()

    def local(self, days_ago: float = 0.0) -> str:
        """A time as CRM.COM writes it: local, to the second, without a zone."""
        at = datetime.fromtimestamp(self.now(), self.zone) - timedelta(days=days_ago)
        return at.replace(tzinfo=None, microsecond=0).isoformat()

    def show(self, resource: str, query: Mapping[str, str]) -> Row:
        """One record by its identifier, such as `contact_information_identifier=number=CI000111`."""
        names = {"accounts_receivable": "accounts_receivable_identifier"}
        singular = {"leads": "lead", "communications": "communication", "activities": "activity"}
        event = "customer_event" if resource.startswith("customer_events/") else singular.get(resource, resource)
        identifier = query.get(names.get(resource, f"{event}_identifier"), "")
        field, _, value = identifier.partition("=")
        return deepcopy(self._one(resource, {mandatory({"identifier": field}, "identifier"): value}))

    def listed(self, resource: str, query: Mapping[str, str]) -> list[Row]:
        """The rows that belong to what the query names, oldest first."""
        rows = self.tables[resource]
        if resource == "contact_information":
            name = mandatory(query, "company_name").casefold()
            return [row for row in rows if name in str(row.get("company_name") or "").casefold()]
        for key, column in (
            ("contact_information_identifier", "contact_information"),
            ("accounts_receivable_identifier", "accounts_receivable"),
        ):
            field, _, value = query.get(key, "").partition("=")
            if field:
                owner = self._one(column, {field: value})
                place = "account_owner" if resource == "accounts_receivable" else column
                return [row for row in rows if (row.get(place) or {}).get("id") == owner["id"]]
        raise ApiFailure("MandatoryFieldMissingException", "one of the semi-optional identifiers is mandatory")

    def create_contact(self, body: Row) -> Row:
        """contact_information/create: a new record every time, whatever is there already."""
        kind = mandatory(body, "type")
        name = mandatory(body, "company_name") if kind == "COMPANY" else mandatory(body, "last_name")
        given = {key: value for key, value in deepcopy(body).items() if key != "token"}
        number = f"CI{len(self.tables['contact_information']) + 111:06d}"
        row = {"id": self.new_id(), "number": number, "name": name, "life_cycle_state": "MARKETING", **given}
        row["log_information"] = self._log()
        self.tables["contact_information"].append(row)
        if kind == "COMPANY" and self.demo_feed:
            for table, entries in contact_feed(row["id"], name, self.new_id, self.local).items():
                self.tables[table].extend(entries)
        return {"id": row["id"], "number": number}

    def update_contact(self, body: Row) -> Row:
        """contact_information/update: absent is unchanged, null clears, sets are added to (wiki 490824)."""
        row = self._one("contact_information", mandatory(body, "contact_information_identifier"))
        changed = {k: v for k, v in deepcopy(body).items() if k not in ("token", "contact_information_identifier")}
        if not changed:
            raise ApiFailure(
                "COM.CRM.EXCEPTION.CONTACTINFORMATION.ATLEASTONEOFTHEFIELDSMUSTBEAMENDEDEXCEPTION",
                "At least one of the fields must be amended",
            )
        _merge(row, changed)
        row["log_information"]["updated_date"] = self.local()
        return {"id": row["id"], "number": row["number"]}

    def change_customer(self, contact_id: str, parts: Mapping[str, Any], deals: "Counter[Deal]") -> Row:
        """Somebody edits a company and wins, loses or opens leads; the webhook that tells of it (its form is G)."""
        try:
            row = self._one("contact_information", {"id": contact_id})
        except ApiFailure as failure:
            raise LookupError(failure.description) from None
        _merge(row, dict(parts))
        row["log_information"]["updated_date"] = self.local()
        for state in deals.elements():
            lead = {"name": "New lead", "life_cycle_state": "IN_PROGRESS" if state == "open" else state.upper()}
            number = str(len(self.tables["leads"]) + 19)
            self.tables["leads"].append(
                contact_row(contact_id, row["name"], self.new_id(), self.local(), number=number, **lead)
            )
        told = {"event_id": str(uuid.uuid4()), "event": "contact_information.updated"}
        return {**told, "contact_information": deepcopy(row)}

    def create_account(self, body: Row) -> Row:
        """accounts_receivable/create; its owner becomes FINANCIAL."""
        given = body.get("account_owner_identifier") or body.get("contact_information_identifier")
        owner = self._one("contact_information", mandatory({"account owner": given}, "account owner"))
        number = f"ACR{len(self.tables['accounts_receivable']) + 164:010d}"
        short = {key: owner.get(key) for key in ("id", "type", "name", "company_name", "first_name", "last_name")}
        row: Row = {"id": self.new_id(), "number": number, "name": mandatory(body, "name"), "account_owner": short}
        row |= {"life_cycle_state": "ACTIVE", "notes": None, "log_information": self._log()}
        owner["life_cycle_state"] = "FINANCIAL"
        self.tables["accounts_receivable"].append(row)
        if owner["type"] == "COMPANY" and self.demo_feed:
            for kind, events in event_feed(_short_account(row), self.new_id, self.local).items():
                self.tables[f"customer_events/{kind}"].extend(events)
        return {"id": row["id"], "number": number}

    def create_events(self, kind: str, body: Row) -> Row:
        """A bulk create: the envelope is OK even when rows fail (S004)."""
        rows = mandatory(body, set_name(kind))
        if not isinstance(rows, list) or len(rows) > BULK_ROWS:
            raise ApiFailure("MaximumNumberOfRowsExceededException", f"at most {BULK_ROWS} rows are allowed")
        processed, unprocessed = [], []
        for given in rows:
            reference = given.get("request_unique_identifier") if isinstance(given, dict) else None
            try:
                row = self._create_event(kind, given if isinstance(given, dict) else {})
                processed.append({"request_unique_identifier": reference, "id": row["id"], "number": row["number"]})
            except ApiFailure as failure:
                failed = {"request_unique_identifier": reference, "error_code": failure.code}
                unprocessed.append(failed | {"error_description": failure.description})
        return {"unprocessed_customer_events_set": unprocessed, "processed_customer_events_set": processed}

    def _create_event(self, kind: str, given: Row) -> Row:
        for name in ("request_unique_identifier", "performed_by_unit_identifier", "performed_on"):
            mandatory(given, name)
        for name in _BULK_MANDATORY[kind]:
            mandatory(given, name)
        table = self.tables[f"customer_events/{kind}"]
        account = self._referred(given, table) if kind == "referrals" else given["accounts_receivable_identifier"]
        owner = _short_account(self._one("accounts_receivable", account))
        stored = {key: value for key, value in deepcopy(given).items() if key != "request_unique_identifier"}
        stored["performed_by_unit"] = stored.pop("performed_by_unit_identifier")
        stored["classification"] = stored.pop("classification_identifier", None)
        row = {"id": self.new_id(), "number": str(len(table) + 1), **stored, "accounts_receivable": owner}
        row |= {"type": EVENT_KINDS[kind].upper(), "life_cycle_state": "POSTED", "log_information": self._log()}
        table.append(row)
        return row

    def _referred(self, given: Row, table: list[Row]) -> Row:
        """The account of the participant who referred: participant RP0000000164 is account ACR0000000164 here."""
        referred = given["referred_rewards_participant_identifier"]
        if any(row.get("referred_rewards_participant_identifier") == referred for row in table):
            raise ApiFailure(
                "ReferredByAnotherParticipantException",
                f"Participant {referred.get('number')} Was Already Referred by Another Participant",
                "The participant was already referred by another participant.",
            )
        number = str(given["referred_by_rewards_participant_identifier"].get("number", ""))
        return {"number": "ACR" + number.removeprefix("RP")}

    def _one(self, resource: str, identifier: Mapping[str, Any]) -> Row:
        for field, value in identifier.items():
            for row in self.tables[resource]:
                parts = [row, row.get("demographics") or {}, row.get("company_profile") or {}]
                if any(part.get(field) == value for part in parts) and value:
                    return row
        what = "Account" if resource == "accounts_receivable" else resource.replace("_", " ").title()
        raise not_found(what, next(iter(identifier.values()), ""))

    def _log(self) -> Row:
        unit = {"id": "1", "name": "Admin Unit", "alternative_code": "adminunit"}
        stamp = self.local()
        user = {"person_name": "Demo Administrator", "username": "demo-user"}
        return {"created_date": stamp, "updated_date": stamp, "created_by_unit": unit, "created_by_user": user}


def _short_account(account: Row) -> Row:
    return {key: account[key] for key in ("id", "number", "name", "life_cycle_state", "account_owner")}


def _merge(row: Row, changed: Row) -> None:
    for name, value in changed.items():
        if name in _SETS and isinstance(value, list):
            row[name] = [*(row.get(name) or []), *value]
        elif isinstance(value, dict) and isinstance(row.get(name), dict):
            _merge(row[name], value)
        else:
            row[name] = value
