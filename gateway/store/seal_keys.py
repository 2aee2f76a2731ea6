"""The register of keys: a store whose values nobody here can open is refused before anything is done to it."""

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.clock import now_ms
from gateway.store.failures import CannotOpen
from gateway.store.sealing import Seal
from gateway.store.tables import seal_keys


def check(connection: Connection, seal: Seal) -> bool:
    """Whether the key that seals is in the register; `CannotOpen` if a key in the register is not configured."""
    registered = set(connection.execute(select(seal_keys.c.key_id)).scalars())
    missing = sorted(registered - seal.key_ids)
    if missing:
        raise CannotOpen(
            f"it holds what was sealed by the key {', '.join(missing)}, which is not configured: set "
            "storage.encryption_key, or add it to storage.previous_encryption_keys; nothing was changed"
        )
    return seal.key_id is None or seal.key_id in registered


def register(connection: Connection, seal: Seal) -> None:
    """Note that from now on values are sealed by this key."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"key_id": seal.key_id, "first_used_at": now_ms()}
    connection.execute(dialect.insert(seal_keys).values(row).on_conflict_do_nothing())


def forget_others(connection: Connection, seal: Seal) -> None:
    """No value is sealed by any key but the one that seals: the others may go."""
    connection.execute(delete(seal_keys).where(seal_keys.c.key_id != (seal.key_id or "")))
