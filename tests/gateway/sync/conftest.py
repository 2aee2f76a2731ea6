"""A configuration, customers in the simulated CRM, and syncs that run as a person runs them."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Mount

from adapters.aixon import simulator as aixon
from adapters.apptivo.simulated_firm import ApptivoState
from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE
from gateway.clock import Clock, now_ms
from gateway.runtime import open_connection
from gateway.settings import load
from gateway.simulators import simulators
from gateway.store import Store
from gateway.sync.order import Order
from gateway.sync.patience import Patience
from gateway.sync.progress import Begun, Counts, Progress, RowReport
from gateway.sync.syncs import Syncs
from tests.gateway.cli.conftest import Command
from tests.gateway.cli.conftest import command as command
from tests.harness import Upstream, configuration, merged, running_upstream, toml

WRITES = ("POST", "PATCH", "PUT", "DELETE")


@dataclass
class Heard:
    """What a sync told of itself."""

    begun_as: Begun | None = None
    rows: list[RowReport] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def begun(self, begun: Begun) -> None:
        self.begun_as = begun

    def row(self, report: RowReport) -> None:
        self.rows.append(report)

    def step(self, progress: Progress) -> None:
        self.steps.append(progress.step)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@dataclass
class World:
    """The simulators, a configuration file, and the commands over both."""

    upstream: Upstream
    crm: ApptivoState
    folder: Path
    command: Command

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    def configure(self, storage: dict[str, Any] | None = None, **acme: Any) -> None:
        """Write the configuration; `acme` is laid over that of the connection."""
        own = {"apptivo": {"business_id_attribute": BUSINESS_ID_ATTRIBUTE}}
        own |= {"aixon": {"base_url": f"{self.upstream.url}/aixon", "api_key": aixon.FAKE_API_KEY}}
        document = configuration(
            self.upstream.url, self.folder, connections={"acme": merged(own, acme)}, storage=storage or {}
        )
        self.config.write_text(toml(document), encoding="utf-8")

    def customer(self, name: str, business_id: str = "", country: str = "FI") -> str:
        """One more customer in Apptivo; its id."""
        number = {"customAttributeId": BUSINESS_ID_ATTRIBUTE, "customAttributeType": "input"}
        row = {
            "customerName": name,
            "addresses": [{"addressType": "Billing Address", "countryCode": country}],
            "customAttributes": [{**number, "customAttributeValue": business_id}],
        }
        return str(self.crm.insert_customer(row)["id"])

    def delete_customers(self, *ids: str) -> None:
        """Somebody deletes customers in Apptivo."""
        self.crm.tables["customers"] = [row for row in self.crm.tables["customers"] if row["id"] not in ids]
        self.crm.kept_lists.clear()

    def ids(self) -> list[str]:
        """The customers of Apptivo."""
        return [row["id"] for row in self.crm.tables["customers"]]

    def sync(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """`gateway sync acme`, here and now."""
        return self.command("sync", "acme", *options, "--config", str(self.config))

    def summary(self, *options: str) -> dict[str, Any]:
        """What `gateway sync acme --json` prints."""
        ended = self.sync("--json", *options)
        found: dict[str, Any] = json.loads(ended.stdout)
        return {"code": ended.returncode, **found}

    def report(self, *options: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
        """The exit code of a sync, and its report: the customers, and the summary."""
        file = self.folder / "report.jsonl"
        ended = self.sync("--report", str(file), *options)
        *customers, summary = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        return ended.returncode, customers, summary

    def patiently(self, order: Order, clock: Clock = now_ms) -> tuple[Counts, Heard]:
        """A sync whose pauses take no time."""
        heard = Heard()

        async def run() -> Counts:
            settings = load(self.config)
            store = Store(settings.storage.url)
            store.open()
            live = open_connection(settings.connections[order.connection])
            try:
                return await Syncs(store, clock, Patience(pause=heard.pause)).run(live, order, heard)
            finally:
                await live.close(patience=0)
                store.close()

        return asyncio.run(run()), heard

    def customer_data(self) -> list[dict[str, Any]]:
        """What Vainu holds."""
        found: list[dict[str, Any]] = self.upstream.records("vainu")["customer_data"]
        return found

    def writes(self, system: str = "vainu") -> list[str]:
        """The calls that changed something, or would have."""
        return [call["line"] for call in self.upstream.calls(system) if call["method"] in WRITES]


@pytest.fixture
def world(tmp_path: Path, command: Command) -> Iterator[World]:
    """Fresh simulators, and a configuration for them."""
    app = simulators()
    mounts = {route.path: route.app for route in app.routes if isinstance(route, Mount)}  # type: ignore[attr-defined]  # Starlette's
    with running_upstream(app) as upstream:
        made = World(upstream, mounts["/apptivo"].state, tmp_path, command)  # type: ignore[attr-defined]  # a Simulator
        made.configure()
        yield made
