"""The limit of the disk: a bare loop that inserts webhooks in batches, as durably as the gateway, and nothing else.

    python -m tests.bench.parts.disk URL BATCH SECONDS

The same rows into the same tables (the gateway's own schema with its indexes), `synchronous=FULL`. Prints rows
a second.
"""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count

import psycopg
from sqlalchemy.engine import make_url

from gateway.store import Store
from tests.bench.parts.signed import body

_COLUMNS = (
    "connection", "kind", "order_key", "subject", "event_id", "dedupe_key", "payload", "state", "due_at", "created_at",
    "content_key", "attempts",
)  # fmt: skip
_INSERT = f"INSERT INTO deliveries ({', '.join(_COLUMNS)}) VALUES ({{}})"  # noqa: S608 - names written above


def rows_per_second(url: str, batch: int, seconds: float) -> float:
    """Of the loop in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.parts.disk", url, str(batch), str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=seconds + 60, check=True)
    return float(done.stdout)


def prepare(url: str) -> None:
    """Make the tables."""
    store = Store(url)
    store.open()
    store.close()


def _rows(first: int, batch: int) -> list[tuple[object, ...]]:
    now = time.time_ns() // 1_000_000
    return [
        ("acme", "crm_webhook", f"acme:crm_webhook:{number % 1000}", str(number % 1000), f"whk_{number:030d}",
         f"id:disk_{number}", body(number, 1000), "pending", now + 1000, now, "", 0)
        for number in range(first, first + batch)
    ]  # fmt: skip


def _sqlite(url: str) -> Callable[[list[tuple[object, ...]]], None]:
    connection = sqlite3.connect(str(make_url(url).database), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    insert = _INSERT.format(", ".join("?" * len(_COLUMNS)))

    def keep(rows: list[tuple[object, ...]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, rows)
        connection.execute("COMMIT")

    return keep


def _postgresql(url: str) -> Callable[[list[tuple[object, ...]]], None]:
    connection = psycopg.connect(url)
    insert = _INSERT.format(", ".join(["%s"] * len(_COLUMNS)))

    def keep(rows: list[tuple[object, ...]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)
        connection.commit()

    return keep


def main() -> None:
    """The process."""
    url, batch, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    keep = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
    kept, spent = 0, 0.0
    # from a number that no earlier loop had
    for first in count(time.time_ns(), batch):
        rows = _rows(first, batch)
        # to make rows up is no work of the disk's
        began = time.perf_counter()
        keep(rows)
        spent += time.perf_counter() - began
        kept += batch
        if spent >= seconds:
            break
    print(kept / spent)


if __name__ == "__main__":
    main()
