"""`gateway backup` and `gateway restore`: a verified copy while the service works, put back while it does not."""

import itertools
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.cli.conftest import Command
from tests.harness import Gateway, Upstream, configuration, merged, running_gateway, toml


def push(gateway: Gateway, name: str) -> str:
    answer = gateway.push("acme", {"company_name": name, "country": "FI"})
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["unique_id"])


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def rows(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {
            table: store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names of this test
            for table in ("companies", "exports", "deliveries")
        }


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


def test_a_backup_under_load_is_whole_and_can_be_restored(
    document: dict[str, Any], config: Path, target: Path, tmp_path: Path, command: Command
) -> None:
    """Taken while exports come in, it holds all that was answered before it began; restored, the company is known."""
    stop, failures = threading.Event(), []

    def load(gateway: Gateway) -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            if gateway.push("acme", {"company_name": f"Load {number} Oy"}).status_code not in (200, 201):
                failures.append(number)

    with running_gateway(document) as gateway:
        unique_id = push(gateway, "Before Oy")
        thread = threading.Thread(target=load, args=(gateway,))
        thread.start()
        try:
            done = command("backup", str(target), "--config", str(config))
        finally:
            stop.set()
            thread.join()
        after = push(gateway, "After Oy")
    assert (done.returncode, failures) == (0, [])
    assert "verified" in done.stdout
    assert (mode(target), mode(tmp_path / "gateway.db")) == (0o600, 0o600)
    assert rows(target)["companies"] >= 1

    restored = command("restore", str(target), "--config", str(config))

    assert restored.returncode == 0, restored.stderr
    assert rows(tmp_path / "gateway.db") == rows(target)
    (kept,) = tmp_path.glob("gateway.db.replaced-*")
    assert mode(kept) == 0o600
    assert str(kept) in restored.stdout
    with running_gateway(document) as gateway:
        assert push(gateway, "Before Oy") == unique_id
        assert push(gateway, "After Oy") == after, "found again in the CRM by searching"


def test_a_restore_over_a_running_gateway_is_refused(
    document: dict[str, Any], config: Path, target: Path, command: Command
) -> None:
    """Exit code 1, a line that says what to do, and the gateway goes on as if nothing had been."""
    with running_gateway(document) as gateway:
        push(gateway, "One Oy")
        assert command("backup", str(target), "--config", str(config)).returncode == 0
        push(gateway, "Two Oy")
        refused = command("restore", str(target), "--config", str(config))
        assert refused.returncode == 1
        assert "a gateway uses" in refused.stderr
        assert "stop it first" in refused.stderr
        push(gateway, "Three Oy")
    assert rows(config.parent / "gateway.db")["companies"] == 3


def test_a_backup_overwrites_only_when_told(
    document: dict[str, Any], config: Path, target: Path, command: Command
) -> None:
    """An existing file is kept: exit code 2; with --force it is replaced, whole."""
    with running_gateway(document) as gateway:
        push(gateway, "One Oy")
    target.write_text("something dear")

    refused = command("backup", str(target), "--config", str(config))
    assert (refused.returncode, target.read_text()) == (2, "something dear")
    assert "--force" in refused.stderr

    assert command("backup", str(target), "--force", "--config", str(config)).returncode == 0
    assert (rows(target)["companies"], mode(target)) == (1, 0o600)


@pytest.mark.parametrize("damage", ["nothing in it", "no database", "another database", "cut", "turned bits"])
def test_a_bad_backup_is_refused_before_anything_is_touched(
    document: dict[str, Any], config: Path, target: Path, command: Command, damage: str
) -> None:
    """What is no sound copy of a store is refused, and the store stays as it was."""
    with running_gateway(document) as gateway:
        push(gateway, "One Oy")
    assert command("backup", str(target), "--config", str(config)).returncode == 0
    good = target.read_bytes()
    if damage == "another database":
        target.unlink()
        with sqlite3.connect(target) as other:
            other.execute("CREATE TABLE pets (name TEXT)")
        other.close()
    else:
        half = len(good) // 2
        spoiled = {
            "nothing in it": b"",
            "no database": b"x" * 10_000,
            "cut": good[:half],
            "turned bits": good[:8_192] + bytes(byte ^ 0xFF for byte in good[8_192:half]) + good[half:],
        }
        target.write_bytes(spoiled[damage])

    refused = command("restore", str(target), "--config", str(config))

    assert refused.returncode == 1, refused.stdout
    assert str(target) in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 2
    assert rows(config.parent / "gateway.db")["companies"] == 1
    assert list(config.parent.glob("*.replaced-*")) == []


def test_a_lost_store_is_made_anew_from_its_backup(
    document: dict[str, Any], config: Path, target: Path, command: Command
) -> None:
    """Where no store is left the backup takes its place, for its owner only, and the gateway starts on it."""
    with running_gateway(document) as gateway:
        unique_id = push(gateway, "One Oy")
    assert command("backup", str(target), "--config", str(config)).returncode == 0
    for part in config.parent.glob("gateway.db*"):
        part.unlink()

    assert command("restore", str(target), "--config", str(config)).returncode == 0

    assert mode(config.parent / "gateway.db") == 0o600
    with running_gateway(document) as gateway:
        assert push(gateway, "One Oy") == unique_id


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("restore", "nowhere.db"), 2, "is no file"),
        (("backup", "copy.db"), 1, "there is no store"),
    ],
)
def test_what_is_missing_is_told(
    config: Path, command: Command, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """A line that names what is not there."""
    done = command(*arguments, "--config", str(config), folder=config.parent)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert list(config.parent.glob("*.db*")) == []


def test_the_store_itself_is_no_target_and_no_source(document: dict[str, Any], config: Path, command: Command) -> None:
    """Naming the store's own file is wrong use, not an empty store."""
    with running_gateway(document) as gateway:
        push(gateway, "One Oy")
    store = str(config.parent / "gateway.db")
    for arguments in (("backup", store, "--force"), ("restore", store)):
        done = command(*arguments, "--config", str(config))
        assert (done.returncode, "the store itself" in done.stderr) == (2, True)
    assert rows(Path(store))["companies"] == 1


def test_a_folder_that_cannot_be_written_is_told(
    document: dict[str, Any], config: Path, tmp_path: Path, command: Command
) -> None:
    """Exit code 1 and the reason, and no half a file stays behind."""
    with running_gateway(document) as gateway:
        push(gateway, "One Oy")
    done = command("backup", str(tmp_path / "nowhere" / "copy.db"), "--config", str(config))
    assert done.returncode == 1
    assert "failed" in done.stderr
    assert list(tmp_path.glob("**/*.partial")) == []


@pytest.mark.parametrize(("name", "tool"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_postgresql_has_its_own_tools(
    upstream: Upstream, tmp_path: Path, command: Command, name: str, tool: str
) -> None:
    """With PostgreSQL the commands name the tool to use instead, and never a password."""
    document = merged(
        configuration(upstream.url, tmp_path), {"storage": {"url": "postgresql://gateway:dark-word@localhost/x"}}
    )
    config = tmp_path / "gateway.toml"
    config.write_text(toml(document))
    (tmp_path / "copy.db").write_text("x")
    done = command(name, "copy.db", "--config", str(config), folder=tmp_path)
    assert (done.returncode, tool in done.stderr) == (2, True)
    assert "dark-word" not in done.stderr
