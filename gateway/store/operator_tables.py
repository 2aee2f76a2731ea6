"""The tables of the operators' side: the history behind the charts, and the audit log. Times are Unix milliseconds."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from gateway.store.tables import SERIAL, metadata

BOUNDS_MS = (
    10, 25, 50, 100, 250, 500, 1_000, 1_500, 2_000, 2_250, 2_500, 2_750, 3_000, 3_250, 3_500, 5_000, 10_000, 30_000,
    60_000,
)  # fmt: skip
"""Upper bounds of the latency buckets, milliseconds, dense around Vainu's 3 s; a last one holds what took longer."""
BUCKETS = tuple(f"b{number:02}" for number in range(len(BOUNDS_MS) + 1))
"""The buckets' columns."""

history = Table(
    "history",
    metadata,
    Column("minute", BigInteger, primary_key=True),  # when it begins
    Column("connection", String(63), primary_key=True),
    Column("job", String(16), primary_key=True),  # export, feed, webhook, events, delivery
    Column("count", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),  # of the last that was let in; 0: none was
    *(Column(name, Integer, nullable=False) for name in BUCKETS),
    Index("ix_history_last", "connection", "job", "minute"),
)

history_errors = Table(
    "history_errors",
    metadata,
    Column("minute", BigInteger, primary_key=True),
    Column("connection", String(63), primary_key=True),
    Column("job", String(16), primary_key=True),
    Column("reason", String(32), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

history_backlog = Table(
    "history_backlog",
    metadata,
    Column("minute", BigInteger, primary_key=True),
    Column("connection", String(63), primary_key=True),
    Column("oldest_ms", BigInteger, nullable=False),  # the greatest age of the oldest due delivery that was seen
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", String(320), nullable=False),
    Column("action", String(32), nullable=False),
    Column("target", String(300), nullable=False),
    Column("address", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),  # begun, done, refused, failed
    Column("detail", Text, nullable=False),
    Index("ix_audit_log_at", "at"),
    sqlite_autoincrement=True,
)
