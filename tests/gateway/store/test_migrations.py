"""The schema's revisions form one line, lead to the tables that the program knows, and keep what is stored."""

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from gateway.store import Store, migrate
from gateway.store.tables import metadata


def scripts() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    return config


def test_the_revisions_are_one_line_up_to_the_head() -> None:
    """No revision comes twice or beside another, and the newest is the one that a start looks for."""
    found = ScriptDirectory.from_config(scripts())
    assert found.get_heads() == [migrate.HEAD]
    assert [each.revision for each in found.walk_revisions()] == [
        f"{number:04}" for number in range(int(migrate.HEAD), 0, -1)
    ]


def test_a_store_of_the_first_version_is_brought_up_to_date(empty_store_url: str) -> None:
    """What was kept before is there after, and the tables are those of the program, on both stores."""
    url = empty_store_url
    driver = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
    engine = create_engine(make_url(url).set(drivername=driver[make_url(url).get_backend_name()]))
    config = scripts()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO heartbeat (id, at) VALUES (1, 4711)"))
    store = Store(url)
    store.open()
    store.close()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT at FROM heartbeat")).scalar_one() == 4711
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()
