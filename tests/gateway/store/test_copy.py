"""`gateway store copy`: a whole store moves between SQLite and PostgreSQL, unchanged, or not at all."""

import contextlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Engine, Integer, LargeBinary, Table, inspect, select, text

from gateway.store import Store
from gateway.store.engine import open_engine
from gateway.store.operator_tables import metadata
from gateway.store.tables import deliveries
from tests.gateway.cli.conftest import Command, command
from tests.harness import Upstream, configuration, run_command, running_gateway, toml, wait_until
from tests.postgres import Cluster

__all__ = ["command"]

ROWS = 450
"""More than two batches."""
_numbers = count(1)


def url_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """A new store's URL."""
    if kind == "sqlite":
        return f"sqlite:///{folder / f'store-{next(_numbers)}.db'}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.create_database(f"copy_{next(_numbers)}")


@contextlib.contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def value(column: Column[Any], number: int) -> Any:
    """Some value that a column can hold, another for every row."""
    if column.nullable and number % 7 == 0:
        return None
    if isinstance(column.type, Boolean):
        return number % 2 == 0
    if isinstance(column.type, Integer):
        return number if column.primary_key else 4_000_000_000 + number if "BIGINT" in str(column.type) else number
    if isinstance(column.type, LargeBinary):
        return bytes([0, 255]) + number.to_bytes(4) + b"\x00'\\"
    return f"{number}-Öljy \N{WHALE}'\"\\%\n"[: getattr(column.type, "length", None)]


def rows_of(url: str, table: Table) -> list[tuple[Any, ...]]:
    with engine_of(url) as engine, engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(select(table))]
    return sorted(found, key=repr)


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {table.name: rows_of(url, table) for table in metadata.sorted_tables}


def make(url: str) -> None:
    store = Store(url)
    store.open()
    store.close()


def fill(url: str) -> None:
    """Rows in every table; the last number given out is of a row that is gone."""
    make(url)
    with engine_of(url) as engine, engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = [{column.name: value(column, number) for column in table.columns} for number in range(1, ROWS + 1)]
            generated = table.dialect_options["sqlite"]["autoincrement"]
            for row in rows:
                # numbers are given out, as a gateway has it done
                row.pop("id", None) if generated else None
            connection.execute(table.insert(), rows)
        connection.execute(deliveries.delete().where(deliveries.c.id == ROWS))
        connection.commit()


def next_delivery(url: str) -> int:
    """The number that a new delivery gets."""
    row = {column.name: value(column, 9_999) for column in deliveries.columns if column.name != "id"}
    with engine_of(url) as engine, engine.connect() as connection:
        found = connection.execute(deliveries.insert(), row).inserted_primary_key
        connection.rollback()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("target_kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source_kind", ["sqlite", "postgresql"])
def test_every_row_of_every_table_is_there(
    source_kind: str, target_kind: str, tmp_path: Path, request: pytest.FixtureRequest, command: Command
) -> None:
    """Whatever the kinds: the same rows under the same ids, no number given out twice, and the source as it was."""
    source, target = url_of(source_kind, tmp_path, request), url_of(target_kind, tmp_path, request)
    fill(source)
    before = everything(source)

    done = command("store", "copy", "--from", source, "--to", target)

    assert done.returncode == 0, done.stderr
    assert everything(target) == before == everything(source)
    assert {name for name, rows in before.items() if len(rows) < ROWS - 1} == set(), "every table was tried"
    assert next_delivery(target) == next_delivery(source) == ROWS + 1
    for table in metadata.sorted_tables:
        assert f"{table.name}: {len(before[table.name])} rows, equal (digest " in done.stdout


def test_a_gateway_goes_on_with_the_copy_and_back(
    upstream: Upstream, tmp_path: Path, cluster: Cluster, command: Command
) -> None:
    """Exports are known under the same ids on PostgreSQL, and again on SQLite; the configuration names the stores."""
    document = configuration(upstream.url, tmp_path)
    files, push = [], {"company_name": "Muutto Oy", "country": "FI"}
    places = [f"sqlite:///{tmp_path}/a.db", cluster.create_database("moved"), f"sqlite:///{tmp_path}/b.db"]
    for number, place in enumerate(places):
        document["storage"] = {"url": place}
        files.append(tmp_path / f"gateway-{number}.toml")
        files[-1].write_text(toml(document))
    known: list[Any] = []
    for number, file in enumerate(files):
        if number:
            copied = command("store", "copy", "--config", str(files[number - 1]), "--to", str(file))
            assert copied.returncode == 0, copied.stderr
        with running_gateway({**document, "storage": {"url": places[number]}}) as gateway:
            answer = gateway.push("acme", push).json()
            known.append(answer["unique_id"])
            if number == 0:
                first = answer["export_id"]
            assert gateway.standing("acme", first)["unique_id"] == known[0]
    assert known == [known[0]] * 3


@pytest.mark.parametrize("which", ["source", "target"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_store_in_use_is_refused(
    upstream: Upstream, tmp_path: Path, request: pytest.FixtureRequest, command: Command, kind: str, which: str
) -> None:
    """While a gateway runs on either store nothing is copied: what it takes meanwhile would be lost."""
    used, other = url_of(kind, tmp_path, request), url_of("sqlite", tmp_path, request)
    make(other)
    document = configuration(upstream.url, tmp_path, storage={"url": used})
    source, target = (used, other) if which == "source" else (other, used)
    with running_gateway(document) as gateway:
        assert gateway.push("acme", {"company_name": "Käytössä Oy"}).status_code == 201
        refused = command("store", "copy", "--from", source, "--to", target)
        assert (refused.returncode, "stop" in refused.stderr) == (1, True), refused.stderr
        assert gateway.push("acme", {"company_name": "Yhä käytössä Oy"}).status_code == 201
    assert rows_of(other, deliveries) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_target_that_holds_anything_is_refused(
    tmp_path: Path, request: pytest.FixtureRequest, command: Command, kind: str
) -> None:
    """What is there already is named and kept; a mere sign of life is nothing."""
    source, target = url_of("sqlite", tmp_path, request), url_of(kind, tmp_path, request)
    fill(source)
    make(target)
    with engine_of(target) as engine, engine.begin() as connection:
        connection.execute(text("INSERT INTO heartbeat (id, at) VALUES (1, 4711)"))
        connection.execute(text("INSERT INTO unique_ids (connection, unique_id, company_id) VALUES ('a', 'b', 'c')"))
    refused = command("store", "copy", "--from", source, "--to", target)
    assert (refused.returncode, "is not empty (unique_ids)" in refused.stderr) == (1, True), refused.stderr
    assert sum(map(len, everything(target).values())) == 2
    with engine_of(target) as engine, engine.begin() as connection:
        connection.execute(text("DELETE FROM unique_ids"))
    assert command("store", "copy", "--from", source, "--to", target).returncode == 0
    assert everything(target) == everything(source)


@pytest.mark.parametrize("point", ["within:store.copy.deliveries@2", "within:store.copy"])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_copy_that_is_killed_is_made_again(
    tmp_path: Path, request: pytest.FixtureRequest, kind: str, point: str
) -> None:
    """kill -9 half-way, or at the last moment: the target is empty, the source whole, and the same command does it."""
    source, target = url_of("sqlite", tmp_path, request), url_of(kind, tmp_path, request)
    fill(source)
    before = everything(source)

    killed = run_command("store", "copy", "--from", source, "--to", target, environ={"GATEWAY_FAILPOINT": point})

    assert killed.returncode == -9, killed.stderr
    assert set(map(len, everything(target).values())) == {0}
    assert everything(source) == before

    def copied() -> bool:
        # the server may need a moment to see that its client is gone
        done = run_command("store", "copy", "--from", source, "--to", target)
        assert done.returncode == 0 or "in use" in done.stderr, done.stderr
        return done.returncode == 0

    wait_until(copied, "the copy is made")
    assert everything(target) == before


def test_a_row_that_the_target_cannot_keep(tmp_path: Path, cluster: Cluster, command: Command) -> None:
    """It is told by table and key, and nothing of the rest stays at the target."""
    source, target = f"sqlite:///{tmp_path}/old.db", cluster.create_database("picky")
    fill(source)
    with engine_of(source) as engine, engine.begin() as connection:
        connection.execute(
            text("UPDATE exports SET query = 'a' || char(0) || 'b' WHERE id = (SELECT max(id) FROM exports)")
        )
    refused = command("store", "copy", "--from", source, "--to", target)
    assert refused.returncode == 1
    assert "the target cannot keep a row of exports between " in refused.stderr
    assert len(refused.stderr.splitlines()) <= 2
    assert set(map(len, everything(target).values())) == {0}


def test_a_table_that_nobody_knows_is_not_left_behind_in_silence(tmp_path: Path, command: Command) -> None:
    """A source with a table that is no part of a store is refused, not copied without it."""
    source = f"sqlite:///{tmp_path}/old.db"
    make(source)
    with engine_of(source) as engine, engine.begin() as connection:
        connection.execute(text("CREATE TABLE pets (name TEXT)"))
    refused = command("store", "copy", "--from", source, "--to", f"sqlite:///{tmp_path}/new.db")
    assert (refused.returncode, "(pets)" in refused.stderr) == (1, True), refused.stderr


def test_an_older_store_is_left_alone(tmp_path: Path, command: Command) -> None:
    """A source of an earlier schema is refused and not changed: an older gateway may have to go on with it."""
    source = tmp_path / "old.db"
    make(f"sqlite:///{source}")
    with engine_of(f"sqlite:///{source}") as engine, engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    refused = command("store", "copy", "--from", f"sqlite:///{source}", "--to", f"sqlite:///{tmp_path}/new.db")
    assert (refused.returncode, "has schema 0001" in refused.stderr) == (1, True)
    assert not (tmp_path / "new.db").exists()


def test_a_damaged_source_is_told_as_the_source(tmp_path: Path, command: Command) -> None:
    """What cannot be read is named, not the target; the target keeps nothing."""
    source = tmp_path / "old.db"
    fill(f"sqlite:///{source}")
    content = bytearray(source.read_bytes())
    content[-200_000:-100_000] = b"x" * 100_000
    source.write_bytes(content)
    refused = command("store", "copy", "--from", f"sqlite:///{source}", "--to", f"sqlite:///{tmp_path}/new.db")
    assert refused.returncode == 1, refused.stdout
    assert f"gateway: sqlite:///{source}: " in refused.stderr


@pytest.mark.parametrize(
    ("source", "target", "code", "said"),
    [
        ("sqlite:///missing.db", "sqlite:///new.db", 1, "there is no store at missing.db"),
        ("sqlite:///here.db", "sqlite:///./here.db", 1, "is both source and target"),
        ("sqlite:///here.db", "mysql://host/db", 2, 'expected "sqlite:///file.db" or "postgresql://user@host/db"'),
        ("nowhere.toml", "sqlite:///new.db", 2, "nowhere.toml does not exist"),
        ("sqlite:///letter.txt", "sqlite:///new.db", 1, "sqlite:///letter.txt: file is not a database"),
        ("sqlite:///here.db", "sqlite:///missing/new.db", 1, "sqlite:///missing/new.db: No such file or directory"),
        ("sqlite:///here.db", "postgresql://u:dark-word@127.0.0.1:1/x", 1, "postgresql://u:***@127.0.0.1:1/x: "),
    ],
)
def test_what_cannot_be_is_told_in_a_line(
    tmp_path: Path, command: Command, source: str, target: str, code: int, said: str
) -> None:
    """The exit code says whose turn it is, the line what to do, and no password is in it."""
    make(f"sqlite:///{tmp_path / 'here.db'}")
    (tmp_path / "letter.txt").write_text("Dear Jane,\n" * 500)
    done = command("store", "copy", "--from", source, "--to", target, folder=tmp_path)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert "dark-word" not in done.stderr + done.stdout


def test_a_copied_file_is_for_its_owner_only(tmp_path: Path, command: Command) -> None:
    """The SQLite copy has mode 0600, as every store."""
    make(f"sqlite:///{tmp_path}/old.db")
    assert (
        command(
            "store", "copy", "--from", f"sqlite:///{tmp_path}/old.db", "--to", f"sqlite:///{tmp_path}/new.db"
        ).returncode
        == 0
    )
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    with engine_of(f"sqlite:///{tmp_path}/new.db") as engine:
        assert "deliveries" in inspect(engine).get_table_names()
