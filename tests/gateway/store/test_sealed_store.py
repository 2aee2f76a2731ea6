"""A store with a key: nothing that people wrote or are is on the disk in clear, and a missing key loses nothing."""

from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, select, update

from gateway.ids import new_id
from gateway.store import (
    CannotOpen,
    DeliveryState,
    Seal,
    Store,
    claims,
    deliveries,
    events,
    exports,
    inbox,
    ledger,
    sync_refusals,
)
from gateway.store import sync_runs as runs
from gateway.store.claims import Lease
from gateway.store.deliveries import Ending, NewDelivery
from gateway.store.events import NewEvents, NewRow
from gateway.store.exports import NewExport
from gateway.store.inbox import InboundEvent
from gateway.store.sealed_columns import SEALED
from gateway.store.sync_refusals import Refusal
from gateway.store.sync_runs import Scope, Wanted
from gateway.store.tables import deliveries as delivery_table
from gateway.store.tables import sync_refusals as sync_refusals_table
from tests.gateway.store.conftest import Bench, opened
from tests.postgres import Cluster

PLANTED = "Aino Planted-Virtanen"
KEY, NEW = SecretStr("11" * 32), SecretStr("22" * 32)
NOW = 1_700_000_000_000
LEASE = Lease("a", NOW + 6_000)


def fill(connection: Connection, mark: str = "1", name: str = PLANTED) -> None:
    """A row in every table that holds what people wrote or are, each sealed column with the planted name."""
    body = f'{{"name": "{name}"}}'.encode()
    exports.add(connection, NewExport(f"exp_{mark}", "acme", None, f"note={name}", body), "co_1", 1, False, NOW)
    row = InboundEvent(f"whk_{mark}", "acme", "crm_webhook", f"acme:{mark}", "7", body, f"body:{mark}", True, NOW)
    inbox.keep(connection, [[row]])
    events.keep(connection, [NewEvents(new_id("evt", NOW), "acme", "events_web", [NewRow("row", body)])])
    deliveries.add(connection, NewDelivery("acme", "company_change", f"acme:change:{mark}", "7", body), NOW)
    for kind in ("company_change", "crm_webhook"):
        for claimed in claims.claim(connection, LEASE, NOW, "acme", kind, 9):
            ending = Ending(DeliveryState.DEAD, "refused", f"no such {name}", f'{{"status": "{name}"}}')
            assert deliveries.finish(connection, claimed, LEASE.owner, ending, NOW, NOW)
    run, _continues = runs.begin(connection, Scope("acme", "vainu"), Wanted(), LEASE, NOW, lambda _owner: False)
    runs.change_held(connection, run.id, LEASE.owner, state="interrupted", detail=f"it was {name}")
    refusal = Refusal(bytes(16), None, NOW, "no_match", f'{{"detail": "no {name}"}}')
    sync_refusals.settle(connection, Scope("acme", "vainu"), [mark], {mark: refusal})


def on_disk(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> bytes:
    """Every byte of the store's files, logs included."""
    if url.startswith("sqlite"):
        return b"".join(path.read_bytes() for path in tmp_path.glob("gateway.db*"))
    cluster: Cluster = request.getfixturevalue("cluster")
    folders = [cluster.folder / "data" / name for name in ("base", "pg_wal")]
    return b"".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())


def values(bench: Bench) -> dict[str, list[object]]:
    """What is stored in every sealed column, as it is stored."""

    def read(connection: Connection) -> dict[str, list[object]]:
        return {
            f"{each.table.name}.{each.name}": [
                value for value in connection.execute(select(each.column)).scalars() if value is not None
            ]
            for each in SEALED
        }

    return bench.read(read)


def test_nothing_is_on_the_disk_in_clear(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Neither the files of the store nor its logs hold a body, a row, a result, a detail or a note in clear."""
    # the cluster is shared with tests that write clear text
    name = f"Aino {uuid4()}"
    with opened(url, Seal(KEY)) as bench:
        bench.write(lambda c: fill(c, name=name))
        while_open = on_disk(url, tmp_path, request)
        assert all(found for found in values(bench).values()), "a column was not filled"
        assert {bench.store.seal.is_current(each) for found in values(bench).values() for each in found} == {True}
    assert name.encode() not in while_open + on_disk(url, tmp_path, request)


def test_what_is_sealed_is_read(url: str) -> None:
    """Whoever reads through the store gets what was written: bodies, rows, results, details."""
    with opened(url, Seal(KEY)) as bench:
        bench.write(fill)
        assert PLANTED.encode() in (bench.read(lambda c: exports.body_of(c, "exp_1")) or b"")
        page = bench.read(lambda c: ledger.search(c, ledger.Filter(states=[DeliveryState.DEAD]), 9))
        assert {entry.detail for entry in page.entries} == {f"no such {PLANTED}"}
        detail = bench.read(lambda c: ledger.detail(c, page.entries[0].id))
        run = bench.read(lambda c: runs.latest(c, Scope("acme", "vainu")))
        refused = bench.read(lambda c: sync_refusals.known(c, Scope("acme", "vainu"), ["1"]))
    assert detail is not None
    assert PLANTED in f"{detail.attempts[0].detail}"
    assert PLANTED in f"{detail.delivery.result}"
    assert PLANTED.encode() in detail.body
    assert run is not None
    assert run.detail == f"it was {PLANTED}"
    assert refused["1"].told == f'{{"detail": "no {PLANTED}"}}'


def test_a_refusal_that_cannot_be_opened_is_none(url: str) -> None:
    """A value that was moved to another customer's row opens nowhere: the target is asked about that one."""
    with opened(url, Seal(KEY)) as bench:
        bench.write(fill)
        bench.write(lambda c: c.execute(update(sync_refusals_table).values(record_id="2")))
        assert bench.read(lambda c: sync_refusals.known(c, Scope("acme", "vainu"), ["1", "2"])) == {}


def test_what_was_written_before_is_read(url: str) -> None:
    """Encryption may be switched on at any time: old rows are read as they are, new ones are sealed."""
    with opened(url, Seal()) as bench:
        bench.write(fill)
    with opened(url, Seal(KEY)) as bench:
        bench.write(lambda c: fill(c, "2"))
        bodies = [bench.read(lambda c, e=each: exports.body_of(c, e)) for each in ("exp_1", "exp_2")]
        stored = values(bench)["exports.body"]
    assert bodies[0] == bodies[1]
    assert sorted(isinstance(each, bytes) and each.startswith(b"{") for each in stored) == [False, True]


@pytest.mark.parametrize("seal", [Seal(), Seal(NEW)])
def test_a_store_without_its_key_is_refused(url: str, seal: Seal) -> None:
    """A gateway without the key does not start: it says which key is missing, and what was there stays."""
    with opened(url, Seal(KEY)) as bench:
        bench.write(fill)
    missing = Store(url, seal=seal)
    with pytest.raises(CannotOpen, match=rf"{Seal(KEY).key_id}.*encryption_key.*nothing was changed"):
        missing.open()
    with opened(url, Seal(NEW, [KEY])) as bench:
        assert PLANTED.encode() in (bench.read(lambda c: exports.body_of(c, "exp_1")) or b"")


def test_work_that_no_key_opens_waits(url: str) -> None:
    """A gateway that runs on without a new key leaves its work: it is not lost, not tried, and goes on with the key."""
    new = NewDelivery("acme", "company_change", "acme:7", "7", PLANTED.encode())
    with opened(url, Seal(KEY)) as old:
        with opened(url, Seal(NEW, [KEY])) as rotated:
            rotated.write(lambda c: deliveries.add(c, new, NOW))
        clear = old.write(lambda c: deliveries.add(c, NewDelivery("acme", "company_change", "acme:8", "8", b"{}"), NOW))

        claimed = old.write(lambda c: claims.claim(c, LEASE, NOW, "acme", "company_change", 9))
        again = old.write(lambda c: claims.claim(c, LEASE, NOW, "acme", "company_change", 9))
        (waiting,) = old.read(lambda c: ledger.search(c, ledger.Filter(reason="sealed"), 9)).entries
        with pytest.raises(CannotOpen):
            old.read(lambda c: deliveries.by_id(c, waiting.id))
    with opened(url, Seal(NEW, [KEY])) as rotated:
        (found,) = rotated.write(lambda c: claims.claim(c, LEASE, waiting.due_at, "acme", "company_change", 9))
    assert ([each.id for each in claimed], again) == ([clear], [])
    assert (waiting.state, waiting.attempts) == (DeliveryState.PENDING, 0)
    assert found.payload == PLANTED.encode()


def test_a_value_is_of_its_row_only(url: str) -> None:
    """Whoever can write to the database cannot pass off one delivery's content as another's."""
    with opened(url, Seal(KEY)) as bench:
        ids = [
            bench.write(
                lambda c, n=number: deliveries.add(c, NewDelivery("acme", "x", f"acme:{n}", str(n), b"%d" % n), NOW)
            )
            for number in range(2)
        ]
        table = delivery_table
        hers = bench.read(lambda c: c.execute(select(table.c.payload).where(table.c.id == ids[0])).scalar_one())
        bench.write(lambda c: c.execute(update(table).where(table.c.id == ids[1]).values(payload=hers)))
        with pytest.raises(CannotOpen, match="moved"):
            bench.read(lambda c: deliveries.by_id(c, ids[1]))


def test_a_list_shows_what_cannot_be_opened(url: str) -> None:
    """A list of deliveries does not fail of one detail that is damaged: it says so in its place."""
    with opened(url, Seal(KEY)) as bench:
        bench.write(fill)
        bench.write(lambda c: c.execute(update(delivery_table).values(detail="\x01g1:!")))
        page = bench.read(lambda c: ledger.search(c, ledger.Filter(states=[DeliveryState.DEAD]), 9))
    assert {entry.detail for entry in page.entries} == {"(a sealed value is damaged)"}


def test_the_files_are_their_owner_s(tmp_path: Path) -> None:
    """Nobody but its owner reads the store: the file, its log and its index are 0600 from the first moment."""
    with opened(f"sqlite:///{tmp_path / 'gateway.db'}", Seal()) as bench:
        bench.write(fill)
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.glob("gateway.db*")}
    assert modes == {"gateway.db": "0o600", "gateway.db-wal": "0o600", "gateway.db-shm": "0o600"}
