"""Runs of the customer sync, and what each customer was last sent as."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the customer sync."""
    op.create_table(
        "sync_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("cursor", sa.String(length=500), nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ux_sync_runs_one_running",
        "sync_runs",
        ["connection", "target"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index("ix_sync_runs_latest", "sync_runs", ["connection", "target", "id"], unique=False)
    op.create_table(
        "sync_records",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("remote_id", sa.String(length=128), nullable=True),
        sa.Column("create_sent", sa.Boolean(), nullable=False),
        sa.Column("seen_run", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "target", "record_id"),
    )
    op.create_index("ix_sync_records_remote", "sync_records", ["connection", "target", "remote_id"], unique=False)
    op.create_table(
        "sync_targets",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("recognised_at", sa.BigInteger(), nullable=True),
        sa.Column("cell", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "target"),
    )
