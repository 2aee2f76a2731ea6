"""Having a store of either kind for oneself, so that nothing is written half-way through what is done with it."""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from gateway.store.backup import InUse, sqlite_file, take_file
from gateway.store.engine import open_engine, shown
from gateway.store.tables import metadata

_OTHER_SESSIONS = text(
    "SELECT count(*), min(usename) FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@contextlib.contextmanager
def alone(url: str, *, writing: bool) -> Iterator[Connection]:
    """A connection in one transaction, undone unless it is committed. Nobody else writes meanwhile.

    With `writing` nobody else reads either. `InUse` if anybody has the store open. Its tables must be there.
    """
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            file = sqlite_file(url)
            if file is not None:
                driver: Any = connection.connection.dbapi_connection
                take_file(driver, file)
                connection.exec_driver_sql("BEGIN")
            else:
                _take_database(connection, url, "ACCESS EXCLUSIVE" if writing else "SHARE")
            yield connection
    finally:
        engine.dispose()


def _take_database(connection: Connection, url: str, mode: str) -> None:
    """Lock every table until the transaction ends, then look: the snapshot is of the first look after the locks."""
    connection.execution_options(isolation_level="REPEATABLE READ")
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    names = ", ".join(connection.dialect.identifier_preparer.format_table(each) for each in metadata.sorted_tables)
    connection.exec_driver_sql(f"LOCK TABLE {names} IN {mode} MODE")
    sessions, user = connection.execute(_OTHER_SESSIONS).one()
    if sessions:
        told = f"{sessions} other session{'s' if sessions > 1 else ''}, of {user}"
        raise InUse(
            f"{shown(url)} is in use ({told}); stop every gateway and close what else has it open, then try again"
        )
