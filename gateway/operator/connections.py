"""Connections and the service at a glance."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

import gateway
from adapters import registry
from adapters.deadline import Deadline
from gateway.backlog import Backlog
from gateway.clock import Clock, moment
from gateway.health import Health
from gateway.operator.errors import NoSuch
from gateway.operator.lines import at
from gateway.operator.status import ConnectionStatus, Overview, State, SystemCondition, Traffic
from gateway.recorder import Recorder
from gateway.runtime import LiveConnection, Runtime
from gateway.store import DeliveryState, Store, StoreUnavailable, claims, history

_JOBS = ("export", "feed", "webhook", "events")
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Work:
    """What stands where, of all connections."""

    counts: Mapping[tuple[str, DeliveryState], int]
    oldest: Mapping[str, float]
    """Seconds, by connection."""
    traffic: Mapping[tuple[str, str], int]
    is_known: bool = True
    """False while the store does not answer."""

    def of(self, name: str, state: DeliveryState) -> int | None:
        return self.counts.get((name, state), 0) if self.is_known else None

    def sum(self, state: DeliveryState) -> int | None:
        found = sum(number for (_name, each), number in self.counts.items() if each == state)
        return found if self.is_known else None


@dataclass(frozen=True, slots=True)
class Connections:
    """Looks at all connections."""

    store: Store
    runtime: Runtime
    backlog: Backlog
    health: Health
    recorder: Recorder
    clock: Clock

    async def overview(self) -> Overview:
        """The whole gateway, as far as it can be told while the store is away."""
        report = await self.health.report()
        try:
            work = await self._work()
        except StoreUnavailable:
            work = _Work({}, {}, {}, is_known=False)
        return Overview(
            at=moment(self.clock()),
            ready=report.ready,
            checks=dict(report.content["checks"]),
            connections=self._all(work),
            pending=work.sum(DeliveryState.PENDING),
            running=work.sum(DeliveryState.RUNNING),
            dead=work.sum(DeliveryState.DEAD),
            oldest_due_seconds=max(work.oldest.values(), default=None),
            version=gateway.__version__,
        )

    async def every(self) -> tuple[ConnectionStatus, ...]:
        """Each connection, those with work that the configuration lost last."""
        return self._all(await self._work())

    async def one(self, name: str) -> ConnectionStatus:
        """One connection; `NoSuch`."""
        found = next((each for each in await self.every() if each.name == name), None)
        if found is None:
            raise NoSuch("no_such_connection", "neither the configuration nor the store has a connection of this name")
        return found

    def live(self, name: str) -> LiveConnection:
        """A connection of the configuration; `NoSuch`."""
        found = self.runtime.connections.get(name)
        if found is None:
            raise NoSuch("no_such_connection", "the configuration has no connection of this name")
        return found

    async def _work(self) -> _Work:
        now, names = self.clock(), list(self.runtime.connections)

        def look(connection: Connection) -> tuple[list[claims.DueWork], dict[tuple[str, str], int]]:
            return claims.due_work(connection, now), history.last_traffic(connection, names, _JOBS)

        counts = await self.backlog.counts()
        due, traffic = await self.store.read(look, Deadline.after(_SECONDS))
        oldest: dict[str, float] = {}
        for work in due:
            oldest[work.connection] = max(oldest.get(work.connection, 0.0), (now - work.since) / 1000)
        return _Work(counts, oldest, traffic)

    def _all(self, work: _Work) -> tuple[ConnectionStatus, ...]:
        configured = [self._status(name, live, work) for name, live in sorted(self.runtime.connections.items())]
        lost = sorted({name for name, _state in work.counts} - self.runtime.connections.keys())
        return (*configured, *(self._status(name, None, work) for name in lost))

    def _status(self, name: str, live: LiveConnection | None, work: _Work) -> ConnectionStatus:
        systems = () if live is None else _systems(live)
        waiting = () if live is None else tuple(sorted(live.pace.waiting_kinds(self.clock())))
        return ConnectionStatus(
            name=name,
            crm=live.settings.crm if live else None,
            crm_title=(registry.spec(live.settings.crm).title or live.settings.crm) if live else None,
            configured=live is not None,
            state=_state(live, systems, waiting),
            systems=systems,
            waiting_kinds=waiting,
            last_traffic=Traffic(
                export=self._last(name, "export", work),
                feed=self._last(name, "feed", work),
                webhook=self._last(name, "webhook", work),
                events=self._last(name, "events", work),
            ),
            pending=work.of(name, DeliveryState.PENDING),
            running=work.of(name, DeliveryState.RUNNING),
            dead=work.of(name, DeliveryState.DEAD),
            oldest_due_seconds=work.oldest.get(name),
            syncs_to=() if live is None else _targets(live),
        )

    def _last(self, name: str, job: str, work: _Work) -> datetime | None:
        times = [each for each in (work.traffic.get((name, job)), self.recorder.last_at(name, job)) if each is not None]
        return at(max(times, default=None))


def _targets(live: LiveConnection) -> tuple[str, ...]:
    return tuple(name for name, client in (("vainu", live.vainu), ("aixon", live.aixon)) if client is not None)


def _systems(live: LiveConnection) -> tuple[SystemCondition, ...]:
    return tuple(
        SystemCondition(
            system,
            "failing" if each.reason else ("unknown" if each.last_ok is None else "ok"),
            each.reason,
            each.last_ok,
            each.last_failure,
        )
        for system, each in live.conditions.items()
    )


def _state(live: LiveConnection | None, systems: tuple[SystemCondition, ...], waiting: tuple[str, ...]) -> State:
    if live is None:
        return "removed"
    if waiting or any(each.state == "failing" for each in systems):
        return "failing"
    return "ok" if any(each.state == "ok" for each in systems) else "unknown"
