"""An Aixon of one's own over HTTP, and what a run of the gateway keeps between uploads."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import httpx
import msgspec
import pytest

from adapters.aixon.cells import Cell, Creation
from adapters.aixon.client import AixonClient
from adapters.aixon.models import AixonSettings
from adapters.aixon.simulator import BASE_PATH, FAKE_API_KEY, simulator
from adapters.aixon.spool import KeptRow
from adapters.aixon.staging import Fault, Staging
from adapters.aixon.table import Customer
from adapters.aixon.upload import Sent, State, Upload
from adapters.serving import serving

LIMIT = 100_000


@dataclass
class Aixon:
    """The simulator, running."""

    url: str
    http: httpx.Client

    def cells(self) -> dict[str, Any]:
        """Every cell that it holds."""
        return dict(self.http.get("/_records").json())

    def only_cell(self) -> dict[str, Any]:
        """The one cell that there is."""
        (cell,) = self.cells().values()
        return dict(cell)

    def fault(self, fault: str, **rule: Any) -> None:
        """Put a fault into force."""
        self.http.post("/_faults", json={"fault": fault, **rule}).raise_for_status()

    def uploads(self) -> list[str]:
        """The uploads that it has had: `create`, `update`, `overwrite`."""
        names = {("PUT", True): "create", ("PATCH", False): "update", ("PUT", False): "overwrite"}
        calls = self.http.get("/_calls").json()
        return [names[call["method"], call["path"] == BASE_PATH] for call in calls if call["method"] != "GET"]


@dataclass
class Memory:
    """What the gateway keeps of a connection, as text and bytes, so that nothing is shared by reference."""

    state: bytes | None = None
    digests: dict[str, bytes] = field(default_factory=dict)
    taken_rows: int = 0
    die_after: int | None = None
    """How many bodies are remembered before this process is gone."""

    def remembered(self) -> State:
        return None if self.state is None else msgspec.json.decode(self.state, type=Cell | Creation)

    async def creating(self, creation: Creation) -> None:
        self.state = msgspec.json.encode(creation)

    async def taken(self, cell: Cell, rows: Iterator[KeptRow]) -> None:
        if self.die_after == 0:
            raise Killed
        self.die_after = None if self.die_after is None else self.die_after - 1
        self.state = msgspec.json.encode(cell)
        for row in rows:
            self.digests[row.uid] = row.digest
            self.taken_rows += 1


class Killed(Exception):
    """Stands for the end of the process."""


@dataclass
class Run:
    """What came of a run."""

    sent: Sent
    faults: list[str]
    pauses: list[float]


Sync = Callable[..., Run]


@pytest.fixture(scope="module")
def _served() -> Iterator[Aixon]:
    with (
        serving(simulator(max_body_bytes=LIMIT)) as url,
        httpx.Client(base_url=url, headers={"x-api-key": FAKE_API_KEY}, trust_env=False) as http,
    ):
        yield Aixon(url, http)


@pytest.fixture
def account(_served: Aixon) -> Aixon:
    """An empty account, which takes bodies of at most `LIMIT` bytes."""
    _served.http.post("/_reset")
    return _served


@pytest.fixture
def sync(account: Aixon) -> Sync:
    """One whole run, as `gateway sync` makes it: only what changed since `memory` is sent."""

    def run(memory: Memory, customers: Iterable[Customer], *, limit: int = LIMIT, **given: Any) -> Run:
        return asyncio.run(sync_once(account.url, memory, customers, limit, **given))

    return run


async def sync_once(url: str, memory: Memory, customers: Iterable[Customer], limit: int, **given: Any) -> Run:
    """Check all, keep what changed, send."""
    settings = AixonSettings.model_validate({"base_url": url, "api_key": FAKE_API_KEY, **given})
    table = settings.table(UTC)
    state = memory.remembered()
    header = table.header(state.header if state is not None else ())
    faults: list[Fault] = []
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    client = AixonClient(settings)
    try:
        with Staging(
            table, header, on_fault=faults.append, body_format=settings.body_format, max_body_bytes=limit
        ) as staging:
            for customer in customers:
                row = staging.check(customer)
                if row is not None and memory.digests.get(row.uid) != row.digest:
                    staging.keep(row)
            staging.seal()
            upload = Upload(client, staging, state, memory, description=settings.cell_description("acme"), pause=pause)
            sent = await upload.run()
    finally:
        await client.aclose()
    return Run(sent, [str(fault) for fault in faults], pauses)
