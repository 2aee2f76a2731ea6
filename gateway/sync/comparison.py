"""Which of a page's customers Vainu does not hold as the CRM has them now, and which of those it has refused so."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from adapters.contract import CustomerPage, CustomerSummary
from adapters.vainu import VainuSettings
from gateway.customer_data import customer_data_fields, digest_of, is_other_company, match_data
from gateway.store import companies, sync_records, sync_refusals
from gateway.store.companies import CompanyRow
from gateway.store.sync_records import Known
from gateway.store.sync_refusals import Refusal
from gateway.sync import listing
from gateway.sync.held_run import HeldRun
from gateway.sync.order import Order
from gateway.sync.refusals import still_stands
from gateway.sync.vainu_rows import Row


@dataclass(frozen=True, slots=True)
class Compared:
    """A page's customers."""

    rows: list[Row]
    """To be sent."""
    refused: list[tuple[Row, Refusal]]
    """Refused before as they are now: not sent again."""
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Stored:
    known: dict[str, Known]
    """Of the page's customers, by their own ids and by the gateway's."""
    companies: dict[str, CompanyRow]
    refusals: dict[str, Refusal]
    holders: dict[str, Known]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares pages with what the store knows of Vainu."""

    run: HeldRun
    order: Order
    settings: VainuSettings
    is_recognised_anew: bool
    """Whether this run has listed what Vainu holds."""

    async def of(self, page: CustomerPage) -> Compared:
        """The page's customers, told apart."""
        customers = listing.unique(page)
        stored = await self.run.store.read(lambda connection: self._look(connection, list(customers)))
        rows: list[Row] = []
        refused: list[tuple[Row, Refusal]] = []
        for record_id, summary in customers.items():
            row = self._row(record_id, summary, stored)
            if row.digest == stored.known.get(record_id, Known()).digest and not self._sends_all:
                continue
            if (refusal := self._refusal(row, stored)) is not None:
                refused.append((row, refusal))
            else:
                rows.append(row)
        return Compared(rows, refused, len(customers) - len(rows) - len(refused))

    @property
    def _sends_all(self) -> bool:
        """A full run has forgotten everything as it began; only a dry one leaves it in the store."""
        return self.order.full and self.order.dry_run

    def _refusal(self, row: Row, stored: _Stored) -> Refusal | None:
        refusal = stored.refusals.get(row.summary.record_id)
        if refusal is None or self._sends_all:
            return None
        holder = stored.holders.get(refusal.holder or "")
        return refusal if still_stands(refusal, row, holder, self.run.clock()) else None

    def _row(self, record_id: str, summary: CustomerSummary, stored: _Stored) -> Row:
        fields, match = customer_data_fields(record_id, summary), match_data(summary)
        digest = digest_of(fields, match, self.settings)
        known = stored.known.get(record_id, Known())
        company = stored.companies.get(record_id)
        remote_id = known.remote_id
        if company is not None and remote_id is None:
            under_our_id = stored.known.get(company.gateway_id, Known())
            remote_id = company.customer_data_id or under_our_id.remote_id
        may_exist = known.create_sent or not self.is_recognised_anew
        # a name that changed is no reason: it might lose the company that its customer data has
        is_moved = bool(match.business_id) and is_other_company(known.digest, digest)
        return Row(summary, fields, match, digest, remote_id, may_exist, is_moved, known.digest)

    def _look(self, connection: Connection, record_ids: Sequence[str]) -> _Stored:
        scope = self.run.scope
        linked = companies.by_record_ids(connection, scope.connection, record_ids)
        # an export that was accepted may have left the gateway's own id at Vainu
        ids = [*record_ids, *(company.gateway_id for company in linked.values())]
        refused = sync_refusals.known(connection, scope, record_ids)
        holders = [each.holder for each in refused.values() if each.holder is not None]
        known = sync_records.known(connection, scope, ids)
        return _Stored(known, linked, refused, sync_records.known(connection, scope, holders) if holders else {})
