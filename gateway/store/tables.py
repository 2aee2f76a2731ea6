"""The tables. Times are Unix milliseconds, UTC. The only SQL of the gateway is in this package."""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    literal_column,
    text,
)

metadata = MetaData()

SERIAL = BigInteger().with_variant(Integer(), "sqlite")
"""A counting key; SQLite counts only INTEGER PRIMARY KEY columns."""


class DeliveryState(StrEnum):
    """Where a delivery stands; each state with its sentence."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    IGNORED = "ignored"

    @property
    def sentence(self) -> str:
        """What the state means, for a person."""
        return _SENTENCES[self]


_SENTENCES = {
    DeliveryState.PENDING: "Waits to be claimed, at its due time.",
    DeliveryState.RUNNING: "A worker holds its lease and acts.",
    DeliveryState.DONE: "The remote system has it; nothing more happens.",
    DeliveryState.DEAD: "It gave up: a dead letter, kept, shown, and can be replayed.",
    DeliveryState.IGNORED: "Genuine, kept, and of a kind that needs no action.",
}

UNFINISHED = (DeliveryState.PENDING, DeliveryState.RUNNING)

WAITS_ITS_TURN = 253_402_300_799_000
"""`due_at` (the end of the year 9999) of what waits for an earlier delivery of its order key to end: a backlog of any
length about few records costs nobody who looks for due work a look. Who ends the earlier one makes it due."""


class SyncState(StrEnum):
    """Where a run of a customer sync stands."""

    RUNNING = "running"
    """A process holds its lease and works."""
    INTERRUPTED = "interrupted"
    """It ended before its last customer; the next sync goes on from there."""
    DONE = "done"
    """Every customer was looked at."""
    ABANDONED = "abandoned"
    """It ended early, and a later run began anew."""


companies = Table(
    "companies",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("connection", String(63), nullable=False),
    Column("gateway_id", String(40), nullable=False, unique=True),  # gw_…: the unique_id before the CRM's is known
    Column("record_id", String(128)),  # the CRM's id, once it is known
    Column("vid", BigInteger),
    Column("business_id", String(64)),
    Column("country", String(2)),
    Column("customer_data_id", String(128)),  # Vainu's id of its customer data, where a push carried one
    Column("create_sent_at", BigInteger),  # set before a create leaves, cleared when its outcome is known
    Column("create_settles_at", BigInteger),  # a create whose outcome is unknown is not repeated before this
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("ix_companies_record", "connection", "record_id"),
)

aliases = Table(
    "company_aliases",
    metadata,
    Column("connection", String(63), primary_key=True),
    Column("kind", String(16), primary_key=True),  # vid, business_id, domain, name
    Column("value", String(512), primary_key=True),
    Column("country", String(2), primary_key=True),  # "" where unknown, or where it does not matter
    Column("company_id", String(40), nullable=False),
    Index("ix_company_aliases_company", "company_id"),
    # PostgreSQL looks up the beginning of a text in an index of this kind only
    Index("ix_company_aliases_value", "value", "company_id", postgresql_ops={"value": "text_pattern_ops"}),
)

unique_ids = Table(
    "unique_ids",
    metadata,
    Column("connection", String(63), primary_key=True),
    Column("unique_id", String(128), primary_key=True),
    Column("company_id", String(40), nullable=False),
    Index("ix_unique_ids_unique_id", "unique_id"),
    Index("ix_unique_ids_company", "company_id"),
)

exports = Table(
    "exports",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("connection", String(63), nullable=False),
    Column("company_id", String(40), nullable=False),
    Column("delivery_id", BigInteger, nullable=False),
    Column("joined", Boolean, nullable=False),  # an equal push was already on its way: this one waits for its outcome
    Column("customer_data_id", String(128)),
    Column("query", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # as it came
    Column("received_at", BigInteger, nullable=False),
    Column("accepted_at", BigInteger),  # answered "accepted": Vainu holds our id, and must be told the CRM's
    Index("ix_exports_company", "company_id"),
    Index("ix_exports_delivery", "delivery_id"),
    Index("ix_exports_received", "received_at", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("connection", String(63), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("order_key", String(200), nullable=False),  # deliveries of one key run one after the other, in order of id
    Column("content_key", String(64), nullable=False),  # equal content of one order key has equal content keys
    Column("subject", String(128), nullable=False),  # what it is about: a company's id
    Column("event_id", String(40)),  # the id that the sender of a webhook was told
    Column("dedupe_key", String(300)),  # two webhooks of equal keys are one
    Column("payload", LargeBinary, nullable=False),
    Column("state", String(8), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),  # no attempt begins or goes on after this
    Column("sent_at", BigInteger),  # of a batch's: set before it leaves, cleared when it is known not to have arrived
    Column("lease_owner", String(64)),
    Column("lease_until", BigInteger),
    Column("reason", String(32)),
    Column("detail", Text),
    Column("result", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("replayed_at", BigInteger),  # when it was last replayed: the bound of its age runs from here
    Column("attempts_at_replay", Integer),  # how many attempts it had had then: the bound of attempts counts from here
    sqlite_autoincrement=True,
)


def is_in(table: FromClause, *states: DeliveryState) -> ColumnElement[bool]:
    """A row's state, written out in the statement: SQLite uses no partial index for a state that is a parameter."""
    column = table.c.state
    if len(states) == 1:
        return column == literal_column(f"'{states[0]}'")
    return column.in_([literal_column(f"'{state}'") for state in states])


def is_besides(table: FromClause, *states: DeliveryState) -> ColumnElement[bool]:
    """A row's state where another condition is to choose the index: no planner looks up an expression in one."""
    state = func.coalesce(table.c.state, "")
    # a list is written into the statement anew each time that it runs
    return state == states[0] if len(states) == 1 else state.in_(states)


def _partial_index(name: str, *columns: Column[Any], where: str, unique: bool = False) -> None:
    """An index of the rows that meet a condition, in either database."""
    condition = text(where)
    Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


# the state comes first where an index is of one state only: SQLite takes no other for looks that ask for the state
_partial_index(
    "ux_deliveries_one_running",
    deliveries.c.state,
    deliveries.c.order_key,
    unique=True,
    where="state = 'running'",
)
_partial_index(
    "ix_deliveries_unfinished",
    deliveries.c.order_key,
    deliveries.c.id,
    where="state IN ('pending', 'running')",
)
_partial_index(
    "ix_deliveries_due",
    deliveries.c.state,
    deliveries.c.connection,
    deliveries.c.kind,
    deliveries.c.due_at,
    deliveries.c.id,
    where="state = 'pending'",
)
_partial_index(
    "ux_deliveries_dedupe",
    deliveries.c.connection,
    deliveries.c.kind,
    deliveries.c.dedupe_key,
    unique=True,
    where="dedupe_key IS NOT NULL",
)
_partial_index(
    "ix_deliveries_finished",
    deliveries.c.state,
    deliveries.c.finished_at,
    where="finished_at IS NOT NULL",
)
Index("ix_deliveries_subject", deliveries.c.subject, deliveries.c.id)
Index("ix_deliveries_created", deliveries.c.created_at, deliveries.c.id)
_partial_index(
    "ix_deliveries_dead",
    deliveries.c.state,
    deliveries.c.created_at,
    deliveries.c.id,
    where="state = 'dead'",
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("outcome", String(32), nullable=False),  # ok, or a reason word
    Column("detail", Text),
)

heartbeat = Table(
    "heartbeat",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    info={"passing": True},  # true for a moment only: a store that holds nothing else is empty
)

traces = Table(
    "traces",
    metadata,
    Column("key", String(40), primary_key=True),  # the id that the sender of the work was told
    Column("traceparent", String(55), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_traces_at", "at"),
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("connection", String(63), nullable=False),
    Column("target", String(16), nullable=False),  # vainu, aixon
    Column("state", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("since", BigInteger),  # customers last changed before it are left out
    Column("phase", String(16), nullable=False),  # recognition, customers, deletions
    Column("cursor", String(500)),  # where the CRM's next page begins; None for the first
    Column("counts", Text, nullable=False),  # JSON: what was done so far
    Column("total", BigInteger),  # how many customers there are, as far as the CRM says
    Column("detail", Text),  # why it was interrupted
    Column("lease_owner", String(64)),
    Column("lease_until", BigInteger),
    Column("started_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    sqlite_autoincrement=True,
)

_partial_index(
    "ux_sync_runs_one_running",
    sync_runs.c.connection,
    sync_runs.c.target,
    unique=True,
    where="state = 'running'",
)
Index("ix_sync_runs_latest", sync_runs.c.connection, sync_runs.c.target, sync_runs.c.id)

sync_records = Table(
    "sync_records",
    metadata,
    Column("connection", String(63), primary_key=True),
    Column("target", String(16), primary_key=True),
    Column("record_id", String(128), primary_key=True),  # the CRM's id, or what Aixon knows the customer by
    Column("digest", LargeBinary(16)),  # of what the target has taken; None: send it whatever it is
    Column("remote_id", String(128)),  # Vainu's id of the customer data
    Column("create_sent", Boolean, nullable=False),  # a create left whose outcome is unknown
    Column("seen_run", BigInteger, nullable=False),  # the last run in which the CRM listed it; 0: none did
)
Index("ix_sync_records_remote", sync_records.c.connection, sync_records.c.target, sync_records.c.remote_id)

sync_refusals = Table(
    "sync_refusals",
    metadata,
    Column("connection", String(63), primary_key=True),
    Column("target", String(16), primary_key=True),
    Column("record_id", String(128), primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),  # of what was refused
    Column("remote_id", String(128)),  # the target's object that it was about; None for one to be made
    Column("refused_at", BigInteger, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("told", Text, nullable=False),  # JSON: the detail, and the candidates
    Column("holder", String(128)),  # the CRM's id of the customer that has the company's only object
    Column("holder_digest", LargeBinary(16)),  # of the company that the holder was then
)

sync_targets = Table(
    "sync_targets",
    metadata,
    Column("connection", String(63), primary_key=True),
    Column("target", String(16), primary_key=True),
    Column("recognised_at", BigInteger),  # when what the target held already was last listed
    # Aixon: JSON, its cell, or the create of one that may have happened. Vainu: the id of the last batch import
    Column("cell", Text),
)

console_keys = Table(
    "console_keys",
    metadata,
    Column("id", Integer, primary_key=True),  # one row: 1
    Column("key", LargeBinary(32), nullable=False),  # signs the console's cookies and forms, at every gateway alike
    Column("made_at", BigInteger, nullable=False),
)

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id_digest", LargeBinary(32), primary_key=True),  # SHA-256: who reads the store cannot act as the operator
    Column("credential", String(400), nullable=False),  # what it was opened with, and ends with
    Column("operator", String(320), nullable=False),  # the name that is shown and written into the audit log
    Column("opened_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),  # when a person last asked for something
    Index("ix_console_sessions_opened", "opened_at"),
)

seal_keys = Table(
    "seal_keys",
    metadata,
    Column("key_id", String(8), primary_key=True),  # of a key that has sealed values here, in hex
    Column("first_used_at", BigInteger, nullable=False),
)
