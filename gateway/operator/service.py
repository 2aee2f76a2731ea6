"""The operators' side as one object: every query and every action of the console and of `/api/…`."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from adapters.precedence import Precedence
from gateway.backlog import Backlog
from gateway.clock import Clock
from gateway.feed import Feeds
from gateway.health import Health
from gateway.operator.auditing import Actor, Auditing, entry
from gateway.operator.charts import Charts
from gateway.operator.configuration import in_force
from gateway.operator.connections import Connections
from gateway.operator.deliveries import WEBHOOKS, Deliveries
from gateway.operator.models import DeliveryDetail, DeliveryLine, ExportDetail, ExportLine, Page, ReplayOutcome
from gateway.operator.previewing import Previewing
from gateway.operator.previews import Configuration, FeedPreview, MappingPreview
from gateway.operator.queries import AuditQuery, DeliveryQuery, ExportQuery, HistoryQuery, SyncQuery
from gateway.operator.replaying import Replaying
from gateway.operator.status import AuditLine, ConnectionStatus, History, Overview, SyncLine
from gateway.operator.syncs import SyncRuns
from gateway.recorder import Recorder
from gateway.runtime import Runtime
from gateway.store import DeliveryState, Store
from gateway.sync.order import Order
from gateway.sync.schedule import Schedule
from gateway.worker import Worker


class OperatorService:
    """One per process. Everything raises `StoreUnavailable` where the store does not answer."""

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        clock: Clock,
        *,
        worker: Worker,
        backlog: Backlog,
        health: Health,
        feeds: Feeds,
        recorder: Recorder,
        schedule: Schedule,
        precedence: Precedence,
        config: str | None,
    ) -> None:
        self._runtime = runtime
        self._config = config
        self._auditing = Auditing(store, clock)
        self._deliveries = Deliveries(store, runtime)
        self._replaying = Replaying(store, worker, clock, self._deliveries, self._auditing)
        self._connections = Connections(store, runtime, backlog, health, recorder, clock)
        self._syncs = SyncRuns(store, self._connections, schedule, self._auditing, precedence)
        self._previewing = Previewing(store, self._connections, feeds)
        self._charts = Charts(store, recorder, clock)

    async def overview(self) -> Overview:
        """The whole gateway at a glance, also while the store is away."""
        return await self._connections.overview()

    async def connections(self) -> tuple[ConnectionStatus, ...]:
        """Every connection of the configuration, and those that the configuration lost and that have work."""
        return await self._connections.every()

    async def connection(self, name: str) -> ConnectionStatus:
        """One connection; `NoSuch`."""
        return await self._connections.one(name)

    async def deliveries(self, query: DeliveryQuery) -> Page[DeliveryLine]:
        """Deliveries, newest first; `BadQuery` for a bad cursor."""
        return await self._deliveries.page(query)

    async def dead_letters(self, query: DeliveryQuery) -> Page[DeliveryLine]:
        """As `deliveries`, of those that gave up, whatever states the query names."""
        return await self._deliveries.page(replace(query, state=(DeliveryState.DEAD,)))

    async def webhooks(self, query: DeliveryQuery) -> Page[DeliveryLine]:
        """As `deliveries`, of webhooks of both sides, whatever kinds the query names."""
        return await self._deliveries.page(replace(query, kind=WEBHOOKS))

    async def delivery(self, delivery_id: int) -> DeliveryDetail:
        """Everything about a delivery; `NoSuch`."""
        return await self._deliveries.delivery(delivery_id)

    async def webhook(self, webhook_id: str) -> DeliveryDetail:
        """Everything about a webhook, by the id that its sender was told; `NoSuch`."""
        return await self._deliveries.webhook(webhook_id)

    async def exports(self, query: ExportQuery) -> Page[ExportLine]:
        """Exports, newest first; `BadQuery` for a bad cursor."""
        return await self._deliveries.exports(query)

    async def export(self, export_id: str) -> ExportDetail:
        """Everything about an export; `NoSuch`."""
        return await self._deliveries.export(export_id)

    async def replay(self, references: Collection[str], actor: Actor, *, dry_run: bool = False) -> ReplayOutcome:
        """Replay these: numbers of deliveries, or ids exp_…, whk_…, evt_… (of which only dead letters). `BadQuery`."""
        return await self._replaying.named(references, actor, dry_run)

    async def replay_matching(
        self,
        query: DeliveryQuery,
        actor: Actor,
        *,
        everything: bool = False,
        up_to: int | None = None,
        dry_run: bool = False,
    ) -> ReplayOutcome:
        """Replay every delivery that the query wants, dead letters unless it names states; `limit`, `cursor` aside.

        `BadQuery` for one that narrows nothing, unless `everything` says that it is meant. `up_to` of a dry run leaves
        out what has come since.
        """
        return await self._replaying.matching(query, actor, everything=everything, up_to=up_to, dry_run=dry_run)

    async def syncs(self, query: SyncQuery) -> Page[SyncLine]:
        """Runs of the customer sync, newest first; `BadQuery` for a bad cursor."""
        return await self._syncs.page(query)

    async def sync(self, run_id: int) -> SyncLine:
        """A run as it stands; `NoSuch`."""
        return await self._syncs.one(run_id)

    async def start_sync(self, order: Order, actor: Actor) -> SyncLine:
        """Begin a sync in the background of this process; `NoSuch`, `Conflict`: one runs, or it cannot be synced."""
        return await self._syncs.start(order, actor)

    async def feed_preview(self, connection: str, unique_id: str) -> FeedPreview:
        """The feed as Vainu would get it now; `NoSuch`, `CrmFailed`."""
        return await self._previewing.feed(connection, unique_id)

    async def mapping_preview(self, connection: str, body: Any) -> MappingPreview:
        """What the CRM would get of an export's parsed body, nothing sent; `NoSuch`, `BadQuery`, `Conflict`."""
        return await self._previewing.mapping(connection, body)

    def configuration(self) -> Configuration:
        """Everything in force, without secrets."""
        return in_force(self._runtime.settings, self._config)

    async def audit_log(self, query: AuditQuery) -> Page[AuditLine]:
        """The audit log, newest first; `BadQuery` for a bad cursor."""
        return await self._auditing.page(query)

    async def audit(self, actor: Actor, action: str, target: str = "", outcome: str = "done", detail: str = "") -> None:
        """Append an entry, durably, before this returns. The actions above append theirs themselves."""
        await self._auditing.append(entry(actor, action, target, outcome, detail))

    async def history(self, query: HistoryQuery) -> History:
        """Series for charts; the last hour of everything unless the query tells otherwise."""
        return await self._charts.series(query)
