"""What operators look at: history, audit log, and the indexes of their lists and searches."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the indexes."""
    _history()
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=320), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at"], unique=False)
    _lists()


def _of_a_minute() -> tuple[sa.Column[int], sa.Column[str]]:
    return (
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
    )


def _of_a_job() -> tuple[sa.Column[int], sa.Column[str], sa.Column[str]]:
    return (*_of_a_minute(), sa.Column("job", sa.String(length=16), nullable=False))


def _history() -> None:
    op.create_table(
        "history",
        *_of_a_job(),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("errors", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        *(sa.Column(f"b{number:02}", sa.Integer(), nullable=False) for number in range(20)),
        sa.PrimaryKeyConstraint("minute", "connection", "job"),
    )
    op.create_index("ix_history_last", "history", ["connection", "job", "minute"], unique=False)
    op.create_table(
        "history_errors",
        *_of_a_job(),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "connection", "job", "reason"),
    )
    op.create_table(
        "history_backlog",
        *_of_a_minute(),
        sa.Column("oldest_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "connection"),
    )


def _lists() -> None:
    op.create_index(
        "ix_deliveries_dead",
        "deliveries",
        ["state", "created_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'dead'"),
        postgresql_where=sa.text("state = 'dead'"),
    )
    op.drop_index("ix_exports_received", "exports")
    op.create_index("ix_exports_received", "exports", ["received_at", "id"], unique=False)
    op.create_index("ix_unique_ids_unique_id", "unique_ids", ["unique_id"], unique=False)
    op.create_index("ix_unique_ids_company", "unique_ids", ["company_id"], unique=False)
    op.create_index(
        "ix_company_aliases_value",
        "company_aliases",
        ["value", "company_id"],
        unique=False,
        postgresql_ops={"value": "text_pattern_ops"},
    )
