"""A gateway with something to see on every page: exports, webhooks, a dead letter, a sync, names that nobody wants."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from adapters.simulated_webhooks import signed
from adapters.vainu.samples import samples
from tests.harness import KEY, Gateway, Upstream, configuration, running_gateway, running_upstream, wait_until

HOOK_SECRET = "whsec_Y29uc29sZS1ob29rLXNlY3JldA=="
DOOMED = "Doomed Oy"
HOSTILE = {
    "markup": "Tom & \"Jerry\" <script>document.title='taken'</script><img src=x onerror=alert(1)> < 'Oy",
    "direction": "Evil \u202e\u2066 gnp.exe \u200f\u061c Oy",
    "long": "Endless" * 1_400,
}
"""Names of companies: markup, characters that turn the direction of text, 10 kB without a space."""


@dataclass(frozen=True)
class Stage:
    """The gateway, and what tests look for in it."""

    upstream: Upstream
    gateway: Gateway
    unique_id: str
    """Of a company with a feed."""

    def dead_letters(self) -> int:
        """How many there are, by the metrics: not by what is under test."""
        headers = {"Authorization": "Bearer operator-token-for-tests"}
        lines = self.gateway.http.get("/metrics", headers=headers).text.splitlines()
        found = [line for line in lines if line.startswith("gateway_deliveries{") and 'state="dead"' in line]
        return sum(int(float(line.rpartition(" ")[2])) for line in found)

    def fail_an_export(self, name: str) -> None:
        """An export of which the CRM says that it broke, and that gives up at once."""
        before = self.dead_letters()
        self.upstream.fault("apptivo", "500", match=name.split()[0])
        self.gateway.push("initech", {"company_name": name, "country": "FI"})
        wait_until(lambda: self.dead_letters() > before, "the export gives up")
        self.upstream.heal("apptivo")


@contextmanager
def staged(folder: Path, **changes: Any) -> Iterator[Stage]:
    """The stage; `changes` are merged into its configuration."""
    with running_upstream() as upstream:

        def document(url: str) -> Mapping[str, Any]:
            return _configuration(upstream.url, folder, url, changes)

        with running_gateway(document) as gateway:
            yield _played(upstream, gateway)


def _configuration(upstream: str, folder: Path, url: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    plain = configuration(upstream, folder)
    acme, globex = plain["connections"]["acme"], plain["connections"]["globex"]
    hooks = {"hmac": [{"secret": HOOK_SECRET}]}
    quick = {"budget_ms": 2_000, "settle_seconds": 0}
    return configuration(
        upstream,
        folder,
        **{
            "server": {"public_url": url, "drain_seconds": 0, "failed_signins_per_minute": 100_000},
            "connections": {
                "acme": {**acme, "webhooks": hooks, "export": quick},
                "globex": {**globex, "vainu": acme["vainu"]},
                "initech": {**acme, "webhooks": hooks, "export": quick, "deliveries": {"max_attempts": 1}},
            },
            **changes,
        },
    )


def _played(upstream: Upstream, gateway: Gateway) -> Stage:
    first = gateway.push("acme", samples()["samlink"].push_body()).json()
    for connection in ("acme", "globex"):
        for name in ("vainu_finland", "norrsken"):
            gateway.push(connection, samples()[name].push_body())
        for name in HOSTILE.values():
            gateway.push(connection, {"company_name": name, "country": "FI"})
    gateway.feed("acme", first["unique_id"])
    gateway.feed("globex", "nobody")
    webhook(gateway, "acme", b'{"customerId": "%s"}' % first["unique_id"].encode())
    stage = Stage(upstream, gateway, first["unique_id"])
    stage.fail_an_export(DOOMED)
    return stage


def webhook(gateway: Gateway, connection: str, body: bytes) -> httpx.Response:
    """A signed webhook of the CRM."""
    headers = {"Content-Type": "application/json", **signed(HOOK_SECRET, f"msg_{KEY[:4]}", int(time.time()), body)}
    return httpx.post(f"{gateway.url}/crm/{connection}/webhooks", content=body, headers=headers, trust_env=False)
