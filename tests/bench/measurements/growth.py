"""The rate of durable acknowledgements with 1,000,000 finished deliveries in the store, against an empty one.

SQLite; both gateways run at once and take turns under the same 64 callers, as in `webhooks`.
"""

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench.frame.results import Figure, Mode, Ratio, Result, at_least
from tests.bench.parts import disk, gateways, load, webhook_rates

_FILL = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)
INSERT INTO deliveries (connection, kind, order_key, content_key, subject, event_id, dedupe_key, payload, state,
                        attempts, due_at, created_at, finished_at)
SELECT 'acme', 'crm_webhook', 'acme:crm_webhook:' || (n % 1000), '', n % 1000, 'whk_old' || n, 'id:old' || n,
       zeroblob(1000), 'done', 1, :now, :now, :now FROM numbers
"""


def fill(database: Path, rows: int) -> None:
    """Put finished webhooks into a store that no gateway has open: about 1,000 records have had `rows` between them."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute(_FILL, {"rows": rows, "now": time.time_ns() // 1_000_000})
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def measure(mode: Mode) -> Iterator[Result]:
    """A full store and an empty one."""
    rows = mode.pick(50_000, 1_000_000)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folders = {side: Path(name) / side for side in ("empty", "full")}
        for each in folders.values():
            each.mkdir()
        disk.prepare(f"sqlite:///{folders['full'] / 'gateway.db'}")
        fill(folders["full"] / "gateway.db", rows)
        ports = {
            side: stack.enter_context(gateways.running(gateways.document(gateways.NOBODY, each), each)).port
            for side, each in folders.items()
        }
        found = webhook_rates.of(mode, ports)
    ratio = Ratio.of(found["full"], found["empty"])
    yield Result(
        f"webhooks with {rows:,} rows in the store",
        "an empty store",
        ratio,
        tuple(Figure(side, median(rates), "/s") for side, rates in found.items()),
        (at_least(ratio, 0.9),),
        load.remark(),
    )
