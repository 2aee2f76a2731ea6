"""What is in force now: the settings, and one live connection per name with its adapter and clients open."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from adapters import registry
from adapters.aixon.client import AixonClient
from adapters.contract import Adapter, CallRecord, CustomerWebhooks, NotFound, Opening, Refused
from adapters.redaction import Redactor
from adapters.vainu.client import VainuClient
from gateway.pace import Pace
from gateway.settings import ConnectionSettings, Settings

log = structlog.get_logger()

Observe = Callable[[str, str, CallRecord], None]
"""Hears of every call to a remote system: the connection's name, the configuration's word for the system, the call."""


def _nobody(_connection: str, _system: str, _record: CallRecord) -> None:
    """Nobody wants to hear of calls."""


_ANSWERED = frozenset({"ok", Refused.reason, NotFound.reason})
"""Outcomes of a remote system that works: it understood, and answered, if only that it has no such record."""


@dataclass(slots=True)
class Condition:
    """How a remote system last behaved, for health and console."""

    last_ok: datetime | None = None
    last_failure: datetime | None = None
    reason: str | None = None

    def observe(self, record: CallRecord) -> None:
        """Take one finished call into account."""
        now = datetime.now(UTC)
        if record.outcome in _ANSWERED:
            self.last_ok, self.reason = now, None
        elif record.outcome != "cancelled":
            self.last_failure, self.reason = now, record.outcome


@dataclass(slots=True, eq=False)
class LiveConnection:
    """One connection of the configuration, open."""

    settings: ConnectionSettings
    adapter: Adapter
    vainu: VainuClient | None
    aixon: AixonClient | None
    conditions: Mapping[str, Condition]
    """By remote system: the CRM's adapter name, `vainu`, `aixon`."""
    redact: Redactor
    pace: Pace
    webhooks: CustomerWebhooks | None
    """The adapter, if its CRM can tell us of changes."""
    _users: int = 0
    _closing: bool = False
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.settings.name

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the connection open for the length of a call, although a reload may have replaced it."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._closing and self._users == 0:
                self._idle.set()

    async def close(self, patience: float = 60.0) -> None:
        """Close once nobody uses it, or after `patience` seconds."""
        self._closing = True
        if self._users:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._idle.wait()
        await self.adapter.aclose()
        if self.vainu is not None:
            await self.vainu.aclose()
        if self.aixon is not None:
            await self.aixon.aclose()


def open_connection(settings: ConnectionSettings, observe: Observe = _nobody) -> LiveConnection:
    """Open a connection's adapter and clients; nothing is called yet."""
    besides = {"vainu": settings.vainu, "aixon": settings.aixon}
    conditions = {name: Condition() for name in (settings.crm, *(key for key, found in besides.items() if found))}

    def watching(system: str) -> Callable[[CallRecord], None]:
        # by whom the calls are made, not by the name an adapter gives its system: that is for people ("CRM.COM")
        def watch(record: CallRecord) -> None:
            conditions[system].observe(record)
            observe(settings.name, system, record)

        return watch

    adapter = registry.spec(settings.crm).open(
        Opening(settings.adapter, settings.timezone, settings.export.fields, watching(settings.crm))
    )
    vainu = VainuClient(settings.vainu, observe=watching("vainu")) if settings.vainu else None
    aixon = AixonClient(settings.aixon, observe=watching("aixon")) if settings.aixon else None
    pace = Pace(settings.deliveries.max_concurrent, settings.deliveries.per_second)
    webhooks = adapter if isinstance(adapter, CustomerWebhooks) else None
    redact = Redactor(settings.secret_values())
    return LiveConnection(settings, adapter, vainu, aixon, conditions, redact, pace, webhooks)


class Runtime:
    """The settings in force and their live connections; `replace` changes both at once."""

    def __init__(self, settings: Settings, observe: Observe = _nobody) -> None:
        self.settings = settings
        self._observe = observe
        self.connections: dict[str, LiveConnection] = {
            name: open_connection(connection, observe) for name, connection in settings.connections.items()
        }
        self._retired: set[asyncio.Task[None]] = set()

    def replace(self, settings: Settings) -> None:
        """Put new settings into force; connections that did not change stay open, calls in flight end on the old."""
        before = self.connections
        after: dict[str, LiveConnection] = {}
        for name, connection in settings.connections.items():
            same = name in before and before[name].settings == connection
            after[name] = before[name] if same else open_connection(connection, self._observe)
        self.settings, self.connections = settings, after
        for name, live in before.items():
            if after.get(name) is not live:
                task = asyncio.create_task(live.close())
                self._retired.add(task)
                task.add_done_callback(self._retired.discard)

    async def close(self) -> None:
        """Close every connection."""
        closing = [live.close(patience=0) for live in self.connections.values()]
        await asyncio.gather(*closing, *self._retired, return_exceptions=True)
