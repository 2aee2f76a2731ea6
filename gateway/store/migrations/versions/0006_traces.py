"""Which trace a piece of work began in."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "traces",
        sa.Column("key", sa.String(40), primary_key=True),
        sa.Column("traceparent", sa.String(55), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_traces_at", "traces", ["at"])
