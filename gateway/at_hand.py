"""What a push has just brought, for the attempt that begins with it: the store need not be asked for it once more.

It is good for one claim only, the one that was made in the transaction in which the push was kept: as long as nobody
else may act on the company, what that transaction saw of it is true. A later attempt reads anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from adapters.contract import Company
from gateway.store.companies import CompanyRow
from gateway.store.deliveries import Delivery


@dataclass(frozen=True, slots=True)
class Brought:
    """A push that waits for its attempt."""

    claimed: Delivery
    row: CompanyRow
    company: Company


@dataclass(frozen=True, slots=True)
class AtHand:
    """The pushes of this process that were claimed where they were kept."""

    _brought: dict[int, Brought] = field(default_factory=dict)

    @contextmanager
    def of(self, claimed: Delivery | None, row: CompanyRow, company: Company) -> Iterator[None]:
        """Have it at hand for the attempt under this claim; None: the push is not claimed, and nothing is."""
        if claimed is None:
            yield
            return
        self._brought[claimed.id] = Brought(claimed, row, company)
        try:
            yield
        finally:
            self._brought.pop(claimed.id, None)

    def take(self, claimed: Delivery) -> Brought | None:
        """What the push brought under this very claim, once; None if it must be read."""
        brought = self._brought.pop(claimed.id, None)
        # another claim of the same delivery is another object: others may have acted in between
        return brought if brought is not None and brought.claimed is claimed else None
