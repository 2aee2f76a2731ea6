"""The store of a configuration, with the keys that the configuration gives it."""

from gateway.settings.model import StorageSettings
from gateway.store import Seal, Store
from gateway.store.database import ObserveCommit


def store_of(storage: StorageSettings, observe: ObserveCommit | None = None) -> Store:
    """The store, not opened yet; `observe` hears of its commits."""
    seal = Seal(storage.encryption_key, storage.previous_encryption_keys)
    return Store(storage.url, observe, seal=seal) if observe else Store(storage.url, seal=seal)
