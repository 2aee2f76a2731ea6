"""Events of customers that a CRM takes in bulk: checked before anything is kept, then pushed, row by row told apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from adapters.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of a body."""

    path: str
    """Where, from the top of what was checked, such as `products_set[1].net_amount`; "" is the whole of it."""
    message: str
    """Expected and got, on one line. Holds no content of the body but short words."""


@dataclass(frozen=True, slots=True)
class EventBody:
    """A request's body as read: what to keep, or why not."""

    rows: Sequence[Mapping[str, Any]]
    """The rows in the CRM's own format, each complete and fit to be sent at any later time; empty beside faults."""
    faults: Sequence[Fault]
    """Every fault of every row, with paths from the top of the body; empty where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row."""

    request_unique_identifier: str
    """The row's own, as the caller gave it."""
    is_done: bool
    """Whether the CRM has the event now; only then is there an `id`."""
    id: str = ""
    number: str = ""
    error_code: str = ""
    """The CRM's own code, or a `RemoteError.reason` where the whole call failed, or `not_in_reply`, `not_sent`."""
    error_description: str = ""
    """One line, secrets redacted."""
    is_retryable: bool = False
    """Whether the same row may be done later without anybody changing anything. Never beside `is_done`."""
    is_outcome_known: bool = True
    """False where the event may be in the CRM all the same: push it again with `is_repeat` only."""
    retry_after: float | None = None
    """Seconds the CRM asked to wait, where it said so."""


@runtime_checkable
class BulkEvents(Protocol):
    """What an adapter offers besides `Adapter` if its CRM takes events of customers in bulk."""

    @property
    def event_kinds(self) -> Sequence[str]:
        """The kinds, as URLs spell them; at most 24 characters each."""
        ...

    def check_event(self, kind: str, row: object) -> list[Fault]:
        """Every fault of one row of this kind, paths from the top of the row. Pure; never raises for a kind there is.

        KeyError for a kind that is none of `event_kinds`.
        """
        ...

    def read_event_body(self, kind: str, body: object, key: str) -> EventBody:
        """The rows of a request's JSON body, every one of them checked, and none twice.

        `key` is unique to the request for all time. Rows that bring no reference number of their own get one that is
        made of it, by which a repeat is recognised. Pure. KeyError as `check_event`.
        """
        ...

    async def push_events(
        self, kind: str, rows: Sequence[Mapping[str, Any]], deadline: Deadline, *, is_repeat: bool = False
    ) -> list[RowOutcome]:
        """Send rows that were checked, of one request or of many; one outcome a row, in the order of the rows.

        Never raises a `RemoteError`: where a whole call fails, its rows say so. With `is_repeat`, for rows that may
        have been sent before (a crash, an outcome that is not known), the CRM is asked first, and what it has is done.
        """
        ...
