"""What is kept, and how: the only SQL of the gateway."""

from gateway.store.database import Store, StoreUnavailable, WriteRefused
from gateway.store.tables import DeliveryState

__all__ = ["DeliveryState", "Store", "StoreUnavailable", "WriteRefused"]
