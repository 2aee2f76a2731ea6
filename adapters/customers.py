"""A CRM's customers as Vainu's customer data and Aixon hold them, one or all of them, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from adapters.deadline import Deadline

NOTES_CHARACTERS = 2_000
"""How much of a customer's notes goes to Vainu."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Deals:
    """How many of a customer's deals are open, won and lost."""

    open: int = 0
    won: int = 0
    lost: int = 0
    last_won_at: datetime | None = None
    """When the latest of the won ones was won; aware, UTC. None where none was, or none says when."""


@dataclass(frozen=True, slots=True)
class CustomerSummary:
    """What Vainu's customer data and Aixon hold of a customer (S000, S001, S002), as the CRM has it now.

    None or empty is what the CRM does not tell.
    """

    record_id: str
    """The customer's own id, the one that `create` gave; also where `CrmEvent.record_id` was a marked form."""
    name: str
    business_id: str | None = None
    """Upper case, without dashes, spaces and country prefix."""
    country: str | None = None
    """ISO 3166-1 alpha-2, upper case."""
    owner_email: str | None = None
    last_update: datetime | None = None
    """When the CRM last changed the record; aware, UTC."""
    notes: str | None = None
    """Plain text, at most `NOTES_CHARACTERS`."""
    open_deals: int | None = None
    """This and the next two: None where the connection's settings keep the adapter from counting."""
    won_deals: int | None = None
    lost_deals: int | None = None
    last_won_at: datetime | None = None
    """When the latest of the won deals was won; aware, UTC."""
    city: str | None = None
    industry: str | None = None
    revenue: int | float | None = None
    """A year's, in the currency that the CRM holds it in."""
    employees: int | None = None
    """How many people; where the CRM knows a range only, its lower end."""
    emails: tuple[str, ...] = ()
    """The customer's own addresses, in the CRM's order and spelling."""
    labels: tuple[str, ...] = ()
    """The CRM's labels, tags or categories of the customer."""

    @property
    def last_update_ms(self) -> int | None:
        """`last_update` as Unix time in milliseconds."""
        return _milliseconds(self.last_update)

    @property
    def last_won_ms(self) -> int | None:
        """`last_won_at` as Unix time in milliseconds."""
        return _milliseconds(self.last_won_at)


def _milliseconds(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class CustomerFault:
    """A customer, or several of them, that a listing could not read."""

    reason: Literal["shape", "no_id", "no_name", "refused", "out_of_reach"]
    """`shape`: a row that is no object. `refused`: the CRM lists the customer, but does not show it whole.
    `out_of_reach`: the CRM counts customers that no listing of it gives."""
    detail: str
    """One line for a person. Holds no content of the record."""
    record_id: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page of all the customers."""

    customers: Sequence[CustomerSummary]
    """May be empty although more pages follow."""
    faults: Sequence[CustomerFault] = ()
    cursor: str | None = None
    """Where the next page begins: printable ASCII, at most 500 characters, to be kept until that page is done with.
    It holds no secret and outlives the process. None after the last page."""
    total: int | None = None
    """How many customers there are, as far as the CRM says: for a progress bar, nothing else."""


@runtime_checkable
class CustomerListing(Protocol):
    """What an adapter offers besides `Adapter` if its CRM can list all customers."""

    async def list_customers(
        self, cursor: str | None, deadline: Deadline, *, since: datetime | None = None
    ) -> CustomerPage:
        """One page: the first for None, else the one that begins at this cursor. The same again when it is repeated.

        A row that cannot be read is among the page's faults. A page that fails raises a `RemoteError` and may be
        asked for again; the work of the failed call is not lost, so a page may take several. A cursor that this
        adapter did not make is `Refused`. `since` (aware) leaves out customers that were last changed before it,
        and keeps those whose last change is not known.

        People work in the CRM meanwhile: a customer may come twice, and one that is missing is not proved to be
        deleted until `exists` says so.
        """
        ...
