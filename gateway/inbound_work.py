"""The work behind webhooks: CRM events bring Vainu's customer data up to date, Vainu's changes the CRM's record."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from adapters.contract import CustomerSummary, CustomerWebhooks, NotFound
from adapters.deadline import Deadline
from adapters.vainu import CustomerDataExists, VainuClient
from gateway.body import parse_json
from gateway.clock import Clock
from gateway.customer_data import Fields, customer_data_fields, digest_of, match_data
from gateway.handling import Act, Postponed
from gateway.pushed import read_change
from gateway.runtime import LiveConnection
from gateway.store import Store, claims, companies, deliveries, sync_records
from gateway.store.companies import CompanyRow
from gateway.store.deliveries import Delivery, NewDelivery
from gateway.store.sync_runs import Scope

CRM_WEBHOOK = "crm_webhook"
COMPANY_CHANGE = "company_change"


_ANOTHER_CREATE_MS = 1_000


def record_key(name: str, record_id: str) -> str:
    """The order key of a connection's CRM webhooks about one record."""
    return f"{name}:{CRM_WEBHOOK}:{record_id}"


@dataclass(frozen=True, slots=True)
class CrmWebhookWork:
    """Kind `crm_webhook`: reads the record anew, and brings Vainu's customer data up to date. The subject is its id.

    Events of the record that wait when the reading begins are answered by it: a burst becomes one update.
    """

    store: Store
    clock: Clock

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Refresh Vainu's customer data of one CRM record."""
        if live.vainu is None or live.webhooks is None:
            return Act(json.dumps({"status": "nothing to tell"}))
        if not delivery.subject:
            return self._read_anew(delivery, live.webhooks)
        newest = await self.store.read(lambda c: deliveries.newest_waiting(c, delivery))
        try:
            summary = await live.webhooks.summary(delivery.subject, deadline)
        except NotFound as gone:
            # deleted since: there is nothing to tell Vainu of, and no cause that anybody could mend
            return Act(also=self._fold(delivery, newest), ignored="gone", detail=live.redact(gone.detail))
        company = await self.store.read(lambda c: companies.by_unique_id(c, live.name, summary.record_id))
        if not await self.store.read(lambda c: claims.is_held(c, delivery)):
            # who has taken over since may have told Vainu something newer
            raise Postponed(self.clock(), "lease_lost")
        customer_data_id = await self._tell(live, live.vainu, company, summary, deadline)
        unique_id = company.unique_id if company else summary.record_id
        told = digest_of(customer_data_fields(unique_id, summary), match_data(summary), live.vainu.settings)
        scope = Scope(live.name, "vainu")

        def learn(connection: Connection) -> None:
            if company is not None and company.customer_data_id != customer_data_id:
                companies.set_customer_data_id(connection, company.id, customer_data_id, self.clock())
            # a sync need not tell it again
            sync_records.told(connection, scope, summary.record_id, told, customer_data_id)

        result = json.dumps({"status": "updated", "customer_data_id": customer_data_id})
        return Act(result, also=self._fold(delivery, newest), learned=learn)

    def _fold(self, delivery: Delivery, newest: int) -> Callable[[Connection], None]:
        return lambda connection: deliveries.fold(connection, delivery, newest, self.clock())

    def _read_anew(self, delivery: Delivery, adapter: CustomerWebhooks) -> Act:
        """A webhook that was ignored when it came, and is replayed: a delivery for each customer it is about."""
        events = adapter.read_events(parse_json(delivery.payload))
        name = delivery.connection
        found = [
            NewDelivery(name, CRM_WEBHOOK, record_key(name, event.record_id), event.record_id, delivery.payload)
            for event in events
        ]

        def record(connection: Connection) -> None:
            for new in found:
                deliveries.add(connection, new, self.clock())

        return Act(json.dumps({"status": "read anew", "customers": len(found)}), record)

    async def _tell(
        self,
        live: LiveConnection,
        vainu: VainuClient,
        company: CompanyRow | None,
        summary: CustomerSummary,
        deadline: Deadline,
    ) -> str:
        """PATCH the customer data, made if Vainu has none; its id."""
        unique_id = company.unique_id if company else summary.record_id
        fields = customer_data_fields(unique_id, summary)
        if company is not None and company.customer_data_id:
            try:
                await vainu.customer_data.patch(company.customer_data_id, fields, deadline)
                return company.customer_data_id
            except NotFound:
                pass  # the id is void: the export's answer came too late, or somebody deleted it
        scope, record_id, now = Scope(live.name, "vainu"), summary.record_id, self.clock()
        if await self.store.read(lambda c: sync_records.is_being_created(c, scope, record_id, now)):
            # v2 takes two objects of a customer that it knows no company for; the sync looks for us likewise
            raise Postponed(now + _ANOTHER_CREATE_MS, "another_create")
        found = await vainu.customer_data.find(unique_id, deadline)
        customer_data_id = found.id if found else await self._create(vainu, fields, summary, deadline)
        if found is not None:
            await vainu.customer_data.patch(customer_data_id, fields, deadline)
        return customer_data_id

    async def _create(self, vainu: VainuClient, fields: Fields, summary: CustomerSummary, deadline: Deadline) -> str:
        try:
            return (await vainu.customer_data.create(match_data(summary), fields, deadline)).id
        except CustomerDataExists as exists:
            await vainu.customer_data.patch(exists.existing_id, fields, deadline)
            return exists.existing_id


@dataclass(frozen=True, slots=True)
class CompanyChangeWork:
    """Kind `company_change`: Vainu says that a company changed; the CRM's record gets the fields that differ."""

    store: Store

    async def act(self, delivery: Delivery, live: LiveConnection, deadline: Deadline) -> Act:
        """Update the CRM record of the webhook's unique_id; the payload is the body as it came."""
        unique_id, company = read_change(parse_json(delivery.payload))
        row = await self.store.read(lambda c: companies.by_unique_id(c, live.name, unique_id))
        record_id = row.record_id if row else unique_id
        if record_id is None or (row is None and unique_id.startswith("gw_")):
            raise NotFound("the company has no record in the CRM yet; its export brings the change")
        await live.adapter.update(record_id, company, deadline)
        return Act(json.dumps({"status": "updated", "unique_id": record_id}))
