"""The last number that a table's counting key has given out: a number is never given twice, even after its row went."""

from sqlalchemy import Connection, Table, func, select, text


def last_number(connection: Connection, table: Table) -> int | None:
    """The last number given out, 0 if none was; None for a table that counts nothing."""
    counting = _counter(connection, table)
    if counting is None:
        return None
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        return int(found.scalar() or 0)
    last, called = connection.exec_driver_sql(f"SELECT last_value, is_called FROM {counting}").one()  # noqa: S608 - PostgreSQL's own, quoted name of the sequence
    return int(last) if called else 0


def set_last_number(connection: Connection, table: Table, number: int) -> None:
    """Go on counting after `number`."""
    counting = _counter(connection, table)
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        row = {"name": table.name, "seq": number}
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), row)
    else:
        connection.execute(select(func.setval(counting, max(1, number), number > 0)))


def _counter(connection: Connection, table: Table) -> str | None:
    """What counts: SQLite's own table for AUTOINCREMENT, a sequence on PostgreSQL; None if nothing does."""
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return None
    if connection.dialect.name == "sqlite":
        return "sqlite_sequence"
    column = table.autoincrement_column
    assert column is not None  # noqa: S101 - SQLAlchemy takes sqlite_autoincrement for counting keys only
    names = {"table": table.name, "column": column.name}
    return connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), names).scalar()
