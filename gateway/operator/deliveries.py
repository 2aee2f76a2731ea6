"""Deliveries, webhooks and exports: lists with filters and cursors, and everything about one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from adapters.company_ids import business_id, name_key, split_country
from adapters.deadline import Deadline
from gateway.event_work import EventWork
from gateway.explain import next_step
from gateway.inbound_work import COMPANY_CHANGE, CRM_WEBHOOK
from gateway.operator import cursors
from gateway.operator.errors import NoSuch
from gateway.operator.lines import at, company_links, delivery_lines, export_line, timeline
from gateway.operator.models import DeliveryDetail, DeliveryLine, ExportDetail, ExportLine, Page
from gateway.operator.queries import DeliveryQuery, ExportQuery
from gateway.operator.redacted import Redaction
from gateway.runtime import Runtime
from gateway.store import DeliveryState, Store, export_lists, ledger, lists, searches
from gateway.store.ledger import Filter

LOOK_SECONDS = 10.0
"""How long the store may take to answer an operator."""
WEBHOOKS = (CRM_WEBHOOK, COMPANY_CHANGE)
_LINKED = 20
"""How many exports, deliveries and aliases of a company are shown."""
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Everything kept about work."""

    store: Store
    runtime: Runtime

    def redaction(self) -> Redaction:
        """What masks secrets, by the settings in force."""
        return Redaction(self.runtime.settings)

    async def page(self, query: DeliveryQuery) -> Page[DeliveryLine]:
        """Deliveries, newest first; `BadQuery` for a bad cursor."""
        after = None if query.cursor is None else cursors.read_delivery(query.cursor)

        def look(connection: Connection) -> Page[DeliveryLine]:
            found = lists.delivery_page(connection, filter_of(connection, query), query.limit, after)
            return Page(
                delivery_lines(connection, found.entries, self.redaction()),
                None if found.after is None else cursors.of_delivery(found.after),
                at(found.searched_until),
            )

        return await self.store.read(look, Deadline.after(LOOK_SECONDS))

    async def exports(self, query: ExportQuery) -> Page[ExportLine]:
        """Exports, newest first; `BadQuery` for a bad cursor."""
        after = None if query.cursor is None else cursors.read_export(query.cursor)

        def look(connection: Connection) -> Page[ExportLine]:
            ids = _export_ids(connection, query.q)
            found = export_lists.export_page(connection, _export_filter(query), query.limit, after, ids)
            redaction = self.redaction()
            return Page(
                tuple(export_line(entry, redaction) for entry in found.entries),
                None if found.after is None else cursors.of_export(found.after),
                at(found.searched_until),
            )

        return await self.store.read(look, Deadline.after(LOOK_SECONDS))

    async def delivery(self, delivery_id: int) -> DeliveryDetail:
        """Everything about a delivery; `NoSuch`."""

        def look(connection: Connection) -> DeliveryDetail | None:
            return self._detail(connection, delivery_id)

        found = await self.store.read(look, Deadline.after(LOOK_SECONDS)) if delivery_id <= _LARGEST else None
        if found is None:
            raise NoSuch("no_such_delivery", "no delivery with this number is kept")
        return found

    async def webhook(self, webhook_id: str) -> DeliveryDetail:
        """Everything about a webhook, by the id that its sender was told; `NoSuch`."""

        def look(connection: Connection) -> DeliveryDetail | None:
            ids = ledger.ids_of(connection, webhook_id) if webhook_id.startswith("whk_") else []
            return self._detail(connection, ids[0]) if ids else None

        found = await self.store.read(look, Deadline.after(LOOK_SECONDS))
        if found is None:
            raise NoSuch("no_such_webhook", "no webhook with this id is kept")
        return found

    async def export(self, export_id: str) -> ExportDetail:
        """Everything about an export; `NoSuch`."""

        def look(connection: Connection) -> ExportDetail | None:
            entry = export_lists.export_entry(connection, export_id)
            delivery = None if entry is None else self._detail(connection, entry.delivery_id)
            if entry is None or delivery is None:
                return None
            redaction = self.redaction()
            # the body of this very push: the delivery shows that of the one it began with
            own = replace(delivery, request=redaction.request(entry.body), request_bytes=len(entry.body))
            return ExportDetail(export_line(entry, redaction), redaction.text(entry.query), entry.customer_data_id, own)

        found = await self.store.read(look, Deadline.after(LOOK_SECONDS))
        if found is None:
            raise NoSuch("no_such_export", "no export with this id is kept")
        return found

    def _detail(self, connection: Connection, delivery_id: int) -> DeliveryDetail | None:
        detail = ledger.detail(connection, delivery_id)
        if detail is None:
            return None
        delivery, redaction = detail.delivery, self.redaction()
        is_known = delivery.connection in self.runtime.connections
        company_id = None
        if not EventWork().takes(delivery.kind):
            company_id = searches.company_of(connection, delivery.connection, delivery.subject)
        links = None if company_id is None else searches.links_of(connection, company_id, _LINKED)
        return DeliveryDetail(
            line=delivery_lines(connection, ledger.entries(connection, [delivery_id]), redaction)[0],
            sentence=delivery.state.sentence,
            next_step=next_step(detail, is_known),
            timeline=timeline(detail, redaction),
            request=redaction.request(detail.body),
            request_bytes=len(detail.body),
            answer=redaction.answer(delivery.result),
            export_ids=tuple(each.id for each in detail.exports),
            company=company_links(links, self.runtime),
            overtaken_by=detail.overtaken_by,
            connection_is_configured=is_known,
        )


def filter_of(connection: Connection, query: DeliveryQuery) -> Filter:
    """The store's filter of a query; what is searched for is looked up."""
    return Filter(
        states=tuple(DeliveryState(state) for state in query.state),
        connection=query.connection,
        kinds=query.kind,
        since=milliseconds(query.since),
        until=milliseconds(query.until),
        reason=query.reason,
        ids=_delivery_ids(connection, query.q),
    )


def _export_filter(query: ExportQuery) -> Filter:
    return Filter(
        states=tuple(DeliveryState(state) for state in query.state),
        connection=query.connection,
        since=milliseconds(query.since),
        until=milliseconds(query.until),
        reason=query.reason,
    )


def milliseconds(moment: datetime | None) -> int | None:
    """A time as the store has it."""
    return None if moment is None else round(moment.timestamp() * 1000)


def _delivery_ids(connection: Connection, q: str) -> list[int] | None:
    text = q.strip()
    if not text:
        return None
    return searches.delivery_ids(connection, text, searches.companies_of(connection, text, _beginnings(text)))


def _export_ids(connection: Connection, q: str) -> list[str] | None:
    text = q.strip()
    if not text:
        return None
    return searches.export_ids(connection, text, searches.companies_of(connection, text, _beginnings(text)))


def _beginnings(text: str) -> Sequence[str]:
    """How what a person types may begin among the aliases of companies: a name, a business id, a domain, a vid."""
    name = name_key(text)
    found = [name, name.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")]
    if any(map(str.isdigit, text)):
        found += [part for part in (business_id(text), business_id(split_country(text)[1])) if part]
    return list(dict.fromkeys(filter(None, found)))
