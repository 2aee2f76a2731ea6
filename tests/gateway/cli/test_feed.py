"""`gateway feed`: what Vainu would get, and what was left out and why."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.vainu.samples import samples
from tests.harness import Gateway, Upstream, run_command


@pytest.mark.parametrize("connection", ["acme", "globex"])
def test_the_same_as_vainu_gets(gateway: Gateway, config: Path, connection: str) -> None:
    """--json is the HTTP answer's body, byte for byte, on stdout alone."""
    unique_id = gateway.push(connection, samples()["samlink"].push_body()).json()["unique_id"]
    gateway.feed(connection, unique_id)
    ended = run_command("feed", connection, unique_id, "--json", "--config", str(config))
    answer = gateway.feed(connection, unique_id)
    assert ended.returncode == 0
    assert answer.text == ended.stdout.removesuffix("\n")
    assert len(json.loads(ended.stdout)) > 10


def test_as_a_table(command: Any, gateway: Gateway, config: Path) -> None:
    """For a person: a line an event, newest first, nothing cut short in a pipe; refused events on stderr with why."""
    unique_id = gateway.push("acme", {"company_name": "Aalto Oy", "country": "FI"}).json()["unique_id"]
    ended = command("feed", "acme", unique_id, "--config", str(config))
    events = gateway.feed("acme", unique_id)
    title, _headings, *rows = ended.stdout.splitlines()
    assert ended.returncode == 0
    assert title.strip() == f"acme · {unique_id} · {len(events.json())} events"
    assert [event["timestamp"][:10] for event in events.json()] == [row[:10] for row in rows]
    assert "12,000 EUR  20 %" in ended.stdout
    assert "…" not in ended.stdout
    assert len(ended.stderr.splitlines()) == int(events.headers.get("Gateway-Rejected-Events", 0))
    assert all(line.startswith("left out: apptivo-") for line in ended.stderr.splitlines())


def test_what_was_left_out(command: Any, gateway: Gateway, upstream: Upstream, config: Path) -> None:
    """A source that fails is named beside the feed, as the HTTP answer names it in Gateway-Partial, and with why."""
    unique_id = gateway.push("acme", {"company_name": "Aalto Oy", "country": "FI"}).json()["unique_id"]
    upstream.fault("apptivo", "500", match="/note")
    ended = command("feed", "acme", unique_id, "--json", "--config", str(config))
    assert ended.returncode == 0
    assert json.loads(ended.stdout)
    missing = [line for line in ended.stderr.splitlines() if line.startswith("missing source: ")]
    assert len(missing) == 1
    assert missing[0].startswith("missing source: notes (error): apptivo answered 500")


def test_nothing_to_show(command: Any, upstream: Upstream, config: Path) -> None:
    """An id that nobody knows is work that failed; a connection that nobody knows is wrong use."""
    unknown = command("feed", "acme", "no-such-id", "--config", str(config))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == 'gateway: neither the gateway nor the CRM of "acme" has a customer no-such-id\n'
    upstream.fault("apptivo", "500")
    broken = command("feed", "acme", "no-such-id", "--json", "--config", str(config))
    assert (broken.returncode, broken.stdout) == (1, "")
    assert len(broken.stderr.splitlines()) == 1
    wrong = command("feed", "acne", "no-such-id", "--config", str(config))
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == 'gateway: unknown connection "acne"; the configuration has acme, globex\n'


def test_a_table_is_no_wider_than_asked(command: Any, gateway: Gateway, config: Path) -> None:
    """In a narrow window the text is cut, never a column lost."""
    unique_id = gateway.push("acme", {"company_name": "Aalto Oy", "country": "FI"}).json()["unique_id"]
    ended = command("feed", "acme", unique_id, "--config", str(config), environ={"COLUMNS": "80"})
    lines = ended.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert all(word in lines[1] for word in ("when (UTC)", "type", "what", "who"))
    assert "12,000 EUR  20 %" in ended.stdout
