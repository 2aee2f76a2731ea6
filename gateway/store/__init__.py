"""What is kept, and how: the only SQL of the gateway."""

from gateway.store import operator_tables  # noqa: F401 - whoever walks the metadata finds its tables, too
from gateway.store.database import Store
from gateway.store.failures import CannotOpen, StoreUnavailable, WriteRefused
from gateway.store.sealing import Seal
from gateway.store.tables import UNFINISHED, WAITS_ITS_TURN, DeliveryState

__all__ = [
    "UNFINISHED",
    "WAITS_ITS_TURN",
    "CannotOpen",
    "DeliveryState",
    "Seal",
    "Store",
    "StoreUnavailable",
    "WriteRefused",
]
