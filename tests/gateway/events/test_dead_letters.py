"""Rows that gave up are dead letters with CRM.COM's code and text, shown and replayed row by row; old ones go."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import now_ms
from gateway.retention import Retention
from tests.gateway.events.conftest import Shop
from tests.gateway.http.conftest import auth_of, issuer, token
from tests.harness import OPERATOR, client, configuration, run_command, running_gateway, toml, wait_until

__all__ = ["issuer", "token"]
EVENTS = "/crm/globex/customer-events/purchases"


@pytest.fixture
def config(shop: Shop, tmp_path: Path) -> Path:
    """The configuration of the shop's gateway, for commands beside it."""
    path = tmp_path / "gateway.toml"
    path.write_text(toml(configuration(shop.upstream.url, tmp_path)), encoding="utf-8")
    return path


def listed(config: Path, *options: str) -> list[dict[str, Any]]:
    ended = run_command("deliveries", "list", "--json", "--config", str(config), *options)
    assert ended.returncode == 0, ended.stderr
    return list(json.loads(ended.stdout))


def test_a_refused_row_is_a_dead_letter_that_can_be_replayed(shop: Shop, config: Path) -> None:
    """`gateway deliveries` shows it with CRM.COM's words; mended there and replayed by the request's id, it is done.

    What was done of the request is left alone.
    """
    shop.break_rows('"POS-2"', code="UnitIsClosedException", description="The unit is closed")
    told = shop.post([shop.purchase(1), shop.purchase(2)]).json()
    assert [row["error_code"] for row in told["failed"]] == ["UnitIsClosedException"]

    [dead] = listed(config, "--state", "dead")
    assert (dead["kind"], dead["subject"], dead["reason"]) == ("events_purchases", "2", "row_refused")
    assert dead["detail"] == f"UnitIsClosedException: {told['failed'][0]['error_description']}"
    assert "The unit is closed" in dead["detail"]
    shown = run_command("deliveries", "show", told["id"], "--config", str(config))
    assert "The unit is closed" in shown.stdout
    assert "mend it there and replay" in shown.stdout

    replayed = run_command("deliveries", "replay", told["id"], "--config", str(config))
    assert replayed.returncode == 0, replayed.stderr
    wait_until(lambda: len(shop.get(told["id"]).json()["processed"]) == 2, "the replayed row is done")
    assert shop.there() == Counter(["POS-1", "POS-2"])
    nothing = run_command("deliveries", "replay", told["id"], "--config", str(config))
    assert (nothing.returncode, nothing.stderr) == (1, f"gateway: no dead letter {told['id']}\n")


def test_attempts_are_bounded(upstream: Any, shop: Shop, tmp_path: Path) -> None:
    """After `deliveries.max_attempts` a row that still fails for a passing reason gives up, with the last answer."""
    folder = tmp_path / "bounded"
    folder.mkdir()
    bounds = {"globex": {"deliveries": {"max_attempts": 2}, "export": {"budget_ms": 5_000}}}
    shop.break_rows('"POS-1"', times=9, code="InternalServerErrorException", description="Deadlock")
    with running_gateway(configuration(upstream.url, folder, connections=bounds)) as gateway:
        bounded = Shop(upstream, gateway, shop.account)
        told = bounded.post([bounded.purchase(1)]).json()
    assert told["failed"] == [
        {
            "request_unique_identifier": "1",
            "error_code": "InternalServerErrorException",
            "error_description": "Error:Deadlock. - Description:The API call failed.",
        }
    ]
    assert len(shop.calls()) == 2


def test_wrong_credentials_are_dead_letters_at_once(upstream: Any, shop: Shop, tmp_path: Path) -> None:
    """Nobody retries what a person must mend; the failure says so, without the password."""
    folder = tmp_path / "locked"
    folder.mkdir()
    wrong = {"globex": {"crmcom": {"password": "not-the-password"}, "export": {"budget_ms": 5_000}}}
    with running_gateway(configuration(upstream.url, folder, connections=wrong)) as gateway:
        answer = Shop(upstream, gateway, shop.account).post([shop.purchase(1)])
    assert answer.status_code == 200, answer.text
    assert [row["error_code"] for row in answer.json()["failed"]] == ["credentials"]
    assert "not-the-password" not in answer.text


def test_old_rows_go(shop: Shop) -> None:
    """Rows done longer than `storage.retention_days` ago are removed; dead letters stay."""
    told = shop.post([shop.purchase(1), shop.purchase(2, "ACR99")]).json()
    service = shop.gateway.service
    assert service is not None
    later = now_ms() + 31 * 86_400_000
    assert asyncio.run(Retention(service.store, service.runtime, lambda: later).sweep()) >= 1
    kept = shop.get(told["id"]).json()
    assert kept["processed"] == []
    assert kept["failed"] == told["failed"]


def test_what_is_counted_and_logged(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Metrics have the connection, the kind and a fixed word; neither they nor the log hold what a row holds."""
    shop.break_rows('"POS-1"', code="InternalServerErrorException", description="Row of Secret Person")
    shop.post([shop.purchase(1), shop.purchase(2, "ACR99", description="Secret Person")])
    metrics = shop.gateway.http.get("/metrics", headers=OPERATOR).text
    counted = {line for line in metrics.splitlines() if line.startswith("gateway_customer_events_total{")}
    label = 'gateway_customer_events_total{connection="globex",kind="purchases",outcome='
    assert counted == {f'{label}"ok"}} 1.0', f'{label}"row_failed"}} 1.0', f'{label}"row_refused"}} 1.0'}
    output = capsys.readouterr()
    assert "ACR99" not in metrics
    for private in ("Secret Person", "ACR99", "POS-1"):
        assert private not in output.out + output.err


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "gateway:events"}, 404),
        ({"scope": "gateway:export gateway:feed gateway:webhooks"}, 403),
        ({"scope": "gateway:events", "connections": ["acme"]}, 403),
    ],
)
def test_a_jwt_needs_the_scope_of_events(
    upstream: Any, issuer: str, token: Any, tmp_path: Path, claims: dict[str, Any], status: int
) -> None:
    """403 for a genuine token without `gateway:events` or for another connection, for both methods."""
    auth = {"globex": {"auth": auth_of(issuer)}}
    with (
        running_gateway(configuration(upstream.url, tmp_path, connections=auth)) as gateway,
        client(gateway.url, headers={"Authorization": f"Bearer {token(**claims)}"}) as http,
    ):
        assert http.get(f"{EVENTS}/evt_1").status_code == status
        assert http.post(EVENTS, json=[]).status_code == (422 if status == 404 else status)
