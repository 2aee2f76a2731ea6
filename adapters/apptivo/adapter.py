"""Apptivo as the gateway sees it: the `Adapter` protocol on top of the client and the pure parts beside it."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from adapters.apptivo import details, replies
from adapters.apptivo.catalogue import Catalogue, CatalogueCache, read_catalogue
from adapters.apptivo.client import SYSTEM, ApptivoClient
from adapters.apptivo.dates import Dates
from adapters.apptivo.endpoints import FEED, Endpoint, all_of, customers_between, opportunities_between
from adapters.apptivo.feed import FeedReader, of_customer
from adapters.apptivo.listing import Listing
from adapters.apptivo.mapping import FIELDS, values_of
from adapters.apptivo.matching import matches, spellings
from adapters.apptivo.models import ApptivoSettings
from adapters.apptivo.overlay import Laid, blank_customer, lay_over
from adapters.apptivo.preview import previewed
from adapters.apptivo.summary import deals_of, summary_of
from adapters.apptivo.webhook import read_events
from adapters.company_ids import name_key
from adapters.contract import (
    Account,
    Company,
    CrmEvent,
    CustomerPage,
    CustomerSummary,
    Match,
    NotFound,
    Opening,
    Refused,
    RemoteError,
    SourceReply,
    UnexpectedReply,
)
from adapters.deadline import Deadline
from adapters.events import EventBuilder
from adapters.mapping_preview import MappedRequest
from adapters.vendor_dates import VendorFormats

CATALOGUE_SECONDS = 0.5
"""How long a write waits for getConfigData at most; without it a customer is made without the lists' ids."""
_Search = Callable[[str, Deadline], Coroutine[Any, Any, list[Mapping[str, Any]]]]
_ASKABLE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class ApptivoAdapter:
    """One firm's Apptivo; see `adapters.contract.Adapter` for what each method owes."""

    def __init__(self, opening: Opening) -> None:
        settings = cast(ApptivoSettings, opening.settings)
        self._settings = settings
        self._client = ApptivoClient(settings, opening.observe)
        self._catalogue = CatalogueCache(self._client.config_data)
        self._table = {**FIELDS, **opening.fields}
        dates = Dates(VendorFormats(settings.date_order), opening.zone)
        self._reader = FeedReader(settings, dates)
        self._events = EventBuilder(SYSTEM, dates.read)
        endpoints = {source: endpoint.overridden(settings.actions.get(source)) for source, endpoint in FEED.items()}
        self._feed = {source: endpoint for source, endpoint in endpoints.items() if endpoint.actions}
        self._listing = Listing(self._client, self._reader, self._feed.get("opportunities"))

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources of the feed, without those that the settings switch off."""
        return tuple(self._feed)

    async def check(self, deadline: Deadline) -> Account:
        """Sign in, read-only, by `getConfigData`; then ask for one row of each list that a sync reads."""
        config = await self._client.config_data(deadline)
        lists = {"customers": customers_between, "opportunities": opportunities_between}
        told = await asyncio.gather(*(self._readable(name, all_of(lists[name]), deadline) for name in lists))
        return Account(f"Apptivo: {', '.join((*told, read_catalogue(config).summary()))}")

    async def _readable(self, name: str, endpoint: Endpoint, deadline: Deadline) -> str:
        try:
            page = await self._client.page(endpoint, 0, 1, deadline)
        except RemoteError as error:
            return f"{name} cannot be listed ({error.reason})"
        return f"{name} readable" if page.count is None else f"{name} {page.count:,}"

    async def exists(self, record_id: str, deadline: Deadline) -> bool:
        """Whether Apptivo has a customer with this id; what cannot be an id is not asked for."""
        if not _ASKABLE_ID.fullmatch(record_id):
            return False
        return await self._client.customer(record_id, deadline) is not None

    async def find(self, company: Company, deadline: Deadline) -> Sequence[Match]:
        """Search by name and by business id at the same time, and compare what comes.

        The search by business id may be refused for good (U: what it covers); one that merely failed may not be
        overlooked, or a second customer would follow.
        """
        self._catalogue.refresh_soon()
        names = self._names_of(company)
        answers: list[list[Mapping[str, Any]] | BaseException] = list(
            await asyncio.gather(
                self._rows_by(self._client.customers_by_name, names, deadline),
                self._rows_by(self._client.customers_by_text, spellings(company), deadline),
                return_exceptions=True,
            )
        )
        rows: list[Mapping[str, Any]] = []
        for answer, may_be_refused in zip(answers, (False, True), strict=True):
            if not isinstance(answer, BaseException):
                rows += answer
            elif not (may_be_refused and isinstance(answer, Refused)):
                raise answer
        return matches(rows, company, names, self._settings.business_id_attribute)

    async def create(self, company: Company, deadline: Deadline) -> str:
        """`save` one customer; the id it got. An answer that tells no id is an `UnexpectedReply`."""
        catalogue = await self._catalogue_by(deadline)
        blank = blank_customer(catalogue)
        saved = await self._client.save_customer(self._laid_over(blank, company, catalogue).data, deadline)
        record_id = replies.record_id(saved)
        if record_id is None:
            raise UnexpectedReply("apptivo (customers.save): expected a customerId")
        return record_id

    async def update(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """Read the customer, lay the company over it, send it whole; nothing is sent where nothing changed."""
        self._catalogue.refresh_soon()
        record = await self._customer(record_id, deadline)
        catalogue = await self._catalogue_by(deadline)
        laid = self._laid_over(record, company, catalogue)
        if laid.names:
            await self._client.update_customer(record_id, laid.data, laid.names, laid.attribute_ids, deadline)

    async def add_details(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """Contacts become contacts of the customer, leads become notes; what Apptivo has already is left alone.

        One after the other: Apptivo is known to throttle (upstream-apis 1.6), and nobody waits for this.
        """
        if company.contacts:
            await self._add_contacts(record_id, company, deadline)
        if company.leads and "notes" in self._feed:
            rows = await self._client.rows(self._feed["notes"], record_id, 0, deadline)
            for text in details.new_notes(company.leads, of_customer("notes", rows, record_id)):
                await self._client.create_note(details.note_details(text, record_id, company.name), deadline)

    async def activities(self, source: str, record_id: str, limit: int, deadline: Deadline) -> SourceReply:
        """The rows of one source as events; those of other customers are left out, repeated ids come once."""
        if source not in self._feed:
            raise Refused(f"apptivo has no source {source}; expected one of {', '.join(self._feed)}")
        endpoint = self._feed[source]
        rows = of_customer(source, await self._client.rows(endpoint, record_id, limit, deadline), record_id)
        reply = self._events.collect(endpoint.kind, rows, self._reader.drafts(source))
        reply.events = list({event.id: event for event in reply.events}.values())
        return reply

    def preview(self, company: Company) -> Sequence[MappedRequest]:
        """The calls that would make this company; the firm's lists as far as they were read for earlier exports."""
        attribute = self._settings.business_id_attribute
        return previewed(company, self._table, self._catalogue.known, attribute, notes="notes" in self._feed)

    def read_events(self, body: object) -> Sequence[CrmEvent]:
        """See `adapters.contract.CustomerWebhooks`; the forms of bodies are in NOTES.md."""
        return read_events(body)

    async def summary(self, record_id: str, deadline: Deadline) -> CustomerSummary:
        """`getById` and the customer's opportunities, `FEED_ROWS` at most; not those if the source is switched off."""
        customer = await self._customer(record_id, deadline)
        deals = None
        if "opportunities" in self._feed:
            rows = await self._client.rows(self._feed["opportunities"], record_id, 0, deadline)
            own = of_customer("opportunities", rows, record_id)
            deals = deals_of(replies.objects(own, "apptivo (opportunities)"), self._reader)
        return summary_of(record_id, customer, deals, self._reader)

    async def list_customers(
        self, cursor: str | None, deadline: Deadline, *, since: datetime | None = None
    ) -> CustomerPage:
        """All customers by `getAll`, beyond 10,000 by the days of their creation; deals from all opportunities."""
        return await self._listing.page(cursor, deadline, since)

    def record_url(self, record_id: str) -> str | None:
        """The customer's page by the setting `record_url`; None where there is none."""
        template = self._settings.record_url
        return template.replace("{}", quote(record_id, safe="")) if template else None

    async def aclose(self) -> None:
        """Stop what runs in the background and close connections."""
        await self._catalogue.aclose()
        await self._client.aclose()

    def _names_of(self, company: Company) -> list[str]:
        # what create would write, and what Vainu calls it: the two differ where the field table is overridden
        written = values_of({"customerName": self._table["customerName"]}, company).get("customerName", "")
        names = {name_key(name): " ".join(name.split()) for name in (company.name, written) if name.strip()}
        return list(names.values())

    async def _rows_by(self, search: _Search, texts: Sequence[str], deadline: Deadline) -> list[Mapping[str, Any]]:
        answers = await asyncio.gather(*(search(text, deadline) for text in texts))
        return [row for rows in answers for row in rows]

    async def _catalogue_by(self, deadline: Deadline) -> Catalogue:
        return await self._catalogue.get(min(CATALOGUE_SECONDS, deadline.remaining() / 4))

    async def _customer(self, record_id: str, deadline: Deadline) -> Mapping[str, Any]:
        record = await self._client.customer(record_id, deadline) if _ASKABLE_ID.fullmatch(record_id) else None
        if record is None:
            raise NotFound(f"apptivo has no customer {record_id[:40]}")
        return record

    def _laid_over(self, record: Mapping[str, Any], company: Company, catalogue: Catalogue) -> Laid:
        values = values_of(self._table, company)
        return lay_over(record, values, company, catalogue, self._settings.business_id_attribute)

    async def _add_contacts(self, record_id: str, company: Company, deadline: Deadline) -> None:
        rows = await self._client.contacts(record_id, deadline)
        wanted = details.new_contacts(company.contacts, rows)
        saved = []
        for contact in wanted:
            data = details.contact_data(contact, record_id, company.name)
            saved.append(await self._client.save_contact(data, deadline))
        if not wanted:
            return
        # that accountId ties a contact to its customer is a guess, so what is still missing is tied by addContact
        tied = {replies.record_id(row, "contactId") for row in await self._client.contacts(record_id, deadline)}
        for contact_id in saved:
            if contact_id is not None and contact_id not in tied:
                await self._client.add_contact(record_id, contact_id, deadline)
