"""A look into a store from outside, while gateways run on it or after they were killed."""

import contextlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool


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

    def count(self, *states: str) -> int:
        """How many deliveries are in one of these states."""
        wanted = ", ".join(f"'{state}'" for state in states)
        with self._connected() as connection:
            return int(
                connection.execute(text(f"SELECT count(*) FROM deliveries WHERE state IN ({wanted})")).scalar_one()  # noqa: S608 - our own words
            )

    def unfinished(self) -> int:
        """How many deliveries wait or run."""
        return self.count("pending", "running")

    def missing(self, acknowledged: Collection[str]) -> list[str]:
        """Which of these ids, `exp_…` and `whk_…`, the store does not hold."""
        with self._connected() as connection:
            held = set(connection.execute(text("SELECT id FROM exports")).scalars())
            held |= set(connection.execute(text("SELECT event_id FROM deliveries")).scalars())
        return sorted(set(acknowledged) - held)

    def owners(self) -> set[str]:
        """Who holds leases."""
        with self._connected() as connection:
            query = "SELECT lease_owner FROM deliveries WHERE state = 'running'"
            return set(connection.execute(text(query)).scalars())
