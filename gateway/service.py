"""The service's parts, put together once: what the HTTP side, the command line and the tests all build on."""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from adapters.contract import CallRecord
from adapters.deadline import Deadline
from adapters.precedence import Precedence
from gateway.at_hand import AtHand
from gateway.attempts import Attempts
from gateway.auth.gate import Gate, OperatorGate
from gateway.auth.webhook_gate import WebhookGate
from gateway.backlog import Backlog
from gateway.batches import Batches
from gateway.clock import Clock, now_ms
from gateway.console.sessions import Sessions
from gateway.event_work import EventWork, event_kind
from gateway.events import Events
from gateway.export_work import CUSTOMER_DATA, DETAILS, EXPORT, CustomerDataWork, DetailsWork, ExportWork
from gateway.exports import Exports
from gateway.feed import Feeds
from gateway.handling import Handler
from gateway.health import Health
from gateway.inbound_work import COMPANY_CHANGE, CRM_WEBHOOK, CompanyChangeWork, CrmWebhookWork
from gateway.limits import CallerRate, FailedSignIns
from gateway.metrics import Metrics
from gateway.metrics.exchange import Siblings
from gateway.observation import Observation
from gateway.operator import OperatorService
from gateway.recorder import Recorder
from gateway.retention import Retention
from gateway.runtime import Runtime
from gateway.settings import InvalidSettings, Settings, load
from gateway.storage import store_of
from gateway.store import Store, StoreUnavailable
from gateway.store.deliveries import Delivery, Ending
from gateway.sync.patience import Patience
from gateway.sync.schedule import Schedule
from gateway.sync.syncs import Syncs
from gateway.webhooks import Webhooks
from gateway.worker import Worker

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from gateway.console.oidc import Provider
    from gateway.tracing.spans import Tracing

log = structlog.get_logger()

_CLOSING_SECONDS = 1.0
"""What is kept of `server.drain_seconds` for giving back work, and closing the connections and the store."""

_STORE_CLOSING_SECONDS = 0.3
"""How long the store's threads may take; a commit takes milliseconds, a database that hangs takes for ever."""


class Service:
    """One gateway process. `start` opens the store and the worker, `stop` drains and closes them."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = now_ms,
        config: Path | None = None,
        siblings: Siblings | None = None,
        trace_provider: "TracerProvider | None" = None,
    ) -> None:
        self.config = config
        self.clock = clock
        self.metrics = Metrics()
        self.store = store_of(settings.storage, self.metrics.committed)
        self.tracing = _tracing(trace_provider, self.store, clock)
        self.runtime = Runtime(settings, self._observe)
        traced = self.tracing.attempt if self.tracing else None
        at_hand = AtHand()
        handlers: dict[str, Handler] = {
            EXPORT: ExportWork(self.store, clock, at_hand),
            DETAILS: DetailsWork(self.store),
            CUSTOMER_DATA: CustomerDataWork(self.store),
            CRM_WEBHOOK: CrmWebhookWork(self.store, clock),
            COMPANY_CHANGE: CompanyChangeWork(self.store),
        }
        self.recorder = Recorder(self.store, self.runtime, clock)
        self.batches = Batches(self.store, EventWork(), clock, self._observe_events, self.metrics.attempted, traced)
        self.precedence = Precedence()
        attempts = Attempts(
            self.runtime,
            handlers,
            clock,
            precedence=self.precedence,
            awaited=frozenset({EXPORT}),
            observe=self._observe_attempt,
            traced=traced,
        )
        self.worker = Worker(self.store, self.runtime, attempts, clock, batches=self.batches)
        note = self.tracing.note if self.tracing else None
        self.exports = Exports(self.store, self.worker, clock, at_hand, note)
        self.webhooks = Webhooks(self.store, self.worker, clock, note)
        self.events = Events(self.store, self.worker, self.batches, clock, note)
        self.feeds = Feeds(self.store, self.metrics)
        self.backlog = Backlog(self.store, self.runtime)
        self.health = Health(self.store, self.worker, self.runtime, clock, self.backlog)
        self.observation = Observation(
            self.metrics, self.store, self.runtime, self.backlog, self.health, clock, siblings
        )
        self.sessions = Sessions(self.store, clock)
        self._seconds = lambda: clock() / 1000
        self._guard(settings)
        self.retention = Retention(self.store, self.runtime, clock)
        self.schedule = Schedule(Syncs(self.store, clock, Patience(clock)), self.runtime, clock)
        self.operator = OperatorService(
            self.store,
            self.runtime,
            clock,
            worker=self.worker,
            backlog=self.backlog,
            health=self.health,
            feeds=self.feeds,
            recorder=self.recorder,
            schedule=self.schedule,
            precedence=self.precedence,
            config=config.name if config else None,
        )
        self._working: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._scheduling: asyncio.Task[None] | None = None
        self._chores: list[asyncio.Task[None]] = []
        self._drain_ends_at = 0.0
        self._refusing = False
        self._reloading = asyncio.Lock()

    def _observe(self, connection: str, system: str, record: CallRecord) -> None:
        self.metrics.upstream_call(connection, system, record)
        if self.tracing is not None:
            self.tracing.upstream_call(connection, system, record)

    def _observe_attempt(self, delivery: Delivery, ending: Ending, seconds: float) -> None:
        self.metrics.attempted(delivery, ending)
        self.recorder.attempt(delivery.connection, ending, seconds)

    def _observe_events(self, connection: str, kind: str, outcomes: Mapping[str, int]) -> None:
        self.metrics.events_pushed(connection, event_kind(kind), outcomes)
        self.recorder.batch(connection, outcomes)

    def _guard(self, settings: Settings) -> None:
        """Put the credentials and limits of these settings into force."""
        before = getattr(self, "gate", None)
        auth = {name: connection.auth for name, connection in settings.connections.items()}
        self.gate = Gate(auth, jwks=before.jwks if before else None, now=self._seconds)
        webhooks = {name: each.webhooks for name, each in settings.connections.items()}
        self.webhook_gate = WebhookGate(webhooks, now=self._seconds)
        self.operator_gate = OperatorGate(settings.operator.tokens)
        self.provider = self._provider(settings)
        self.caller_rate = CallerRate(settings.server.requests_per_second)
        self.failed_signins = FailedSignIns(settings.server.failed_signins_per_minute)

    def _provider(self, settings: Settings) -> "Provider | None":
        if settings.operator.oidc is None:
            return None
        # imported here: it brings authlib and what reads keys, 10 MB of memory for whoever has no provider
        from gateway.console.oidc import Provider

        return Provider(settings.operator.oidc, self.gate.jwks, self._seconds)

    @property
    def draining(self) -> bool:
        """Whether the process is going down and takes no new work any more."""
        return self._refusing

    @property
    def leaving(self) -> bool:
        """Whether the process is going down: it is not ready."""
        return self.health.draining

    @property
    def notice_seconds(self) -> float:
        """How long a process that is going down takes new work, so that proxies have time to see that it goes."""
        server = self.runtime.settings.server
        return min(server.drain_notice_seconds, server.drain_seconds / 2)

    async def start(self) -> None:
        """Open the store, and go on with the work that waits in it."""
        await asyncio.to_thread(self.store.open)
        await self.observation.open()
        self._working = asyncio.create_task(self.worker.run(), name="worker")
        with self.precedence.giving_way():
            self._scheduling = asyncio.create_task(self.schedule.run(), name="schedule")
        self._telling = asyncio.create_task(self.observation.run(), name="metrics")
        self._chores = [
            self._scheduling,
            asyncio.create_task(self.retention.run(), name="retention"),
            asyncio.create_task(self.recorder.run(), name="recorder"),
        ]

    async def stop(self) -> None:
        """Finish or give back claimed work, close every connection."""
        self.begin_drain()
        self.refuse_work()
        for chore in self._chores:
            chore.cancel()
        if self._working is not None:
            await self.worker.drain(self.drain_seconds_left)
            self._working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._working
        if self._chores:
            await asyncio.wait(self._chores)
            with contextlib.suppress(StoreUnavailable):
                await self.recorder.flush(Deadline.after(_STORE_CLOSING_SECONDS))
        if self._telling is not None:
            self._telling.cancel()
            self.observation.tell()
        await self.runtime.close()
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)
        await asyncio.to_thread(self.store.close, _STORE_CLOSING_SECONDS)

    def begin_drain(self) -> None:
        """Not ready from this moment on; the time for going down begins to run."""
        if not self.leaving:
            self.health.draining = True
            self._refusing = not self.notice_seconds
            seconds = self.runtime.settings.server.drain_seconds
            self._drain_ends_at = time.monotonic() + seconds - min(_CLOSING_SECONDS, seconds / 4)
            if self._scheduling is not None:
                # a sync may take hours: whoever runs next goes on with it
                self._scheduling.cancel()

    def refuse_work(self) -> None:
        """Take no new work from now on."""
        self._refusing = True

    def hurry(self) -> None:
        """End the drain now, giving back what still runs."""
        self.refuse_work()
        self._drain_ends_at = time.monotonic()
        self.worker.hurry()

    @property
    def drain_seconds_left(self) -> float:
        """What is left for requests and work since `begin_drain`: `server.drain_seconds` less the time to close."""
        return max(0.0, self._drain_ends_at - time.monotonic())

    async def reload(self) -> bool:
        """Read the configuration again; a broken one leaves the old one in force, and the log says so."""
        if self.config is None:
            return False
        # one after the other: of two that run at once, the one that read the older file could win
        async with self._reloading:
            return await self._reload(self.config)

    async def _reload(self, config: Path) -> bool:
        try:
            settings = await asyncio.to_thread(load, config)
        except InvalidSettings as error:
            log.error("config.rejected", path=str(config), faults=[str(fault) for fault in error.faults])
            return False
        if settings.storage != self.runtime.settings.storage:
            log.warning("config.needs_restart", section="storage")
        self.runtime.replace(settings)
        self._guard(settings)
        log.info("config.reloaded", connections=sorted(settings.connections))
        return True


def _tracing(provider: "TracerProvider | None", store: Store, clock: Clock) -> "Tracing | None":
    if provider is None:
        return None
    # OpenTelemetry is an extra
    from gateway.tracing.spans import Tracing

    return Tracing(provider, store, clock)
