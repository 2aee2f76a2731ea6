"""The service's parts, put together once: what the HTTP side, the command line and the tests all build on."""

import asyncio
import contextlib
from pathlib import Path

import structlog

from adapters.contract import CallRecord
from gateway.auth.gate import Gate, OperatorGate
from gateway.clock import Clock, now_ms
from gateway.export_work import CUSTOMER_DATA, DETAILS, EXPORT, CustomerDataWork, DetailsWork, ExportWork
from gateway.exports import Exports
from gateway.feed import Feeds
from gateway.health import Health
from gateway.limits import CallerRate, FailedSignIns
from gateway.metrics import Metrics
from gateway.runtime import Runtime
from gateway.settings import InvalidSettings, Settings, load
from gateway.store import Store
from gateway.worker import Handler, Worker

log = structlog.get_logger()


class Service:
    """One gateway process. `start` opens the store and the worker, `stop` drains and closes them."""

    def __init__(self, settings: Settings, *, clock: Clock = now_ms, config: Path | None = None) -> None:
        self.config = config
        self.metrics = Metrics()
        self.store = Store(settings.storage.url)
        self.runtime = Runtime(settings, self._observe)
        handlers: dict[str, Handler] = {
            EXPORT: ExportWork(self.store, clock),
            DETAILS: DetailsWork(self.store),
            CUSTOMER_DATA: CustomerDataWork(self.store),
        }
        self.worker = Worker(self.store, self.runtime, handlers, clock)
        self.exports = Exports(self.store, self.worker, clock)
        self.feeds = Feeds(self.store, self.metrics)
        self.health = Health(self.store, self.worker, self.runtime, clock)
        self._guard(settings)
        self._working: asyncio.Task[None] | None = None

    def _observe(self, connection: str, record: CallRecord) -> None:
        self.metrics.upstream_call(connection, record)

    def _guard(self, settings: Settings) -> None:
        """Put the credentials and limits of these settings into force."""
        before = getattr(self, "gate", None)
        auth = {name: connection.auth for name, connection in settings.connections.items()}
        self.gate = Gate(auth, jwks=before.jwks if before else None)
        self.operator_gate = OperatorGate(settings.operator.tokens)
        self.caller_rate = CallerRate(settings.server.requests_per_second)
        self.failed_signins = FailedSignIns(settings.server.failed_signins_per_minute)

    @property
    def draining(self) -> bool:
        """Whether the process is going down: it takes no new work."""
        return self.health.draining

    async def start(self) -> None:
        """Open the store, and go on with the work that waits in it."""
        await asyncio.to_thread(self.store.open)
        self._working = asyncio.create_task(self.worker.run(), name="worker")

    async def stop(self) -> None:
        """Finish or give back claimed work, close every connection."""
        self.begin_drain()
        if self._working is not None:
            await self.worker.drain(self.runtime.settings.server.drain_seconds)
            self._working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._working
        await self.runtime.close()
        await asyncio.to_thread(self.store.close)

    def begin_drain(self) -> None:
        """Not ready from this moment on."""
        self.health.draining = True

    async def reload(self) -> bool:
        """Read the configuration again; a broken one leaves the old one in force, and the log says so."""
        if self.config is None:
            return False
        try:
            settings = await asyncio.to_thread(load, self.config)
        except InvalidSettings as error:
            log.error("config.rejected", path=str(self.config), faults=[str(fault) for fault in error.faults])
            return False
        if settings.storage != self.runtime.settings.storage:
            log.warning("config.needs_restart", section="storage")
        self.runtime.replace(settings)
        self._guard(settings)
        log.info("config.reloaded", connections=sorted(settings.connections))
        return True
