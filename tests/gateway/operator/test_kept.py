"""How long what operators look at is kept, and that a backup has it."""

import asyncio
from pathlib import Path

from sqlalchemy import Connection

from gateway.retention import AUDIT_DAYS, Retention
from gateway.runtime import Runtime
from gateway.settings import read
from gateway.store import Store, audit, history
from gateway.store.audit import NewEntry
from gateway.store.backup import back_up, verified
from gateway.store.history import Slot, Tally
from tests.harness import configuration

DAY = 86_400_000
NOW = 1_780_012_800_000
DID = NewEntry("token 14265c6f61ea", "replay", "delivery 1", "192.0.2.7", "done", "")


def fill(connection: Connection) -> None:
    """History and audit log of today, of a month and a day ago, and of more than a year ago."""
    for days in (0, 31, AUDIT_DAYS + 1):
        at = NOW - days * DAY
        history.add(connection, {Slot(at - at % 60_000, "acme", "feed"): Tally(count=1)}, {"acme": 7}, at - at % 60_000)
        audit.append(connection, DID, at)


def test_history_goes_with_the_retention_and_the_audit_log_after_a_year(store_url: str, tmp_path: Path) -> None:
    """`storage.retention_days` bounds the history; the audit log is kept for a year at least."""
    runtime = Runtime(read(configuration("http://127.0.0.1:9", tmp_path)))
    store = Store(store_url)
    store.open()

    async def sweep() -> tuple[list[int], list[int]]:
        await store.write(fill)
        await Retention(store, runtime, lambda: NOW).sweep()
        left = await store.read(lambda c: history.intervals(c, 0, NOW + DAY, 60_000))
        entries = await store.read(lambda c: audit.page(c, 10))
        return [(NOW - each.begins) // DAY for each in left], [(NOW - each.at) // DAY for each in entries]

    try:
        assert asyncio.run(sweep()) == ([0], [31, 0])
    finally:
        store.close()


def test_a_backup_has_history_and_audit_log(tmp_path: Path) -> None:
    """Row for row."""
    file = tmp_path / "gateway.db"
    store = Store(f"sqlite:///{file}")
    store.open()
    asyncio.run(store.write(fill))
    store.close()

    back_up(file, tmp_path / "backup.db", replace=False)
    rows = verified(tmp_path / "backup.db").rows
    assert {name: rows[name] for name in ("history", "history_backlog", "history_errors", "audit_log")} == {
        "history": 3,
        "history_backlog": 3,
        "history_errors": 0,
        "audit_log": 3,
    }


def test_what_is_too_long_is_cut(store_url: str) -> None:
    """An entry is kept whatever somebody puts into it."""
    store = Store(store_url)
    store.open()
    try:
        huge = NewEntry(*(["\x00ä" * 5_000] * 6))
        asyncio.run(store.write(lambda c: audit.append(c, huge, NOW)))
        (kept,) = asyncio.run(store.read(lambda c: audit.page(c, 10)))
        assert (len(kept.who), len(kept.action), "\x00" in kept.detail) == (320, 32, False)
    finally:
        store.close()
