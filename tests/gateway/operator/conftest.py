"""Operators' scripts against a running gateway, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import OPERATOR, Gateway, Upstream, configuration, running_gateway, wait_until

HOOK_KEY = "webhook-key-for-tests-0123456789"


@dataclass(frozen=True)
class Desk:
    """A gateway as its operator sees it, and as the world does."""

    gateway: Gateway
    upstream: Upstream

    def ask(self, path: str, **options: Any) -> httpx.Response:
        """GET below /api, with the operator's token."""
        return self.gateway.http.get(f"/api/{path}", headers=OPERATOR, **options)

    def get(self, path: str, **parameters: Any) -> Any:
        """What a GET answers that is well."""
        answer = self.ask(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, path: str, body: Any) -> httpx.Response:
        """POST below /api, with the operator's token."""
        return self.gateway.http.post(f"/api/{path}", headers=OPERATOR, json=body)

    def post(self, path: str, body: Any) -> Any:
        """What a POST answers that is well."""
        answer = self.send(path, body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def hook(self, connection: str, body: Any) -> str:
        """A CRM's webhook; its id. Those of `globex`, which has no Vainu, are kept as ignored at once."""
        answer = self.gateway.http.post(f"/crm/{connection}/webhooks", headers={"API-Key": HOOK_KEY}, json=body)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["id"])

    def push(self, connection: str, **company: Any) -> dict[str, Any]:
        """An export that works; what Vainu was told."""
        answer = self.gateway.push(connection, {"country": "FI", **company})
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def dead(self, *names: str) -> list[str]:
        """Exports of `acme` that gave up because the CRM broke; their ids, in order."""
        self.upstream.fault("apptivo", "500")
        ids = [self.gateway.push("acme", {"company_name": name}).json()["export_id"] for name in names]
        for each in ids:
            wait_until(lambda each=each: self.gateway.standing("acme", each)["status"] == "dead", "it gives up")
        self.upstream.heal("apptivo")
        return ids


def document(upstream: Upstream, folder: Path, **changes: Any) -> dict[str, Any]:
    """`acme` gives up after one attempt; both connections take webhooks by an API key."""
    hooks = {"webhooks": {"api_keys": [HOOK_KEY]}}
    acme = {**hooks, "export": {"budget_ms": 1_500, "settle_seconds": 0}, "deliveries": {"max_attempts": 1}}
    server = {"drain_seconds": 0, "requests_per_second": 1_000_000, "failed_signins_per_minute": 1_000_000}
    return configuration(
        upstream.url, folder, **{"server": server, "connections": {"acme": acme, "globex": hooks}, **changes}
    )


@pytest.fixture
def desk(upstream: Upstream, tmp_path: Path, store_url: str) -> Iterator[Desk]:
    """A gateway on either store."""
    with running_gateway(document(upstream, tmp_path, storage={"url": store_url})) as running:
        yield Desk(running, upstream)


@pytest.fixture
def sqlite_desk(upstream: Upstream, tmp_path: Path) -> Iterator[Desk]:
    """A gateway on SQLite, for what no store makes different."""
    with running_gateway(document(upstream, tmp_path)) as running:
        yield Desk(running, upstream)


def walk(page: Callable[[str | None], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every page of a list, from the first to the last."""
    cursor: str | None = None
    while True:
        found = page(cursor)
        yield found
        cursor = found["next_cursor"]
        if cursor is None:
            return
