"""Brings the schema up to date, once, however many processes start together (Alembic)."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from gateway.store.locks import MIGRATING, lock

HEAD = "0009"
"""The newest revision in migrations/versions; a test holds this true."""
_PATIENCE_SECONDS = 60


def upgrade(engine: Engine) -> None:
    """Run the missing revisions under a lock; nothing but one look when there are none."""
    with engine.connect() as connection:
        if revision(connection) == HEAD:
            return
    with engine.connect() as connection:
        try:
            _lock(connection)
            if revision(connection) != HEAD:
                _run(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def _lock(connection: Connection) -> None:
    """Wait until whoever migrates is ready: that may take longer than a write may wait."""
    if connection.dialect.name == "sqlite":
        waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_SECONDS * 1000}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql(f"PRAGMA busy_timeout={waits}")
    else:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE_SECONDS}s'")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    lock(connection, MIGRATING)


def revision(connection: Connection) -> str | None:
    """The revision that a database is at; None if no gateway has been there."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _run(connection: Connection) -> None:
    # imported here: Alembic costs a fifth of a second, and most starts have nothing to migrate
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
