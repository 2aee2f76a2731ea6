"""A connection that is taken out of the configuration: its work waits, is seen, and goes on when it is back."""

from pathlib import Path
from typing import Any

import httpx

from tests.gateway.cli.conftest import Command
from tests.gateway.deliveries.conftest import HOOK_KEY
from tests.harness import OPERATOR, Upstream, gateway_process, merged, toml, wait_until


def test_work_of_a_removed_connection_waits_and_goes_on(
    upstream: Upstream, document: dict[str, Any], tmp_path: Path, command: Command
) -> None:
    """HUP without it: health, metrics and the command line show what waits; HUP with it: the work is done."""
    patient = merged(document, {"connections": {"acme": {"deliveries": {"max_attempts": 24}}}})
    with gateway_process(patient, tmp_path) as process:
        gateway = process.start()
        unique_id = gateway.push("acme", {"company_name": "Waiting Oy", "country": "FI"}).json()["unique_id"]
        upstream.fault("vainu", "503")
        hook = httpx.post(
            f"{gateway.url}/crm/acme/webhooks",
            json={"customerId": unique_id},
            headers={"API-Key": HOOK_KEY},
            trust_env=False,
        )
        assert hook.status_code == 202

        def put(changed: dict[str, Any]) -> None:
            before = process.log.read_text().count("config.reloaded")
            process.config.write_text(toml(changed), encoding="utf-8")
            process.hang_up()
            wait_until(lambda: process.log.read_text().count("config.reloaded") > before, "reloaded")

        put(merged(patient, {"connections": {"acme": None}}))

        def backlog() -> str:
            ready = gateway.http.get("/health/ready")
            assert ready.status_code == 200
            return str(ready.json()["checks"]["backlog"].get("detail", ""))

        waits = "work waits for connections that the configuration does not have: acme (1)"
        wait_until(lambda: backlog() == waits, "health tells of it")
        metrics = gateway.http.get("/metrics", headers=OPERATOR).text
        assert 'gateway_deliveries{connection="acme",state="pending"} 1.0' in metrics
        listed = command("deliveries", "list", "--connection", "acme", "--config", str(process.config))
        assert listed.returncode == 0
        assert "acme is not in the configuration: its work waits until it is back" in listed.stdout
        shown = command("deliveries", "show", hook.json()["id"], "--config", str(process.config))
        assert 'the configuration has no connection "acme". Put it back, and it goes on.' in shown.stdout

        upstream.heal("vainu")
        put(patient)

        def counts() -> str:
            done = command(
                "deliveries", "list", "--state", "done", "--kind", "crm_webhook", "--config", str(process.config)
            )
            return done.stdout

        wait_until(lambda: "1 done" in counts(), "the work is done")
        wait_until(lambda: not backlog(), "health tells of it no more")
