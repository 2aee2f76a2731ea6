"""What a sync's target refused for good, which is not sent again as long as nothing changes."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "sync_refusals",
        sa.Column("connection", sa.String(length=63), nullable=False),
        sa.Column("target", sa.String(length=16), nullable=False),
        sa.Column("record_id", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("remote_id", sa.String(length=128), nullable=True),
        sa.Column("refused_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("holder", sa.String(length=128), nullable=True),
        sa.Column("holder_digest", sa.LargeBinary(length=16), nullable=True),
        sa.PrimaryKeyConstraint("connection", "target", "record_id"),
    )
