"""The operators' side as one object: every query and every action of the console and of `/api/…`."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from gateway.operator.models import DeliveryDetail, DeliveryLine, ExportDetail, ExportLine, Page, ReplayOutcome
from gateway.operator.previews import Configuration, FeedPreview, MappingPreview
from gateway.operator.queries import AuditQuery, DeliveryQuery, ExportQuery, HistoryQuery, SyncQuery
from gateway.operator.status import AuditLine, ConnectionStatus, History, Overview, SyncLine
from gateway.sync.order import Order


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the audit log."""

    who: str
    """`token` and the token's name, or an e-mail address."""
    address: str
    """Where the request came from (`gateway.http.inbound.address_of`)."""


class OperatorService:
    """One per process."""

    async def overview(self) -> Overview:
        """The whole gateway at a glance."""
        raise NotImplementedError

    async def connections(self) -> tuple[ConnectionStatus, ...]:
        """Every connection of the configuration, and those that the configuration lost and that have work."""
        raise NotImplementedError

    async def connection(self, name: str) -> ConnectionStatus:
        """One connection; `NoSuch`."""
        raise NotImplementedError

    async def deliveries(self, query: DeliveryQuery) -> Page[DeliveryLine]:
        """Deliveries, newest first; `BadQuery` for a bad cursor."""
        raise NotImplementedError

    async def dead_letters(self, query: DeliveryQuery) -> Page[DeliveryLine]:
        """As `deliveries`, of those that gave up, whatever states the query names."""
        raise NotImplementedError

    async def webhooks(self, query: DeliveryQuery) -> Page[DeliveryLine]:
        """As `deliveries`, of webhooks of both sides, whatever kinds the query names."""
        raise NotImplementedError

    async def delivery(self, delivery_id: int) -> DeliveryDetail:
        """Everything about a delivery; `NoSuch`."""
        raise NotImplementedError

    async def webhook(self, webhook_id: str) -> DeliveryDetail:
        """Everything about a webhook, by the id that its sender was told; `NoSuch`."""
        raise NotImplementedError

    async def exports(self, query: ExportQuery) -> Page[ExportLine]:
        """Exports, newest first; `BadQuery` for a bad cursor."""
        raise NotImplementedError

    async def export(self, export_id: str) -> ExportDetail:
        """Everything about an export; `NoSuch`."""
        raise NotImplementedError

    async def replay(self, references: Collection[str], actor: Actor, *, dry_run: bool = False) -> ReplayOutcome:
        """Replay these: numbers of deliveries, or ids exp_…, whk_…, evt_… (of which only dead letters)."""
        raise NotImplementedError

    async def replay_matching(
        self, query: DeliveryQuery, actor: Actor, *, everything: bool = False, up_to: int | None = None,
        dry_run: bool = False,
    ) -> ReplayOutcome:  # fmt: skip
        """Replay every delivery that the query wants, dead letters unless it names states; `limit`, `cursor` aside.

        `BadQuery` for one that narrows nothing, unless `everything` says that it is meant.
        """
        raise NotImplementedError

    async def syncs(self, query: SyncQuery) -> Page[SyncLine]:
        """Runs of the customer sync, newest first."""
        raise NotImplementedError

    async def sync(self, run_id: int) -> SyncLine:
        """A run as it stands; `NoSuch`."""
        raise NotImplementedError

    async def start_sync(self, order: Order, actor: Actor) -> SyncLine:
        """Begin a sync in the background of this process; `Conflict` where one runs or the connection cannot."""
        raise NotImplementedError

    async def feed_preview(self, connection: str, unique_id: str) -> FeedPreview:
        """The feed as Vainu would get it now; `NoSuch`, `CrmFailed`."""
        raise NotImplementedError

    async def mapping_preview(self, connection: str, body: Any) -> MappingPreview:
        """What the CRM would get of an export's parsed body, nothing sent; `NoSuch`, `BadQuery`, `Conflict`."""
        raise NotImplementedError

    def configuration(self) -> Configuration:
        """Everything in force, without secrets."""
        raise NotImplementedError

    async def audit_log(self, query: AuditQuery) -> Page[AuditLine]:
        """The audit log, newest first."""
        raise NotImplementedError

    async def audit(self, actor: Actor, action: str, target: str = "", outcome: str = "done", detail: str = "") -> None:
        """Append an entry, durably, before this returns; `StoreUnavailable`."""
        raise NotImplementedError

    async def history(self, query: HistoryQuery) -> History:
        """Series for charts; the last hour of everything unless the query tells otherwise."""
        raise NotImplementedError
