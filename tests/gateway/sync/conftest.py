"""A configuration, customers in the simulated CRM, and syncs that run as a person runs them."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE
from tests.gateway.cli.conftest import Command
from tests.gateway.cli.conftest import command as command
from tests.harness import Upstream, configuration, merged, toml

WRITES = ("POST", "PATCH", "DELETE")


@dataclass
class World:
    """The simulators, a configuration file, and the commands over both."""

    upstream: Upstream
    config: Path
    run: Command

    def customers(self, count: int) -> None:
        """Make that many more customers in Apptivo."""
        self.upstream.http.post("/apptivo/_customers", json={"count": count}).raise_for_status()

    def sync(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """`gateway sync acme`, here and now."""
        return self.run("sync", "acme", *options, "--config", str(self.config))

    def summary(self, *options: str) -> dict[str, Any]:
        """What `gateway sync acme --json` prints."""
        ended = self.sync("--json", *options)
        found: dict[str, Any] = json.loads(ended.stdout)
        return {"code": ended.returncode, **found}

    def report(self, *options: str) -> tuple[int, list[dict[str, Any]], dict[str, Any]]:
        """The exit code of a sync, and its report: the customers, and the summary."""
        file = self.config.parent / "report.jsonl"
        ended = self.sync("--report", str(file), *options)
        *customers, summary = map(json.loads, file.read_text(encoding="utf-8").splitlines())
        return ended.returncode, customers, summary

    def customer_data(self) -> list[dict[str, Any]]:
        """What Vainu holds."""
        found: list[dict[str, Any]] = self.upstream.records("vainu")["customer_data"]
        return found

    def in_crm(self) -> list[dict[str, Any]]:
        """What the CRM holds."""
        found: list[dict[str, Any]] = self.upstream.records("apptivo")["customers"]
        return found

    def writes(self, system: str = "vainu") -> list[dict[str, str]]:
        """The calls that changed something, or would have."""
        return [call for call in self.upstream.calls(system) if call["method"] in WRITES]


def written(upstream: Upstream, folder: Path, **changes: Any) -> Path:
    """A configuration file whose `acme` reads business ids out of the simulated Apptivo."""
    document = configuration(
        upstream.url, folder, connections={"acme": {"apptivo": {"business_id_attribute": BUSINESS_ID_ATTRIBUTE}}}
    )
    path = folder / "gateway.toml"
    path.write_text(toml(merged(document, changes)), encoding="utf-8")
    return path


@pytest.fixture
def world(upstream: Upstream, tmp_path: Path, command: Command) -> World:
    """Fresh simulators, and a configuration for them."""
    return World(upstream, written(upstream, tmp_path), command)
