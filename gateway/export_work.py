"""The work behind an export, as deliveries: the customer record, then its details, then Vainu's customer data.

Never a second record (CONTRACT section 7): the link decides, else the CRM is searched, by business id and by exact
name; a create is noted in the store before it leaves; and while its outcome is unknown it is not repeated until it
has had time to show in a search.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from adapters.contract import Company, ConnectionCut, NotFound, Refused, RemoteError, ServerFault, UnexpectedReply
from adapters.deadline import Deadline
from gateway.at_hand import AtHand
from gateway.body import parse_json
from gateway.clock import Clock
from gateway.handling import Act, Postponed
from gateway.pushed import read_push
from gateway.runtime import LiveConnection
from gateway.store import Store, claims, companies, deliveries, exports
from gateway.store.companies import CompanyRow
from gateway.store.deliveries import Delivery, NewDelivery

EXPORT = "export"
DETAILS = "export_details"
CUSTOMER_DATA = "customer_data"
_CUT_SETTLES_MS = 1_000
"""After an answer that was cut or broken the remote is done with us: a record shows sooner than after silence."""
_SEARCH_AGAIN_MS = 1_000
"""How often the CRM is searched for the record of a create whose outcome is unknown, until it has settled."""
_ANOTHER_CREATE_MS = 250
"""How long to wait for the create of a possible namesake."""


@dataclass(frozen=True, slots=True)
class ExportWork:
    """Kind `export`: makes or updates the customer record. The payload is the export's id."""

    store: Store
    clock: Clock
    at_hand: AtHand

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Bring the company to the CRM; the result is the status and the CRM's id."""
        row, company = await self._asked(delivery)
        status, record_id = await self._bring(delivery, live, row, company, deadline)
        result = json.dumps({"status": status, "unique_id": record_id})
        return Act(
            result,
            also=self._follow_ups(delivery, live, company),
            learned=lambda c: companies.link(c, row, record_id, self.clock()),
        )

    async def _asked(self, delivery: Delivery) -> tuple[CompanyRow, Company]:
        """The company as the store has it, and as it was pushed."""
        brought = self.at_hand.take(delivery)
        if brought is not None:
            return brought.row, brought.company
        company = await company_of(self.store, delivery)
        row = await self.store.read(lambda c: companies.by_id(c, delivery.subject))
        assert row is not None  # noqa: S101 - companies are never deleted
        return row, company

    async def _bring(
        self, delivery: Delivery, live: LiveConnection, row: CompanyRow, company: Company, deadline: Deadline
    ) -> tuple[str, str]:
        if row.record_id is not None:
            try:
                await live.adapter.update(row.record_id, company, deadline)
                return _status(row), row.record_id
            except NotFound:
                await self.store.write(lambda c: companies.unlink(c, row.id, self.clock()), "company.unlink")
        found = await self._find(live, row, company, deadline)
        if found is not None:
            # also after our own create whose answer was lost: it may have carried an earlier push
            await live.adapter.update(found, company, deadline)
            return _status(row), found
        return "created", await self._create(delivery, live, row, company, deadline)

    async def _find(self, live: LiveConnection, row: CompanyRow, company: Company, deadline: Deadline) -> str | None:
        """The record that is this company and no other company's; from now on it is this one's."""
        matches = list(await live.adapter.find(company, deadline))
        if not matches:
            return None
        now = self.clock()
        # in this order: a create that ends between the two looks is then seen by the second
        another_creates = await self.store.read(lambda c: companies.another_is_creating(c, row, now))
        taken = await self.store.read(
            lambda c: companies.linked_elsewhere(c, row, [each.record_id for each in matches])
        )
        match = next((match for match in matches if match.record_id not in taken), None)
        if match is None:
            return None
        if match.by == "name" and another_creates:
            raise Postponed(now + _ANOTHER_CREATE_MS, "another_create")
        if not await self.store.write(lambda c: companies.adopt(c, row, match.record_id, now), "company.adopt"):
            raise Postponed(now, "another_took_it")
        return match.record_id

    async def _create(
        self, delivery: Delivery, live: LiveConnection, row: CompanyRow, company: Company, deadline: Deadline
    ) -> str:
        now = self.clock()
        if row.create_settles_at is not None and now < row.create_settles_at:
            raise Postponed(min(row.create_settles_at, now + _SEARCH_AGAIN_MS), "create_unsettled")
        settle_ms = round(live.settings.export.settle_seconds * 1000)

        def leave(connection: Connection) -> bool:
            # a process that was stopped for longer than its lease must not wake up and create what another has created
            held = claims.is_held(connection, delivery)
            return held and companies.create_leaves(connection, row, now, now + settle_ms)

        if not await self.store.write(leave, "company.create_leaves"):
            raise Postponed(now, "lease_lost")
        try:
            return await live.adapter.create(company, deadline)
        except RemoteError as error:
            settled = self._settles_at(error, now + settle_ms, settle_ms)
            await self.store.write(
                lambda c: companies.create_ended(c, row.id, settled, self.clock()), "company.create_ended"
            )
            raise

    def _settles_at(self, error: RemoteError, settles_at: int, settle_ms: int) -> int | None:
        if error.outcome_known:
            return None
        if isinstance(error, ConnectionCut | ServerFault | UnexpectedReply):
            return min(settles_at, self.clock() + _CUT_SETTLES_MS)
        # a CRM that was silent until now has shown itself to be slow: what we sent may yet be done
        return max(settles_at, self.clock() + 2 * settle_ms)

    def _follow_ups(self, delivery: Delivery, live: LiveConnection, company: Company) -> Callable[[Connection], None]:
        """The work that follows once the record is there."""

        def record(connection: Connection) -> None:
            now = self.clock()
            if company.has_details:
                deliveries.add(connection, _details(delivery), now)
            if live.vainu is not None:
                for customer_data_id in exports.accepted_customer_data_ids(connection, delivery.id):
                    deliveries.add(connection, customer_data(delivery, customer_data_id), now)

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
        await live.vainu.customer_data.patch(delivery.payload.decode(), {"unique_id": row.unique_id}, deadline)
        return Act()


async def company_of(store: Store, delivery: Delivery) -> Company:
    """The company of the export that a delivery's payload names."""
    body = await store.read(lambda c: exports.body_of(c, delivery.payload.decode()))
    if body is None:
        # kept as long as its deliveries are unfinished or dead, but this one was done, and is replayed
        raise Refused("the push is older than storage.retention_days and was removed; export the company again")
    return read_push(parse_json(body)).company


def _details(delivery: Delivery) -> NewDelivery:
    order_key = details_key(delivery.order_key)
    return NewDelivery(delivery.connection, DETAILS, order_key, delivery.subject, delivery.payload)


def _status(row: CompanyRow) -> str:
    """What a push is told whose company has a record: the record is new if our own create of it is on the books."""
    return "updated" if row.create_sent_at is None else "created"


def details_key(order_key: str) -> str:
    """The order key of the details of a company: one of their own, or contacts that fail would hold up its exports."""
    return f"{order_key}:{DETAILS}"


def customer_data(delivery: Delivery, customer_data_id: str) -> NewDelivery:
    """The work of telling Vainu the CRM's id of what an export's delivery has brought there."""
    # a key of its own: Vainu being down must not hold up the CRM's work
    order_key = f"{delivery.connection}:{CUSTOMER_DATA}:{customer_data_id}"
    return NewDelivery(delivery.connection, CUSTOMER_DATA, order_key, delivery.subject, customer_data_id.encode())
