"""A whole gateway with `storage.encryption_key`: a day's traffic works, and its files tell nothing of anybody."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.store import StoreUnavailable
from tests.gateway.cli.conftest import Command, command
from tests.gateway.events.conftest import purchase
from tests.gateway.webhooks.conftest import SECRET, send
from tests.gateway.webhooks.test_company_changes import change
from tests.harness import OPERATOR, Gateway, Upstream, configuration, running_gateway, toml, wait_until

__all__ = ["command"]
KEY, NEW_KEY = "11" * 32, "22" * 32
PLANTED = "Planted-Virtanen"
CONTACT = {"first_name": "Aino", "last_name": PLANTED, "email": f"{PLANTED}@example.com"}


@pytest.fixture
def document(upstream: Upstream, tmp_path: Path) -> dict[str, Any]:
    hooks = {"hmac": [{"secret": SECRET}]}
    return configuration(
        upstream.url,
        tmp_path,
        storage={"encryption_key": KEY},
        connections={"acme": {"webhooks": hooks}, "globex": {"webhooks": hooks}},
    )


@pytest.fixture
def sealed(document: dict[str, Any]) -> Iterator[Gateway]:
    with running_gateway(document) as running:
        yield running


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.db*"))


def unfinished(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "gateway.db")) as store:
        found = store.execute("SELECT count(*) FROM deliveries WHERE state IN ('pending', 'running')").fetchone()
    return int(found[0])


def a_day(gateway: Gateway) -> str:
    """An export, both kinds of webhook, customer events; the export's id."""
    pushed = gateway.push("acme", {"company_name": "Sealed Oy", "contacts": [CONTACT]}, params={"note": PLANTED})
    assert pushed.status_code in (200, 201), pushed.text
    told = change(pushed.json()["unique_id"], notes=PLANTED)
    assert gateway.http.post("/vainu/acme/webhooks", json=told).status_code == 202
    body = {"customerId": pushed.json()["unique_id"], "note": PLANTED}
    assert send(gateway, body).status_code == 202
    events = gateway.http.post("/crm/globex/customer-events/purchases", json=[purchase(1, PLANTED)])
    assert events.status_code in (200, 202), events.text
    return str(pushed.json()["export_id"])


def test_a_day_leaves_no_clear_text(sealed: Gateway, upstream: Upstream, tmp_path: Path) -> None:
    """Exports, webhooks of both kinds and customer events are worked on; no file of the store holds a name in clear."""
    export_id = a_day(sealed)
    assert sealed.standing("acme", export_id)["status"] == "created"
    wait_until(lambda: unfinished(tmp_path) == 0, "the day's work is done")
    assert PLANTED.encode() in json.dumps(upstream.records("apptivo")).encode()
    assert PLANTED.encode() not in files(tmp_path)


def test_operators_read_what_is_sealed(sealed: Gateway) -> None:
    """The operators' side shows bodies, details and results as they were written, in lists and one by one."""
    export_id = a_day(sealed)
    for path in (f"/api/exports/{export_id}", "/api/exports", "/api/deliveries", "/api/webhooks", "/api/dead-letters"):
        answer = sealed.http.get(path, headers=OPERATOR)
        assert answer.status_code == 200, answer.text
        assert "\x01g1" not in answer.text
        assert "u0001g1" not in answer.text
    shown = sealed.http.get(f"/api/exports/{export_id}", headers=OPERATOR).text
    assert PLANTED in shown


def test_a_backup_stays_sealed_and_is_restored_with_its_key(
    document: dict[str, Any], tmp_path: Path, command: Command
) -> None:
    """A backup holds no clear text; restored after a rotation it works while the old key is at hand."""
    config = tmp_path / "gateway.toml"
    config.write_text(toml(document), encoding="utf-8")
    with running_gateway(document) as gateway:
        export_id = a_day(gateway)
        assert command("backup", str(tmp_path / "copy.db"), "--config", str(config)).returncode == 0
    assert PLANTED.encode() not in files(tmp_path)
    assert command("restore", str(tmp_path / "copy.db"), "--config", str(config)).returncode == 0

    document["storage"]["encryption_key"] = NEW_KEY
    with pytest.raises(StoreUnavailable, match="previous_encryption_keys"), running_gateway(document):
        pass
    document["storage"]["previous_encryption_keys"] = [KEY]
    with running_gateway(document) as gateway:
        assert gateway.standing("acme", export_id)["status"] == "created"
        assert gateway.push("acme", {"company_name": "After Oy", "contacts": [CONTACT]}).status_code == 201
    assert PLANTED.encode() not in files(tmp_path)


def test_a_missing_key_is_one_plain_line(document: dict[str, Any], tmp_path: Path, command: Command) -> None:
    """`gateway serve` without the key exits 1 with one line that names the key's id and the setting."""
    with running_gateway(document):
        pass
    del document["storage"]["encryption_key"]
    config = tmp_path / "gateway.toml"
    config.write_text(toml(document), encoding="utf-8")
    done = command("serve", "--config", str(config), "--port", "0")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "storage.encryption_key" in done.stderr
