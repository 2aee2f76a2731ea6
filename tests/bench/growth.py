"""The rate of durable acknowledgements with 1,000,000 finished deliveries in the store, against an empty one.

    python -m tests.bench.growth [ROWS]

SQLite; both gateways run at once and take turns under the same 64 callers, as in `webhooks`.
"""

import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import load
from tests.bench.webhooks import CALLERS, MOST_PER_SECOND, ROUNDS, SECONDS, requests, webhook_gateway
from tests.harness import GatewayProcess, gateway_process

ROWS = 1_000_000
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


def _started(process: GatewayProcess) -> int:
    return int(process.start().url.rpartition(":")[2])


def measure(rows: int, folder: Path) -> dict[str, float]:
    """Medians of both sides' requests a second, and their ratio."""
    folders = {side: folder / side for side in ("empty", "full")}
    for each in folders.values():
        each.mkdir()
    documents = {side: webhook_gateway("http://127.0.0.1:9", each) for side, each in folders.items()}
    found: dict[str, list[float]] = {side: [] for side in folders}
    with (
        gateway_process(documents["empty"], folders["empty"]) as empty,
        gateway_process(documents["full"], folders["full"]) as full,
    ):
        # the schema is the gateway's own
        full.start()
        full.stop()
        fill(folders["full"] / "gateway.db", rows)
        ports = {"empty": _started(empty), "full": _started(full)}
        first = 0
        for _ in range(ROUNDS):
            for side, port in ports.items():
                made = requests(first, int(SECONDS * MOST_PER_SECOND))
                first += len(made)
                found[side].append(load.run(port, made, CALLERS, SECONDS).per_second)
    rates = {side: statistics.median(runs) for side, runs in found.items()}
    return {**rates, "ratio": rates["full"] / rates["empty"]}


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        found = measure(rows, Path(folder))
    print(f"{CALLERS} callers, load from {load.generator()}, {rows:,} finished deliveries")
    print(f"{'empty/s':>10}{'full/s':>10}{'ratio':>8}")
    print(f"{found['empty']:>10.0f}{found['full']:>10.0f}{found['ratio']:>8.2f}")


if __name__ == "__main__":
    main()
