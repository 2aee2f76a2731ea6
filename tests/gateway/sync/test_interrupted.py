"""A sync that is killed goes on where it stopped, and there is only ever one of a connection at a time."""

import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.sync.order import Order
from gateway.sync.progress import Begun
from tests.gateway.sync.conftest import Heard, World
from tests.harness import wait_until

ROOT = Path(__file__).parents[3]


@pytest.fixture
def started(world: World):  # type: ignore[no-untyped-def]  # a fixture that yields a process
    """`gateway sync acme` in a process of its own, which waits for the CRM's third page."""
    world.crm.add_customers(450)
    third = "territoryType=MULTIPLE&sortColumn=customerName.sortable&sortDir=asc&startIndex=200"
    world.upstream.fault("apptivo", "delay", seconds=60, match=third)
    command = [sys.executable, "-m", "gateway", "sync", "acme", "--config", str(world.config)]
    # what runs in a shell's background ignores it, and hands that on
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    wait_until(lambda: any(third in call["query"] for call in world.upstream.calls("apptivo")), "two pages are there")
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_a_kill_in_the_middle(world: World, started: "subprocess.Popen[str]") -> None:
    """After kill -9 the next sync goes on at once, says so, and every customer is there once; a third sends nothing."""
    started.kill()
    started.wait(20)
    world.upstream.heal("apptivo")
    before = len(world.upstream.calls("apptivo"))
    ended = world.sync()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "continues the sync that began" in ended.stdout
    assert "after 200 customers" in ended.stdout
    pages = [call["query"] for call in world.upstream.calls("apptivo")[before:] if call["path"].endswith("customers")]
    assert not any("startIndex=0&" in query for query in pages)
    assert sorted(each["unique_id"] for each in world.customer_data()) == sorted(world.ids())
    writes = world.writes()
    assert world.summary()["unchanged"] == 450
    assert world.writes() == writes


def test_ctrl_c_and_full(world: World, started: "subprocess.Popen[str]") -> None:
    """Ctrl-C is one line and exit 1; --full begins anew instead of going on, and doubles nothing."""
    started.send_signal(signal.SIGINT)
    _out, err = started.communicate(timeout=20)
    assert (started.returncode, err) == (1, "gateway: interrupted\n")
    world.upstream.heal("apptivo")
    counts, heard = world.patiently(Order("acme", full=True))
    assert heard.begun_as is not None
    assert heard.begun_as.resumed is False
    assert (counts.created, counts.updated, len(world.customer_data())) == (250, 200, 450)


def test_two_at_once(world: World, started: "subprocess.Popen[str]") -> None:
    """The second is refused in one line that says what to do, and the first is not disturbed."""
    assert started.poll() is None
    ended = world.sync()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "by another process" in ended.stderr
    assert "only one at a time" in ended.stderr
    assert len(world.customer_data()) == 200


def test_a_store_that_is_held_for_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that keeps SQLite's write lock for longer than a write waits does not end the sync."""
    world.crm.add_customers(3)
    world.patiently(Order("acme"))
    world.upstream.http.post("/apptivo/_webhook", json={"customer": world.ids()[0], "deals": {"won": 1}})
    other = sqlite3.connect(world.folder / "gateway.db", isolation_level=None, check_same_thread=False)
    release = threading.Timer(2.5, lambda: other.execute("ROLLBACK"))

    def hold(_heard: Heard, _begun: Begun) -> None:
        other.execute("BEGIN IMMEDIATE")
        release.start()

    monkeypatch.setattr(Heard, "begun", hold)
    assert world.patiently(Order("acme"))[0].updated == 1
    release.join()
    other.close()


def killed_at(world: World, place: str, *options: str) -> None:
    """A sync whose process kills itself when it comes to this function of ours."""
    module, _, name = place.rpartition(".")
    module, _, owner = module.rpartition(".")
    script = (
        f"import os, signal, sys, {module} as module\n"
        "async def die(*given): os.kill(os.getpid(), signal.SIGKILL)\n"
        f"module.{owner}.{name} = die\n"
        "from gateway.cli import main\n"
        f"sys.argv = ['gateway', 'sync', 'acme', '--config', {str(world.config)!r}, *{options!r}]\n"
        "main()\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, timeout=50, check=False)
    assert killed.returncode == -signal.SIGKILL


def test_a_kill_during_a_batch_import(world: World) -> None:
    """The import that v1 of Vainu's API still works on bars every other: it is seen to its end, then the rest goes."""
    world.configure(vainu={"api_version": 1})
    customers = [
        world.customer("Oy Samlink Ab", "0970409-8"),
        world.customer("Norrsken Exempelverktyg AB", country="SE"),
    ]
    world.customer("Nobody Knows Oy")
    killed_at(world, "adapters.vainu.batch_imports.BatchImports.finish")
    assert world.upstream.records("vainu")["jobs"] != []
    counts, heard = world.patiently(Order("acme"))
    assert (counts.created, counts.updated, counts.failed, heard.pauses) == (0, 2, 1, [])
    assert sorted(each["unique_id"] for each in world.customer_data()) == sorted(customers)
    calls = len(world.upstream.calls("vainu"))
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.unchanged, counts.failed, counts.remembered) == (2, 1, 1)
    assert len(world.upstream.calls("vainu")) == calls


def test_a_kill_behind_refused_customers(world: World) -> None:
    """What was refused before the kill is told by the run that goes on, and by the next one; neither sends it again."""
    world.configure(vainu={"api_version": 1})
    world.crm.add_customers(130)
    killed_at(world, "gateway.sync.deletions.Deletions.look")
    calls = len(world.upstream.calls("vainu"))
    counts, heard = world.patiently(Order("acme"))
    assert heard.begun_as is not None
    assert (heard.begun_as.resumed, counts.customers, counts.failed, counts.remembered) == (True, 130, 130, 0)
    counts, heard = world.patiently(Order("acme"))
    assert (counts.customers, counts.failed, counts.remembered, len(heard.rows)) == (130, 130, 130, 130)
    assert len(world.upstream.calls("vainu")) == calls


def test_a_kill_in_the_middle_of_a_full_sync(world: World) -> None:
    """--full forgets every refusal as it begins: the run that goes on sends what the killed one had not."""
    world.configure(vainu={"api_version": 1})
    world.crm.add_customers(130)
    assert world.patiently(Order("acme"))[0].failed == 130
    killed_at(world, "adapters.vainu.batch_imports.BatchImports.finish", "--full")
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.failed, counts.remembered) == (130, 0)


def test_a_kill_between_a_create_and_its_outcome(world: World) -> None:
    """What Vainu made just before the kill is found by its unique_id, not made again."""
    customers = [world.customer(f"Killed {number} Oy") for number in range(3)]
    killed_at(world, "gateway.sync.vainu_rows.VainuRows._settled")
    assert len(world.customer_data()) == 3
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.updated, counts.failed) == (0, 3, 0)
    assert sorted(each["unique_id"] for each in world.customer_data()) == sorted(customers)
