"""Brings the schema up to date, once, however many processes start together (Alembic)."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

HEAD = "0001"
"""The newest revision in migrations/versions; a test holds this true."""
_ADVISORY_LOCK = 0x7661696E75  # any number that is ours alone: "vainu" in ASCII


def upgrade(engine: Engine) -> None:
    """Run the missing revisions under a lock; nothing but one look when there are none."""
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    with engine.connect() as connection:
        _lock(connection)
        try:
            if _revision(connection) != HEAD:
                _run(connection)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})


def _revision(connection: Connection) -> str | None:
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
