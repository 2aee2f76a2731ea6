"""The `Adapter` of CRM.COM's classic Web API: the contract's methods, each a few calls of `Records`."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import quote, urlsplit

from adapters.contract import (
    Account,
    Company,
    CrmEvent,
    CustomerPage,
    CustomerSummary,
    EventBody,
    Fault,
    Match,
    NotFound,
    Opening,
    RemoteError,
    RowOutcome,
    SourceReply,
    UnexpectedReply,
)
from adapters.crmcom.client import CrmcomClient
from adapters.crmcom.details import Details
from adapters.crmcom.envelope import NOTHING_TO_AMEND, identity
from adapters.crmcom.event_body import read_event_body
from adapters.crmcom.event_push import EventPush
from adapters.crmcom.event_rules import row_faults
from adapters.crmcom.feed import belongs, drafting, list_names
from adapters.crmcom.listing import Listing
from adapters.crmcom.local_time import local
from adapters.crmcom.mapping import FIELDS, amendment, company_body
from adapters.crmcom.models import EVENT_KINDS, SOURCES, CrmcomSettings
from adapters.crmcom.preview import previewed
from adapters.crmcom.records import Records, Row, owner_of
from adapters.crmcom.search import Search
from adapters.crmcom.summary import deals_of, summary_of
from adapters.crmcom.webhook import ACCOUNT_MARK, is_person, read_events
from adapters.deadline import Deadline
from adapters.events import EventBuilder
from adapters.mapping_preview import MappedRequest
from adapters.timestamps import Reading, read


class CrmcomAdapter:
    """One CRM.COM account. The record of a customer is its contact information; its `id` is the record id."""

    def __init__(
        self, settings: CrmcomSettings, zone: tzinfo, table: Mapping[str, str], client: CrmcomClient, records: Records
    ) -> None:
        self._settings = settings
        self._table = table
        self._client = client
        self._records = records
        self._push = EventPush(client, records)
        self._details = Details(records, settings, zone)
        self._zone = zone
        self._events = EventBuilder("crmcom", self._read)
        self._listing = Listing(records, settings, self._read)

    @property
    def sources(self) -> tuple[str, ...]:
        """The nine sources of CONTRACT section 6."""
        return SOURCES

    async def check(self, deadline: Deadline) -> Account:
        """Sign in anew, and ask for the first rows of the list that a sync reads."""
        await self._client.sign_in(deadline)
        try:
            await self._listing.try_out(deadline)
            lists = "customers can be listed"
        except RemoteError as error:
            lists = f"customers cannot be listed ({error.reason}), so no sync"
        host = urlsplit(self._settings.base_url).netloc
        unit = f", unit {self._settings.unit}" if self._settings.unit else ""
        return Account(f"CRM.COM at {host}: {self._settings.username} of {self._settings.organisation}{unit}; {lists}")

    async def exists(self, record_id: str, deadline: Deadline) -> bool:
        """Whether there is contact information with this id."""
        try:
            await self._records.contact("id", record_id, deadline)
        except NotFound:
            return False
        return True

    async def find(self, company: Company, deadline: Deadline) -> Sequence[Match]:
        """Companies with its number, in every spelling, then with its exact name."""
        return await Search(self._records, self._settings, self._table, deadline).find(company)

    async def create(self, company: Company, deadline: Deadline) -> str:
        """One contact_information/create; the account, contacts and leads are `add_details`' work."""
        body = company_body(company, self._table, self._settings)
        return await self._records.create("contact_information/create", body, deadline)

    async def update(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """Send what the record lacks; nothing is sent where it lacks nothing."""
        record = await self._records.contact("id", record_id, deadline)
        changed = amendment(record, company_body(company, self._table, self._settings))
        if changed:
            await self._records.amend(record_id, changed, NOTHING_TO_AMEND, deadline)

    async def add_details(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """The account receivable, the contacts as persons, the leads as web customer events."""
        await self._details.add(record_id, company, deadline)

    def preview(self, company: Company) -> Sequence[MappedRequest]:
        """The calls that would make this company, its account, its persons and its leads."""
        return previewed(company, self._table, self._settings, self._details)

    async def activities(self, source: str, record_id: str, limit: int, deadline: Deadline) -> SourceReply:
        """All rows of one list: no order is documented, so `limit` cannot shorten the reading."""
        del limit
        rows = await self._rows_of(source, record_id, deadline)
        kind, draft = drafting(source)
        return self._events.collect(kind, rows, draft)

    @property
    def event_kinds(self) -> Sequence[str]:
        """The six kinds of S004."""
        return tuple(EVENT_KINDS)

    def check_event(self, kind: str, row: object) -> list[Fault]:
        """Every fault of a row, by the rules of S004."""
        return row_faults(kind, row)

    def read_event_body(self, kind: str, body: object, key: str) -> EventBody:
        """Rows complete with reference numbers, times in CRM.COM's form."""
        return read_event_body(kind, body, key, lambda text: local(text, self._zone) or text)

    async def push_events(
        self, kind: str, rows: Sequence[Mapping[str, Any]], deadline: Deadline, *, is_repeat: bool = False
    ) -> list[RowOutcome]:
        """customer_events/bulk/<kind>/create, `BULK_ROWS` rows a call."""
        return await self._push.push(kind, rows, deadline, is_repeat)

    def read_events(self, body: object) -> Sequence[CrmEvent]:
        """See `adapters.contract.CustomerWebhooks`; an account of an owner not told is `ar:<id>` (NOTES.md)."""
        return read_events(body)

    async def summary(self, record_id: str, deadline: Deadline) -> CustomerSummary:
        """contact_information/show and the leads of a company; `ar:<id>` is looked up as an account receivable first.

        `NotFound` also where the record is a person: there is none among Vainu's companies.
        """
        if record_id.startswith(ACCOUNT_MARK):
            record_id = await self._owner_of(record_id.removeprefix(ACCOUNT_MARK), deadline)
        contact = await self._records.contact("id", record_id, deadline)
        if is_person(contact):
            raise NotFound(f"CRM.COM has a person and no company under the id {record_id[:40]}")
        leads = await self._rows_of("leads", record_id, deadline)
        return summary_of(record_id, contact, deals_of(leads, self._read), self._read)

    async def list_customers(
        self, cursor: str | None, deadline: Deadline, *, since: datetime | None = None
    ) -> CustomerPage:
        """The setting `list_method`, and the leads of each company; persons are left out."""
        return await self._listing.page(cursor, deadline, since)

    def record_url(self, record_id: str) -> str | None:
        """The configured page of the record."""
        template = self._settings.record_url
        return template.replace("{}", quote(record_id, safe="")) if template else None

    async def aclose(self) -> None:
        """Release the token and close connections."""
        await self._records.aclose()
        await self._client.aclose()

    def _read(self, value: object) -> Reading:
        return read(value, self._zone)

    async def _owner_of(self, account_id: str, deadline: Deadline) -> str:
        account = await self._records.account("id", account_id, deadline)
        if account is None:
            raise NotFound(f"CRM.COM has no account receivable {account_id[:40]}")
        owner_id = identity(owner_of(account))
        if not owner_id:
            raise UnexpectedReply(f"CRM.COM: expected an account receivable with its owner, got none of {account_id}")
        return owner_id

    async def _rows_of(self, source: str, record_id: str, deadline: Deadline) -> list[object]:
        names = list_names(source)
        if source in EVENT_KINDS:
            return await self._event_rows(source, record_id, names, deadline)
        method = self._settings.activities_method if source == "activities" else f"{source}/list"
        params = {"contact_information_identifier": f"id={record_id}"}
        rows = await self._records.listed(method, params, names, deadline)
        return [row for row in rows if belongs(row, record_id)]

    async def _event_rows(self, kind: str, record_id: str, names: Sequence[str], deadline: Deadline) -> list[object]:
        """Customer events hang on the accounts receivable: a customer without one truly has none."""

        async def of(account: Row) -> list[object]:
            params = {"accounts_receivable_identifier": f"id={account.get('id')}"}
            listed = await self._records.listed(f"customer_events/{kind}/list", params, names, deadline)
            return [row for row in listed if belongs(row, record_id, [account])]

        # all at once: one after the other, a customer with some accounts would not fit into the feed's budget
        parts = await asyncio.gather(*map(of, await self._records.accounts(record_id, deadline)))
        return [row for rows in parts for row in rows]


def open_adapter(opening: Opening) -> CrmcomAdapter:
    """The adapter of one connection; `opening.settings` is a `CrmcomSettings`."""
    settings = CrmcomSettings.model_validate(opening.settings)
    client = CrmcomClient(settings, opening.observe)
    records = Records(client, settings)
    return CrmcomAdapter(settings, opening.zone, {**FIELDS, **opening.fields}, client, records)
