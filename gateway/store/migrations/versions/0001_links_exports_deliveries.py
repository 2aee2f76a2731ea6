"""Links, exports, deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
    )
    op.create_table(
        "companies",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("gateway_id", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.String(length=128), nullable=True),
        sa.Column("vid", sa.BigInteger(), nullable=True),
        sa.Column("business_id", sa.String(length=64), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("customer_data_id", sa.String(length=128), nullable=True),
        sa.Column("create_sent_at", sa.BigInteger(), nullable=True),
        sa.Column("create_settles_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("gateway_id"),
    )
    op.create_index("ix_companies_record", "companies", ["connection", "record_id"], unique=False)
    op.create_table(
        "company_aliases",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "value", "country"),
    )
    op.create_index("ix_company_aliases_company", "company_aliases", ["company_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("order_key", sa.String(length=200), nullable=False),
        sa.Column("content_key", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("event_id", sa.String(length=40), nullable=True),
        sa.Column("dedupe_key", sa.String(length=300), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("replayed_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts_at_replay", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_created", "deliveries", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["connection", "kind", "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("ix_deliveries_finished", "deliveries", ["state", "finished_at"], unique=False)
    op.create_index("ix_deliveries_order", "deliveries", ["order_key", "id"], unique=False)
    op.create_index("ix_deliveries_subject", "deliveries", ["subject", "id"], unique=False)
    op.create_index(
        "ix_deliveries_unfinished",
        "deliveries",
        ["order_key", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('pending', 'running')"),
        postgresql_where=sa.text("state IN ('pending', 'running')"),
    )
    op.create_index(
        "ux_deliveries_dedupe",
        "deliveries",
        ["connection", "kind", "dedupe_key"],
        unique=True,
        sqlite_where=sa.text("dedupe_key IS NOT NULL"),
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
    op.create_index(
        "ux_deliveries_one_running",
        "deliveries",
        ["order_key"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "exports",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("customer_data_id", sa.String(length=128), nullable=True),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_exports_company", "exports", ["company_id"], unique=False)
    op.create_index("ix_exports_delivery", "exports", ["delivery_id"], unique=False)
    op.create_index("ix_exports_received", "exports", ["received_at"], unique=False)
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "unique_ids",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("unique_id", sa.String(length=128), nullable=False),
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("connection", "unique_id"),
    )
