"""A look into a store from outside, while gateways run on it or after they were killed."""

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from gateway.store.tables import WAITS_ITS_TURN


@dataclass(frozen=True)
class StoreLook:
    """The store at a storage URL."""

    url: str

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Connection]:
        parsed = make_url(self.url)
        driver = "postgresql+psycopg" if parsed.get_backend_name() == "postgresql" else "sqlite+pysqlite"
        engine = create_engine(parsed.set(drivername=driver), poolclass=NullPool)
        with engine.connect() as connection:
            yield connection

    def rows(self, query: str, **given: Any) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self._connected() as connection:
            return [tuple(row) for row in connection.execute(text(query), given)]

    def count(self, state: str) -> int:
        """How many deliveries are in this state."""
        return int(self.rows("SELECT count(*) FROM deliveries WHERE state = :state", state=state)[0][0])

    def unfinished(self) -> int:
        """How many deliveries wait or run."""
        return int(self.rows("SELECT count(*) FROM deliveries WHERE state IN ('pending', 'running')")[0][0])

    def missing(self, acknowledged: Collection[str]) -> list[str]:
        """Which of these ids, `exp_…` and `whk_…`, the store does not hold."""
        held = {each for (each,) in self.rows("SELECT id FROM exports UNION SELECT event_id FROM deliveries")}
        return sorted(set(acknowledged) - held)

    def owners(self) -> list[str]:
        """Who holds a lease, once for each."""
        return [owner for (owner,) in self.rows("SELECT lease_owner FROM deliveries WHERE state = 'running'")]

    def held_by(self, pid: int) -> list[str]:
        """As `owners`, of those whose name says that they are this process."""
        return [owner for owner in self.owners() if owner.split("-")[-3] == str(pid)]

    def rename_owners(self, before: Collection[str], after: str) -> None:
        """Have leases held under another name, as if their holder had run elsewhere."""
        with self._connected() as connection:
            for owner in set(before):
                statement = text("UPDATE deliveries SET lease_owner = :after WHERE lease_owner = :before")
                connection.execute(statement, {"after": after, "before": owner})
            connection.commit()

    def strand_all(self) -> None:
        """Have all work wait for a turn that nobody gives it, as two processes may leave it on PostgreSQL."""
        with self._connected() as connection:
            values = "state = 'pending', lease_owner = NULL, lease_until = NULL, due_at = :never"
            statement = text(f"UPDATE deliveries SET {values} WHERE state IN ('pending', 'running')")  # noqa: S608 - ours
            connection.execute(statement, {"never": WAITS_ITS_TURN})
            connection.commit()

    @contextlib.contextmanager
    def locked(self, key: int) -> Iterator[Callable[[], bool]]:
        """Hold a lock of gateway.store.locks; gives whether somebody waits for it."""
        with self._connected() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            yield lambda: bool(self.rows(waiting)[0][0])
