"""Alembic's environment: runs on the connection that gateway.store.migrate hands over, inside its transaction."""

from alembic import context

from gateway.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # gateway.store.migrate owns the transaction
)
context.run_migrations()
