"""`gateway sync --to aixon`: one cell, changed rows only, new columns behind the old ones."""

import asyncio
import sqlite3
from hashlib import sha256
from typing import Any

import pytest

from adapters.contract import RemoteError
from gateway.clock import now_ms
from gateway.runtime import open_connection
from gateway.settings import load
from gateway.store import Store
from gateway.store.sync_runs import Wanted
from gateway.sync.held_run import held
from gateway.sync.order import Order, SyncStopped
from gateway.sync.patience import Patience
from gateway.sync.progress import Counts
from gateway.sync.to_aixon import AixonSync
from tests.gateway.sync.conftest import Heard, World


def cell(world: World) -> dict[str, Any]:
    """The one cell that Aixon has."""
    (found,) = world.upstream.records("aixon").values()
    return dict(found)


def uploads(world: World) -> list[str]:
    """The methods of the uploads that Aixon has had."""
    return [line.split(" ")[0] for line in world.writes("aixon")]


def test_a_first_run_makes_the_cell_and_a_second_sends_nothing(world: World) -> None:
    """250 rows in one create, by the document's columns; then nothing; then the one that changed."""
    world.crm.add_customers(250)
    found = world.summary("--to", "aixon")
    assert (found["code"], found["to"], found["created"], found["failed"]) == (0, "aixon", 250, 0)
    held = cell(world)
    assert len(held["rows"]) == 250
    row = held["rows"][world.ids()[11]]
    assert row["customuid"] == world.ids()[11]
    assert row["emailsha256"] == sha256(b"info@customer000011.example").hexdigest()
    assert (row["txt_city"], row["txt_country"], row["num_employees"]) == ("Oulu", "FI", 10)
    assert (row["goal_purchase_won"], row["attr_labels"]) == (1, "Newsletter")
    assert uploads(world) == ["PUT"]
    assert world.summary("--to", "aixon")["unchanged"] == 250
    assert uploads(world) == ["PUT"]
    changed = {"customer": world.ids()[3], "set": {"industryName": "Mining"}}
    world.upstream.http.post("/apptivo/_webhook", json=changed).raise_for_status()
    found = world.summary("--to", "aixon")
    assert (found["updated"], found["unchanged"], found["created"]) == (1, 249, 0)
    assert uploads(world) == ["PUT", "PATCH"]


def test_a_new_column_goes_behind_the_old_ones(world: World) -> None:
    """A column more in the configuration: every row is sent once more, by PUT, the old columns in their places."""
    world.crm.add_customers(20)
    world.summary("--to", "aixon")
    before = cell(world)["header"]
    world.configure(aixon={"columns": {"txt_name": "name"}})
    assert world.summary("--to", "aixon")["updated"] == 20
    assert cell(world)["header"] == [*before, "txt_name"]
    assert uploads(world) == ["PUT", "PUT"]
    assert world.summary("--to", "aixon")["unchanged"] == 20


def test_a_row_that_breaks_a_rule_is_told(world: World) -> None:
    """It is not sent, exit 1; the others are."""
    world.crm.add_customers(5)
    world.crm.tables["customers"][2]["labels"] = [{"labelName": "x"}]
    world.configure(aixon={"columns": {"num_bad": "labels[?@ == 'x'] | [0]"}})
    code, customers, summary = world.report("--to", "aixon")
    assert (code, summary["created"], summary["failed"]) == (1, 4, 1)
    (told,) = customers
    assert (told["record_id"], told["reason"]) == (world.ids()[2], "invalid")
    assert told["detail"].startswith("num_bad: ")


def test_a_dry_run_uploads_nothing(world: World) -> None:
    """It tells the numbers."""
    world.crm.add_customers(5)
    assert world.summary("--to", "aixon", "--dry-run")["created"] == 5
    assert uploads(world) == []
    assert world.summary("--to", "aixon")["created"] == 5


def test_an_upload_that_fails_is_sent_by_the_next_run(world: World) -> None:
    """Rows that Aixon did not take are not taken for sent."""
    world.crm.add_customers(5)
    world.upstream.fault("aixon", "500", match="PUT")
    with pytest.raises(SyncStopped):
        world.patiently(Order("acme", "aixon"))
    world.upstream.heal("aixon")
    counts, _heard = world.patiently(Order("acme", "aixon"))
    assert (counts.created, len(world.upstream.records("aixon"))) == (5, 1)


def test_a_create_without_an_answer_makes_no_second_cell(world: World) -> None:
    """The cell that Aixon made is found in its list."""
    world.crm.add_customers(5)
    world.upstream.fault("aixon", "lost_reply", match="PUT", times=1)
    counts, _heard = world.patiently(Order("acme", "aixon"))
    assert counts.created == 5
    assert len(cell(world)["rows"]) == 5


def test_rows_of_the_bodies_that_were_taken_are_not_sent_again(world: World) -> None:
    """Of several bodies the second fails: the next run sends what was in it and behind it, and nothing else."""
    world.crm.add_customers(100)
    world.upstream.fault("aixon", "500", match="PATCH")
    with pytest.raises(RemoteError):
        asyncio.run(in_small_bodies(world))
    before = {row["customuid"] for row in cell(world)["rows"].values()}
    assert 0 < len(before) < 100
    world.upstream.heal("aixon")
    counts = asyncio.run(in_small_bodies(world))
    assert (counts.unchanged, counts.created) == (len(before), 100 - len(before))
    assert len(cell(world)["rows"]) == 100
    assert world.summary("--to", "aixon")["unchanged"] == 100


async def in_small_bodies(world: World) -> Counts:
    """A run whose bodies have at most 8,000 bytes."""
    settings = load(world.config)
    store = Store(settings.storage.url)
    store.open()
    live = open_connection(settings.connections["acme"])
    heard, order = Heard(), Order("acme", "aixon")
    try:
        async with held(store, now_ms, order.scope, Wanted(first_phase="customers", continues=False)) as run:
            await AixonSync(run, live, order, Patience(pause=heard.pause), heard, max_body_bytes=8_000).work()
            return run.counts
    finally:
        await live.close(patience=0)
        store.close()


def test_a_cell_that_is_gone_needs_full(world: World) -> None:
    """Without --full it is an error that says so; with it a new cell is made."""
    world.crm.add_customers(3)
    world.summary("--to", "aixon")
    world.upstream.http.post("/aixon/_reset").raise_for_status()
    world.upstream.http.post("/apptivo/_webhook", json={"customer": world.ids()[0], "set": {"industryName": "Mining"}})
    ended = world.sync("--to", "aixon")
    assert ended.returncode == 1
    assert "sync with --full" in ended.stderr
    assert world.summary("--to", "aixon", "--full")["code"] == 0
    assert len(cell(world)["rows"]) == 3


def test_deletions_are_told_once(world: World) -> None:
    """Aixon deletes no customers: it is told, --delete is wrong use, and the next run is silent."""
    world.crm.add_customers(4)
    world.summary("--to", "aixon")
    world.delete_customers(world.ids()[0])
    assert world.summary("--to", "aixon")["gone"] == 1
    assert world.summary("--to", "aixon")["gone"] == 0
    assert world.sync("--to", "aixon", "--delete").returncode == 2


def test_both_targets_are_remembered_apart(world: World) -> None:
    """What Vainu has says nothing about Aixon."""
    world.crm.add_customers(3)
    assert world.summary()["created"] == 3
    assert world.summary("--to", "aixon")["created"] == 3
    with sqlite3.connect(world.folder / "gateway.db") as store:
        targets = store.execute("SELECT target, count(*) FROM sync_records GROUP BY target ORDER BY target").fetchall()
    store.close()
    assert targets == [("aixon", 3), ("vainu", 3)]
