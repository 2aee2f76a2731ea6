"""What the simulated firm holds in its Apptivo: tables in memory, ids by number, nothing unique but those."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import Any, Literal

from adapters.apptivo.demo_feed import Clock, demo_feed, opportunity
from adapters.apptivo.simulated_customers import customer_row, opportunity_rows
from adapters.simulated_customers import made_up
from adapters.simulated_webhooks import Deal
from adapters.vendor_dates import DateOrder

DEMO_API_KEY = "demo-apptivo-api-key"
DEMO_ACCESS_KEY = "demo-apptivo-access-key"
Row = dict[str, Any]
_STAGES: Mapping[Deal, tuple[str, str]] = {
    "won": ("Closed Won", "100.00"),
    "lost": ("Closed Lost", "0.00"),
    "open": ("Proposal", "20.00"),
}
Seed = Callable[[Mapping[str, Any], Clock], Mapping[str, list[Row]]]
_TABLES = ("customers", "contacts", "activities", "notes", "emails", "opportunities", "wall")
_ID_NAMES = {
    "customers": "customerId",
    "contacts": "contactId",
    "opportunities": "opportunityId",
    "wall": "wallEntryId",
    "notes": "noteId",
}


class Failure(Exception):
    """What Apptivo answers as a 200 with status FAILURE; the argument is the reason."""


@dataclass(slots=True)
class ApptivoState:
    """Everything the simulated firm holds."""

    api_key: str = DEMO_API_KEY
    access_key: str = DEMO_ACCESS_KEY
    seed: Seed | None = demo_feed
    """What a new customer's feed holds; None for nothing."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    """The firm's wall clock."""
    date_order: DateOrder = "DMY"
    search_limit: int | None = 10_000
    """Beyond this row no list gives any (C, phpmt); None for no limit."""
    beyond_the_limit: Literal["empty", "no_records", "refused"] = "empty"
    """What a list answers there: which of these Apptivo does is U."""
    searches_days: bool = True
    """Whether a search heeds the days of creation."""
    tables: dict[str, list[Row]] = field(default_factory=dict)
    days_of_creation: "dict[str, date | None]" = field(default_factory=dict)
    """By the row's id, as far as a search has asked."""
    kept_lists: dict[object, list[Row]] = field(default_factory=dict)
    """Lists of many rows as last sorted and searched."""
    _ids: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self.reset()

    def dump(self) -> dict[str, list[Row]]:
        """Every table with its rows."""
        return self.tables

    def reset(self) -> None:
        """Empty every table; ids start again."""
        self.tables = {name: [] for name in _TABLES}
        self.days_of_creation = {}
        self.kept_lists = {}
        self._ids = count(1090590)

    def clock(self) -> Clock:
        """The firm's clock at this moment."""
        return Clock(self.now(), self.date_order)

    def insert(self, table: str, row: Mapping[str, Any]) -> Row:
        """Keep a row under a new number; nothing is unique in Apptivo but that."""
        number = next(self._ids)
        stored = {**row, "id": str(number), **({_ID_NAMES[table]: number} if table in _ID_NAMES else {})}
        self.tables[table].append(stored)
        return stored

    def insert_customer(self, data: Mapping[str, Any]) -> Row:
        """Keep a customer, and what `seed` gives it."""
        clock = self.clock()
        stamps = {"creationDate": clock.stamp(), "lastUpdateDate": clock.stamp(), "lastContactedDate": "Not Contacted"}
        customer = self.insert("customers", {**data, **stamps, "isActive": "Y", "version": 1})
        customer["customerNumber"] = str(len(self.tables["customers"]))
        for table, rows in (self.seed(customer, clock) if self.seed else {}).items():
            for row in rows:
                self.insert(table, {**row, **tied_to(customer)} if table != "opportunities" else row)
        return customer

    def add_customers(self, count: int, days: int = 3_000) -> None:
        """Make that many customers with their opportunities, created over so many days up to now."""
        clock = self.clock()
        first = len(self.tables["customers"])
        for made in map(made_up, range(first, first + count)):
            customer = self.insert("customers", customer_row(made, clock, created=(made.number * 7) % days))
            for row in opportunity_rows(made, customer, clock):
                self.insert("opportunities", row)

    def change_customer(self, customer_id: str, parts: Mapping[str, Any], deals: "Counter[Deal]") -> Row:
        """Somebody edits a customer and closes or opens deals; the webhook that tells of it (its form is G)."""
        try:
            customer = self.one("customers", customer_id)
        except Failure as failure:
            raise LookupError(str(failure)) from None
        stamp = self.clock().stamp()
        customer.update({**parts, "lastUpdateDate": stamp, "version": customer["version"] + 1})
        for outcome in deals.elements():
            stage, probability = _STAGES[outcome]
            deal = opportunity(customer, opportunityName="New deal", salesStageName=stage, probability=probability)
            today = {"closeDate": self.clock().day(), "creationDate": stamp, "lastUpdateDate": stamp}
            self.insert("opportunities", {**deal, **today})
        told = {"eventId": f"customer-{customer_id}-{customer['version']}", "event": "customer.updated"}
        return {**told, "objectId": 3, "objectRefId": customer["customerId"], "data": customer}

    def one(self, table: str, record_id: str) -> Row:
        """The row of this id; `Failure` if there is none."""
        for row in self.tables[table]:
            if row["id"] == record_id:
                return row
        raise Failure(f"{table[:-1].capitalize()} not found")


def tied_to(customer: Mapping[str, Any]) -> Row:
    """The association of a row with one customer (C, upstream-apis 1.8)."""
    place = {"objectId": 3, "objectRefId": customer["customerId"], "objectRefName": customer.get("customerName")}
    return {"associatedObjects": [{**place, "objectName": "Customer"}]}
