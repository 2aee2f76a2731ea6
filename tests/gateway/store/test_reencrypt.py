"""`gateway store reencrypt`: what is clear or sealed by an earlier key is written anew, while gateways work."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Connection, select

from gateway.store import Seal, exports, reencrypt
from gateway.store.tables import seal_keys
from tests.gateway.store.test_sealed_store import PLANTED, fill, on_disk, opened, values
from tests.harness import run_command, toml

OLD, NEW = "11" * 32, "22" * 32
SEALS = {"": Seal(), OLD: Seal(SecretStr(OLD)), NEW: Seal(SecretStr(NEW))}


def config(url: str, folder: Path, key: str, *previous: str) -> str:
    storage = {"url": url, "previous_encryption_keys": list(previous)} | ({"encryption_key": key} if key else {})
    path = folder / "gateway.toml"
    path.write_text(toml({"storage": storage}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("before", "after"), [("", NEW), (OLD, NEW), (OLD, "")], ids=["on", "rotated", "off"])
def test_every_row_is_written_anew(url: str, tmp_path: Path, before: str, after: str) -> None:
    """Switched on, rotated or switched off: afterwards every value is as the new settings write it; once is enough."""
    with opened(url, SEALS[before]) as bench:
        for number in range(3):
            bench.write(lambda c, n=number: fill(c, str(n)))
    path = config(url, tmp_path, after, *filter(None, [before]))

    done = run_command("store", "reencrypt", "--config", path)
    again = run_command("store", "reencrypt", "--config", path)

    assert (done.returncode, again.returncode) == (0, 0), done.stderr + again.stderr
    assert not done.stdout.startswith("0 rows")
    assert again.stdout.startswith("0 rows")
    with opened(url, SEALS[after]) as bench:
        assert {SEALS[after].is_current(each) for found in values(bench).values() for each in found} == {True}
        assert PLANTED.encode() in (bench.read(lambda c: exports.body_of(c, "exp_1")) or b"")


def test_no_clear_text_is_left_in_the_file(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """On SQLite what was clear is overwritten, in the file and in its log."""
    url = f"sqlite:///{tmp_path / 'gateway.db'}"
    with opened(url, Seal()) as bench:
        for number in range(20):
            bench.write(lambda c, n=number: fill(c, str(n)))
    assert PLANTED.encode() in on_disk(url, tmp_path, request)

    done = run_command("store", "reencrypt", "--config", config(url, tmp_path, NEW))

    assert done.returncode == 0, done.stderr
    assert PLANTED.encode() not in on_disk(url, tmp_path, request)


def test_the_old_key_can_go_afterwards(url: str, tmp_path: Path) -> None:
    """Before, a gateway with the new key alone is refused; after, it starts."""
    with opened(url, SEALS[OLD]) as bench:
        bench.write(fill)
    done = run_command("store", "reencrypt", "--config", config(url, tmp_path, NEW, OLD))
    assert done.returncode == 0, done.stderr
    with opened(url, SEALS[NEW]) as bench:
        assert bench.read(lambda c: c.execute(select(seal_keys.c.key_id)).scalars().all()) == [SEALS[NEW].key_id]


def test_a_missing_key_is_told_in_one_line(url: str, tmp_path: Path) -> None:
    """Without the old key the command fails with the key's id, changes nothing, and shows no key."""
    with opened(url, SEALS[OLD]) as bench:
        bench.write(fill)
    done = run_command("store", "reencrypt", "--config", config(url, tmp_path, NEW))
    assert done.returncode == 1
    assert f"{SEALS[OLD].key_id}" in done.stderr
    assert "Traceback" not in done.stderr
    assert NEW not in done.stderr
    with opened(url, SEALS[OLD]) as bench:
        assert {SEALS[OLD].is_current(each) for found in values(bench).values() for each in found} == {True}


def test_a_batch_is_bounded_and_goes_on(url: str) -> None:
    """A batch looks at so many rows and no more, and the next begins behind it."""
    with opened(url, Seal()) as bench:
        for number in range(5):
            bench.write(lambda c, n=number: fill(c, str(n)))
    table = next(table for table in reencrypt.COLUMNS if table.name == "exports")
    with opened(url, SEALS[NEW]) as bench:
        after: reencrypt.Cursor | None = None
        sizes = []
        while True:

            def step(connection: Connection, after: reencrypt.Cursor | None = after) -> reencrypt.Batch:
                return reencrypt.rewrite(connection, table, after, 2)

            batch = bench.write(step)
            sizes.append((batch.looked_at, batch.written, batch.unopened))
            after = batch.after
            if after is None:
                break
    assert sizes == [(2, 2, 0), (2, 2, 0), (1, 1, 0)]


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    """Nothing is made where no gateway has run."""
    done = run_command("store", "reencrypt", "--config", config(f"sqlite:///{tmp_path / 'no.db'}", tmp_path, NEW))
    assert done.returncode == 2
    assert not (tmp_path / "no.db").exists()
