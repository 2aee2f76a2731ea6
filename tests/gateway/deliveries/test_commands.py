"""`gateway deliveries`, as a person uses it: what is there, why it failed, and once more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.cli.conftest import Command
from tests.gateway.deliveries.conftest import HOOK_KEY
from tests.harness import Gateway, Upstream, running_gateway, wait_until


@pytest.fixture
def gateway(document: dict[str, Any]) -> Iterator[Gateway]:
    with running_gateway(document) as running:
        yield running


def push(gateway: Gateway, name: str) -> httpx.Response:
    return gateway.push("acme", {"company_name": name, "country": "FI"})


def dead(gateway: Gateway, upstream: Upstream, *names: str) -> None:
    """Exports that gave up, because the CRM broke at every attempt."""
    upstream.fault("apptivo", "500")
    ids = [push(gateway, name).json()["export_id"] for name in names]
    for each in ids:
        wait_until(lambda each=each: gateway.standing("acme", each)["status"] == "dead", "it gives up")
    upstream.heal("apptivo")


def test_a_dead_letter_is_listed_shown_and_replayed(
    gateway: Gateway, upstream: Upstream, config: Path, command: Command
) -> None:
    """List names the reason, show the attempts and what to do, replay does it once the cause is mended."""
    dead(gateway, upstream, "Dead Oy")

    listed = command("deliveries", "list", "--state", "dead", "--config", str(config), environ={"COLUMNS": "160"})
    assert listed.returncode == 0
    assert "server_fault" in listed.stdout
    assert "Dead Oy" in listed.stdout, "under about: nobody knows companies by our ids"
    assert "1 dead" in listed.stdout
    (entry,) = json.loads(command("deliveries", "list", "--json", "--config", str(config)).stdout)
    assert (entry["state"], entry["kind"], entry["attempts"]) == ("dead", "export", 2)
    assert entry["company_name"] == "Dead Oy"

    shown = command("deliveries", "show", str(entry["id"]), "--config", str(config)).stdout
    assert "It gave up: a dead letter, kept, shown, and can be replayed." in shown
    assert "ask those who run it, then replay" in shown
    assert "Dead Oy" in shown, "the push itself"

    replayed = command("deliveries", "replay", str(entry["id"]), "--config", str(config))
    assert (replayed.returncode, "1 delivery replayed" in replayed.stdout) == (0, True)

    def detail() -> dict[str, Any]:
        found = command("deliveries", "show", str(entry["id"]), "--json", "--config", str(config))
        return dict(json.loads(found.stdout))

    wait_until(lambda: detail()["state"] == "done", "the replay is done")
    assert [attempt["outcome"] for attempt in detail()["timeline"]] == ["server_fault", "server_fault", "ok"]
    assert detail()["replayable"] is True
    assert [row["customerName"] for row in upstream.records("apptivo")["customers"]] == ["Dead Oy"]


def test_people_are_not_shown(gateway: Gateway, config: Path, command: Command) -> None:
    """A terminal and what is piped from it tell no more of people than the console does."""
    contact = {"name": "Zacharias Quistgaard", "email": "zacharias@example.com", "phone": "+358401234567"}
    gateway.push("acme", {"company_name": "Seen Oy", "contacts": [contact], "notes": "ask zacharias@example.com"})
    for option in ([], ["--json"]):
        shown = command("deliveries", "show", "1", *option, "--config", str(config)).stdout
        assert "Seen Oy" in shown and "[personal]" in shown
        assert not [word for word in (*contact.values(), "zacharias") if word in shown]


def test_a_dry_run_changes_nothing(gateway: Gateway, upstream: Upstream, config: Path, command: Command) -> None:
    """It counts and lists what would be replayed, by the same options, and leaves the dead letters dead."""
    dead(gateway, upstream, "One Oy", "Two Oy")

    def replay(*options: str) -> str:
        done = command("deliveries", "replay", *options, "--config", str(config))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "2 deliveries would be replayed; nothing was changed" in replay("--all", "--dry-run")
    assert "2 deliveries would be replayed" in replay("--since", "1h", "--dry-run")
    assert "nothing to replay" in replay("--until", "1h", "--dry-run")
    assert "2 deliveries would be replayed" in replay("--reason", "server_fault", "--dry-run")
    assert "nothing to replay" in replay("--reason", "timeout", "--dry-run")
    assert "nothing to replay" in replay("--connection", "globex", "--dry-run")
    assert "2 dead" in command("deliveries", "list", "--config", str(config)).stdout
    assert "2 deliveries replayed" in replay("--connection", "acme", "--since", "1h")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay",), "which ones?"),
        (("replay", "--state", "done"), "that is every delivery that is done"),
        (("replay", "--state", "running"), "only dead, done, ignored can be replayed"),
        (("replay", "1", "--all"), "not both"),
        (("list", "--state", "lost"), "expected one of pending, running, done, dead, ignored"),
        (("list", "--since", "yesterday"), "--since yesterday: expected 2h"),
        (("list", "--connection", "nobody"), "nobody"),
        (("show", "seven"), "expected a delivery's number"),
    ],
)
@pytest.mark.usefixtures("gateway")
def test_wrong_use_is_told_in_a_line(config: Path, command: Command, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, and what to write instead."""
    done = command("deliveries", *arguments, "--config", str(config))
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


@pytest.mark.usefixtures("gateway")
def test_what_is_not_there_fails_the_work(config: Path, command: Command) -> None:
    """An unknown number is exit code 1, in show and in replay; the others are replayed all the same."""
    assert command("deliveries", "show", "4711", "--config", str(config)).returncode == 1
    done = command("deliveries", "replay", "4711", "--config", str(config))
    assert (done.returncode, "no delivery 4711" in done.stderr) == (1, True)


def test_before_the_first_start_there_is_nothing(config: Path, command: Command) -> None:
    """Without a store the commands say that there is nothing, and make none."""
    listed = command("deliveries", "list", "--config", str(config))
    assert (listed.returncode, listed.stdout.strip()) == (0, "no deliveries")
    assert not (config.parent / "gateway.db").exists()


def test_a_webhook_about_a_deleted_customer_is_ignored_as_gone(
    gateway: Gateway, config: Path, command: Command
) -> None:
    """Nobody can mend it, so it is no dead letter; what is kept says what happened."""
    hook = httpx.post(
        f"{gateway.url}/crm/acme/webhooks", json={"customerId": 99}, headers={"API-Key": HOOK_KEY}, trust_env=False
    )
    assert hook.status_code == 202

    def shown() -> dict[str, Any]:
        done = command("deliveries", "show", hook.json()["id"], "--json", "--config", str(config))
        return dict(json.loads(done.stdout))

    wait_until(lambda: shown()["state"] not in ("pending", "running"), "it ends")
    found = shown()
    assert (found["state"], found["reason"], found["attempts"]) == ("ignored", "gone", 1)
    assert "the CRM has no such record any more" in found["what_to_do"]


def test_a_webhook_id_names_the_message_whoever_proves_itself_by_a_key(gateway: Gateway) -> None:
    """Behind an API key, too, the same webhook-id is a repeat and another is not, whatever the body."""

    def sent(message_id: str | None, body: dict[str, int]) -> tuple[int, bool]:
        headers = {"API-Key": HOOK_KEY} | ({"webhook-id": message_id} if message_id else {})
        answer = httpx.post(f"{gateway.url}/crm/acme/webhooks", json=body, headers=headers, trust_env=False)
        return answer.status_code, answer.json()["duplicate"]

    assert sent("one", {"customerId": 1}) == (202, False)
    assert sent("one", {"customerId": 2}) == (200, True)
    assert sent("two", {"customerId": 1}) == (202, False)
    assert sent(None, {"customerId": 1}) == (202, False)
    assert sent(None, {"customerId": 1}) == (200, True)
