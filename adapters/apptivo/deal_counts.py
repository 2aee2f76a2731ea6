"""How many deals each customer has, for a listing of all customers.

One reading of all opportunities costs a call for every hundred of them; a search for each customer one a customer. So
the first is tried, and its counts are kept in some 20 to 50 bytes a customer that has deals.
"""

import hashlib
from array import array
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from adapters.customers import Deals

Outcome = Literal["open", "won", "lost"]
_MOST = 0xFFFF
_FIRST_SLOTS = 1 << 10
_NEVER = -(1 << 62)


class DealCounts:
    """A hash table in arrays, open addressing: a dict of objects would take ten times the memory."""

    def __init__(self) -> None:
        self._used = 0
        self._allocate(_FIRST_SLOTS)

    def add(self, customer_id: str, outcome: Outcome, won_at: datetime | None) -> None:
        """Count one deal."""
        if 3 * self._used > 2 * len(self._keys):
            self._grow()
        slot = self._slot(_key(customer_id))
        counts = self._counts[outcome]
        counts[slot] = min(_MOST, counts[slot] + 1)
        if won_at is not None:
            self._won_at[slot] = max(self._won_at[slot], int(won_at.timestamp()))

    def of(self, customer_id: str) -> Deals:
        """A customer's deals; times to the second."""
        slot = self._slot(_key(customer_id), is_new=False)
        if slot < 0:
            return Deals()
        won_at = self._won_at[slot]
        at = datetime.fromtimestamp(won_at, UTC) if won_at > _NEVER else None
        counts = self._counts
        return Deals(counts["open"][slot], counts["won"][slot], counts["lost"][slot], at)

    def _allocate(self, slots: int) -> None:
        self._keys = array("Q", bytes(8 * slots))
        self._counts: Mapping[Outcome, Any] = {name: array("H", bytes(2 * slots)) for name in ("open", "won", "lost")}
        self._won_at = array("q", [_NEVER]) * slots

    def _slot(self, key: int, *, is_new: bool = True) -> int:
        mask = len(self._keys) - 1
        slot = key & mask
        while self._keys[slot] != key:
            if not self._keys[slot]:
                if not is_new:
                    return -1
                self._keys[slot] = key
                self._used += 1
                break
            slot = (slot + 1) & mask
        return slot

    def _grow(self) -> None:
        keys, counts, won_at = self._keys, self._counts, self._won_at
        self._used = 0
        self._allocate(4 * len(keys))
        for old, key in enumerate(keys):
            if key:
                slot = self._slot(key)
                for name, values in counts.items():
                    self._counts[name][slot] = values[old]
                self._won_at[slot] = won_at[old]


def _key(customer_id: str) -> int:
    # 64 bits: among a million customers two share a key once in 37 million listings; 0 marks a free slot
    return int.from_bytes(hashlib.blake2b(customer_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()) or 1
