"""What a scrape is told: what this process and its siblings have counted, and how the store stands at the moment."""

import asyncio
import platform
import time
from dataclasses import dataclass, field

import gateway
from adapters.deadline import Deadline
from gateway.backlog import Backlog
from gateway.clock import Clock
from gateway.health import Health
from gateway.metrics import TRAFFIC, Metrics, catalogue, exposition
from gateway.metrics.exchange import TELL_SECONDS, TELL_SECONDS_MOST, Joined, Siblings
from gateway.metrics.series import Figures, join
from gateway.runtime import Runtime
from gateway.store import DeliveryState, Store, StoreUnavailable, claims

_STORE_SECONDS = 1.5
"""How long a scrape waits for the store; Prometheus gives up after 10 s by default."""
_SHARE = 100
"""What took long to tell is told less often: it must not become a load."""
_STATES = (DeliveryState.PENDING, DeliveryState.RUNNING, DeliveryState.DEAD)


@dataclass(slots=True)
class Observation:
    """Answers scrapes; one per process."""

    metrics: Metrics
    store: Store
    runtime: Runtime
    backlog: Backlog
    health: Health
    clock: Clock
    siblings: Siblings | None = None
    """The other processes on this address, if there are any."""
    _started: float = field(default_factory=time.time)

    async def open(self) -> None:
        """Take up the line to the siblings; before the first request."""
        if self.siblings is not None:
            await self.siblings.open()

    async def run(self) -> None:
        """Tell the siblings what was counted, until cancelled."""
        while self.siblings is not None:
            started = time.perf_counter()
            self.tell()
            pause = _SHARE * (time.perf_counter() - started)
            await asyncio.sleep(min(max(TELL_SECONDS, pause), TELL_SECONDS_MOST))

    def tell(self) -> None:
        """Tell the siblings what was counted until now."""
        if self.siblings is not None:
            self._look_at_circuits()
            self.siblings.tell(self.metrics.snapshot())

    async def exposition(self) -> tuple[bytes, str]:
        """The metrics of all processes in Prometheus' text format, and its content type; or `ExchangeBroken`."""
        joined = await self._joined()
        figures: dict[str, Figures] = {}
        join(figures, joined.snapshot)
        figures[catalogue.LAST_TRAFFIC.name] = self._last_traffic(figures.get(catalogue.LAST_TRAFFIC.name, {}))
        report = await self.health.report()
        figures |= {
            catalogue.READY.name: {(): [float(report.ready)]},
            catalogue.WORKERS.name: {(): [float(joined.workers)]},
            catalogue.RESTARTS.name: {(): [float(joined.restarts)]},
            catalogue.STARTED.name: {(): [joined.started]},
            catalogue.BUILD.name: {(gateway.__version__, platform.python_version()): [1.0]},
        }
        free = report.content["checks"]["disk"].get("free_bytes")
        if free is not None:
            figures[catalogue.DISK_FREE.name] = {(): [float(free)]}
        figures |= await self._of_store()
        # on a thread: to write thousands of series takes longer than anybody else's request may wait
        return await asyncio.to_thread(exposition.text, figures), exposition.CONTENT_TYPE

    async def _joined(self) -> Joined:
        self._look_at_circuits()
        if self.siblings is not None:
            return await self.siblings.joined(self.metrics.snapshot())
        return Joined(self.metrics.snapshot(), workers=1, restarts=0, started=self._started)

    def _look_at_circuits(self) -> None:
        self.metrics.circuits(
            {
                (name, kind): is_open
                for name, live in self.runtime.connections.items()
                for kind, is_open in live.pace.circuits()
            }
        )

    def _last_traffic(self, told: Figures) -> Figures:
        """Of each connection there is now: 0 says that there was none, where a missing series would say nothing."""
        names = self.runtime.connections
        return {(name, traffic): told.get((name, traffic), [0.0]) for name in names for traffic in TRAFFIC.values()}

    async def _of_store(self) -> dict[str, Figures]:
        """What the store tells; no figures rather than old ones where it does not answer."""
        now = self.clock()
        by = Deadline.after(_STORE_SECONDS)
        try:
            async with asyncio.timeout(_STORE_SECONDS):
                counts = await self.backlog.counts()
            due = await self.store.read(lambda c: claims.due_work(c, now), by)
        except (StoreUnavailable, TimeoutError):
            return {catalogue.STORE_UP.name: {(): [0.0]}}
        deliveries: Figures = {(name, str(state)): [0.0] for name in self.runtime.connections for state in _STATES}
        deliveries |= {(name, str(state)): [float(number)] for (name, state), number in counts.items()}
        oldest: Figures = {(name,): [0.0] for name in self.runtime.connections}
        for work in due:
            age = max(0, now - work.since) / 1000
            oldest[work.connection,] = [max(age, oldest.get((work.connection,), [0.0])[0])]
        return {
            catalogue.STORE_UP.name: {(): [1.0]},
            catalogue.DELIVERIES.name: deliveries,
            catalogue.OLDEST_DUE.name: oldest,
        }
