"""The work behind an export, as deliveries: the customer record, then its details, then Vainu's customer data.

Never a second record (CONTRACT section 7): the link decides, else the CRM is searched, by business id and by exact
name; a create is noted in the store before it leaves; and while its outcome is unknown it is not repeated until it
has had time to show in a search.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from adapters.contract import Company, ConnectionCut, NotFound, RemoteError, ServerFault, UnexpectedReply
from adapters.deadline import Deadline
from gateway.body import parse_json
from gateway.clock import Clock
from gateway.pushed import read_push
from gateway.runtime import LiveConnection
from gateway.store import Store, companies, deliveries, exports
from gateway.store.companies import CompanyRow
from gateway.store.deliveries import Delivery, NewDelivery
from gateway.worker import Act, Postponed

EXPORT = "export"
DETAILS = "export_details"
CUSTOMER_DATA = "customer_data"
_CUT_SETTLES_MS = 1_000
"""After an answer that was cut or broken the remote is done with us: a record shows sooner than after silence."""


@dataclass(frozen=True, slots=True)
class ExportWork:
    """Kind `export`: makes or updates the customer record. The payload is the export's id."""

    store: Store
    clock: Clock

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Bring the company to the CRM; the result is the status and the CRM's id."""
        company = await self._company_of(delivery)
        row = await self.store.read(lambda c: companies.by_id(c, delivery.subject))
        assert row is not None  # noqa: S101 - companies are never deleted
        status, record_id = await self._bring(live, row, company, deadline)
        result = json.dumps({"status": status, "unique_id": record_id})
        return Act(result, self._recorded(delivery, live, row, company, record_id))

    async def _company_of(self, delivery: Delivery) -> Company:
        return await company_of(self.store, delivery)

    async def _bring(
        self, live: LiveConnection, row: CompanyRow, company: Company, deadline: Deadline
    ) -> tuple[str, str]:
        if row.record_id is not None:
            try:
                await live.adapter.update(row.record_id, company, deadline)
                return "updated", row.record_id
            except NotFound:
                await self.store.write(lambda c: companies.unlink(c, row.id, self.clock()))
        found = await self._find(live, row, company, deadline)
        if found is not None and row.create_sent_at is not None:
            return "created", found  # our own create, whose answer was lost
        if found is not None:
            await live.adapter.update(found, company, deadline)
            return "updated", found
        return "created", await self._create(live, row, company, deadline)

    async def _find(self, live: LiveConnection, row: CompanyRow, company: Company, deadline: Deadline) -> str | None:
        """The record that is this company and no other company's."""
        matches = [match.record_id for match in await live.adapter.find(company, deadline)]
        if not matches:
            return None
        taken = await self.store.read(lambda c: companies.linked_elsewhere(c, row, matches))
        return next((record_id for record_id in matches if record_id not in taken), None)

    async def _create(self, live: LiveConnection, row: CompanyRow, company: Company, deadline: Deadline) -> str:
        now = self.clock()
        if row.create_settles_at is not None and now < row.create_settles_at:
            raise Postponed(row.create_settles_at, "create_unsettled")
        settles_at = now + round(live.settings.export.settle_seconds * 1000)
        await self.store.write(lambda c: companies.create_leaves(c, row.id, now, settles_at))
        try:
            return await live.adapter.create(company, deadline)
        except RemoteError as error:
            settled = self._settles_at(error, settles_at)
            await self.store.write(lambda c: companies.create_ended(c, row.id, settled, self.clock()))
            raise

    def _settles_at(self, error: RemoteError, settles_at: int) -> int | None:
        if error.outcome_known:
            return None
        if isinstance(error, ConnectionCut | ServerFault | UnexpectedReply):
            return min(settles_at, self.clock() + _CUT_SETTLES_MS)
        return settles_at

    def _recorded(
        self, delivery: Delivery, live: LiveConnection, row: CompanyRow, company: Company, record_id: str
    ) -> Callable[[Connection], None]:
        """What belongs into the transaction that ends the delivery: the link, and the work that follows."""

        def record(connection: Connection) -> None:
            now = self.clock()
            companies.link(connection, row, record_id, now)
            if company.contacts or company.leads:
                deliveries.add(connection, _details(delivery), now)
            if live.vainu is not None:
                for customer_data_id in exports.accepted_customer_data_ids(connection, delivery.id):
                    deliveries.add(connection, _customer_data(delivery, customer_data_id), now)

        return record


@dataclass(frozen=True, slots=True)
class DetailsWork:
    """Kind `export_details`: contacts and leads, after the record is there. The payload is the export's id."""

    store: Store

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Bring contacts and leads to the company's record."""
        company = await company_of(self.store, delivery)
        row = await self.store.read(lambda c: companies.by_id(c, delivery.subject))
        if row is None or row.record_id is None:
            raise NotFound("the company has no record in the CRM any more; the next export makes one")
        await live.adapter.add_details(row.record_id, company, deadline)
        return Act()


@dataclass(frozen=True, slots=True)
class CustomerDataWork:
    """Kind `customer_data`: tells Vainu the CRM's id where it was told ours. The payload is Vainu's id."""

    store: Store

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """PATCH the customer data with the CRM's id."""
        row = await self.store.read(lambda c: companies.by_id(c, delivery.subject))
        if live.vainu is None or row is None or row.record_id is None:
            return Act("nothing to tell")
        await live.vainu.patch_customer_data(delivery.payload.decode(), {"unique_id": row.unique_id}, deadline)
        return Act()


async def company_of(store: Store, delivery: Delivery) -> Company:
    """The company of the export that a delivery's payload names."""
    body = await store.read(lambda c: exports.body_of(c, delivery.payload.decode()))
    assert body is not None  # noqa: S101 - an export is kept as long as its deliveries are unfinished
    return read_push(parse_json(body)).company


def _details(delivery: Delivery) -> NewDelivery:
    return NewDelivery(delivery.connection, DETAILS, delivery.order_key, delivery.subject, delivery.payload)


def _customer_data(delivery: Delivery, customer_data_id: str) -> NewDelivery:
    # a key of its own: Vainu being down must not hold up the CRM's work
    order_key = f"{delivery.connection}:{CUSTOMER_DATA}:{customer_data_id}"
    return NewDelivery(delivery.connection, CUSTOMER_DATA, order_key, delivery.subject, customer_data_id.encode())
