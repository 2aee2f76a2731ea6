"""What the simulated CRM.COM holds, and what its methods do to it; the HTTP around it is in simulator.py."""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime, timedelta, tzinfo
from typing import Any

from adapters.crmcom.models import EVENT_KINDS, set_name
from adapters.crmcom.simulator_customers import customer_row, lead_rows
from adapters.crmcom.simulator_events import EventTables, participant_account, short_account
from adapters.crmcom.simulator_feed import contact_feed, contact_row, event_feed
from adapters.crmcom.simulator_tables import ApiFailure, Row, Tables, mandatory
from adapters.simulated_customers import made_up
from adapters.simulated_webhooks import Deal

_SETS = ("phone_set", "email_set", "address_set")


class Store:
    """Contacts, accounts, customer events and the rest, each a list of rows in order of creation."""

    def __init__(self, *, now: Callable[[], float], zone: tzinfo, demo_feed: bool) -> None:
        self.now = now
        self.zone = zone
        self.demo_feed = demo_feed
        self.events = EventTables(self.new_id, self._log)
        Store.reset(self)

    def reset(self) -> None:
        """Forget every record."""
        names = ("contact_information", "accounts_receivable", "communications", "leads", "activities")
        self._tables = Tables((*names, *(f"customer_events/{kind}" for kind in EVENT_KINDS)))
        self.events.faults.clear()

    @property
    def tables(self) -> dict[str, list[Row]]:
        """Every table's rows."""
        return self._tables.rows

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
        return deepcopy(self._tables.one(resource, {mandatory({"identifier": field}, "identifier"): value}))

    def listed(self, resource: str, query: Mapping[str, str]) -> list[Row]:
        """The rows that belong to what the query names, oldest first."""
        if resource == "contact_information":
            # that the list exists, and that it may be asked without a name, is G
            name = query.get("company_name", "").casefold()
            return [row for row in self.tables[resource] if name in str(row.get("company_name") or "").casefold()]
        for key, column in (
            ("contact_information_identifier", "contact_information"),
            ("accounts_receivable_identifier", "accounts_receivable"),
            ("rewards_participant_identifier", "accounts_receivable"),
        ):
            field, _, value = query.get(key, "").partition("=")
            if field:
                wanted = participant_account({field: value}) if key.startswith("rewards") else {field: value}
                owner = self._tables.one(column, wanted)
                place = "account_owner" if resource == "accounts_receivable" else column
                return self._tables.owned(resource, place, owner["id"])
        if resource == "accounts_receivable":
            return self.tables[resource]
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
        row = self._tables.one("contact_information", mandatory(body, "contact_information_identifier"))
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
            row = self._tables.one("contact_information", {"id": contact_id})
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
        owner = self._tables.one("contact_information", mandatory({"account owner": given}, "account owner"))
        number = f"ACR{len(self.tables['accounts_receivable']) + 164:010d}"
        short = {key: owner.get(key) for key in ("id", "type", "name", "company_name", "first_name", "last_name")}
        row: Row = {"id": self.new_id(), "number": number, "name": mandatory(body, "name"), "account_owner": short}
        row |= {"life_cycle_state": "ACTIVE", "notes": None, "log_information": self._log()}
        owner["life_cycle_state"] = "FINANCIAL"
        self.tables["accounts_receivable"].append(row)
        if owner["type"] == "COMPANY" and self.demo_feed:
            for kind, events in event_feed(short_account(row), self.new_id, self.local).items():
                self.tables[f"customer_events/{kind}"].extend(events)
        return {"id": row["id"], "number": number}

    def create_events(self, kind: str, body: Row) -> Row:
        """A bulk create: the envelope is OK even when rows fail (S004)."""
        return self.events.create(self._tables, kind, body)

    def add_customers(self, count: int) -> None:
        """Make that many companies, with their leads."""
        contacts = self.tables["contact_information"]
        for made in map(made_up, range(len(contacts), len(contacts) + count)):
            row_id = self.new_id()
            contacts.append(customer_row(made, row_id, f"CI{made.number + 111:06d}", self.local))
            self.tables["leads"].extend(lead_rows(made, row_id, self.new_id, self.local))

    def _log(self) -> Row:
        unit = {"id": "1", "name": "Admin Unit", "alternative_code": "adminunit"}
        stamp = self.local()
        user = {"person_name": "Demo Administrator", "username": "demo-user"}
        return {"created_date": stamp, "updated_date": stamp, "created_by_unit": unit, "created_by_user": user}


def _merge(row: Row, changed: Row) -> None:
    for name, value in changed.items():
        if name in _SETS and isinstance(value, list):
            row[name] = [*(row.get(name) or []), *value]
        elif isinstance(value, dict) and isinstance(row.get(name), dict):
            _merge(row[name], value)
        else:
            row[name] = value
