"""Gateways to measure, each in a process of its own, with nothing configured that would hold load off."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.parts import memory
from tests.bench.parts.signed import SECRET
from tests.bench.parts.wire import get
from tests.harness import KEY, Gateway, GatewayProcess, configuration, gateway_process, merged
from tests.postgres import binaries, running_cluster

NOBODY = "http://127.0.0.1:9"
"""An upstream that refuses connections: what is measured then is the gateway alone."""
NO_POSTGRESQL = "PostgreSQL is not installed here (Debian's package postgresql): not measured"


def document(upstream: str, folder: Path, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A configuration whose connection `acme` takes signed webhooks, exports and feeds without a limit of rate."""
    ready = {
        "server": {"requests_per_second": 1_000_000},
        "connections": {"acme": {"webhooks": {"hmac": [{"secret": f"whsec_{SECRET}"}]}}, "globex": None},
    }
    return merged(merged(configuration(upstream, folder), ready), changes or {})


@contextlib.contextmanager
def running(
    wanted: Mapping[str, Any], folder: Path, *options: str, environ: Mapping[str, str] | None = None
) -> Iterator["Measured"]:
    """A gateway that is ready; killed at the end, since nothing of it is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    with gateway_process(wanted, folder) as process:
        yield Measured(process.start(*options, environ=environ), process)


@contextlib.contextmanager
def database(name: str) -> Iterator[str]:
    """A database of a fresh PostgreSQL cluster; its storage URL. See `has_postgresql` first."""
    with running_cluster() as cluster:
        yield cluster.create_database(name)


def has_postgresql() -> bool:
    """Whether there is a server to start."""
    return binaries() is not None


class Measured:
    """A running gateway, by its port and its process."""

    def __init__(self, gateway: Gateway, process: GatewayProcess) -> None:
        assert process.process is not None
        self.http = gateway
        self.port = int(gateway.url.rpartition(":")[2])
        self.pid = process.process.pid
        self._process = process

    def stop(self) -> None:
        """TERM, and wait."""
        self._process.stop()

    def memory_mb(self) -> float:
        """Resident memory now; millions of bytes."""
        return memory.now(self.pid) / 1_000_000

    def peak_memory_mb(self) -> float:
        """The most it has been."""
        return memory.peak(self.pid) / 1_000_000

    def export(self, company: Mapping[str, Any]) -> str:
        """Export a company; the unique_id that its feed has."""
        answer = self.http.push("acme", company)
        answer.raise_for_status()
        return str(answer.json()["unique_id"])

    def feed_requests(self, customers: int) -> list[bytes]:
        """Requests for the feeds of so many customers, which are exported first."""
        ids = [self.export(company(number)) for number in range(customers)]
        return [get(f"/vainu/acme/activities/{unique_id}", KEY) for unique_id in ids]


def company(number: int) -> dict[str, Any]:
    """A company to push, unlike all others."""
    return {
        "company_name": f"Bench {number} Oy",
        "business_id": f"{1_000_000 + number}-0",
        "country": "FI",
        "domain": f"bench{number}.example",
    }
