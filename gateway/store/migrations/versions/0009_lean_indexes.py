"""Indexes of unfinished work: smaller, and such that SQLite takes them where thousands of deliveries wait."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ux_deliveries_one_running", ["state", "order_key"], True, "state = 'running'"),
    ("ix_deliveries_due", ["state", "connection", "kind", "due_at", "id"], False, "state = 'pending'"),
    ("ix_deliveries_finished", ["state", "finished_at"], False, "finished_at IS NOT NULL"),
)


def upgrade() -> None:
    """Make them anew; one is not needed, for what has one order key has one subject."""
    op.drop_index("ix_deliveries_order", "deliveries")
    for name, columns, unique, where in _INDEXES:
        op.drop_index(name, "deliveries")
        condition = sa.text(where)
        op.create_index(name, "deliveries", columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
