"""What operators are shown of work: lists, details, outcomes of replays. Times are aware and UTC, texts are redacted.

`/api/…` answers these as JSON, field by field; the OpenAPI document is made from these very types.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from gateway.store import DeliveryState

T = TypeVar("T")
ExportStatus = Literal["created", "updated", "accepted", "dead"]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list, newest first."""

    items: tuple[T, ...]
    next_cursor: str | None
    """For the next page; None at the end."""
    searched_until: datetime | None
    """Where many entries had to be looked through, and fewer than `limit` were found: how far back that was.
    `next_cursor` goes on from there."""


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A delivery in a list."""

    id: int
    connection: str
    kind: str
    """What it does: `export`, `export_details`, `customer_data`, `crm_webhook`, `company_change`, `events_…`."""
    state: DeliveryState
    subject: str
    """What it is about: of exports the company (`co_…`), of webhooks the CRM's record or the unique_id."""
    company_name: str | None
    """What that company is called, by Vainu's newest push of it; None where it is not known."""
    event_id: str | None
    """The id that the sender of a webhook (`whk_…`) or of customer events (`evt_…`) was told."""
    attempts: int
    reason: str | None
    """The last failure's fixed word, such as `timeout`."""
    detail: str | None
    """The last failure in one line."""
    created_at: datetime
    due_at: datetime | None
    """When it is tried next; None unless it is pending, and while it waits for the one before it."""
    finished_at: datetime | None
    replayed_at: datetime | None
    replayable: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline."""

    at: datetime
    what: Literal["received", "accepted", "attempt", "replayed", "finished"]
    number: int | None
    """Of an attempt, counted from 1."""
    milliseconds: int | None
    """How long an attempt took."""
    outcome: str | None
    """Of an attempt: `ok`, or the failure's fixed word; of the end: the state."""
    detail: str | None
    """What the remote system said, in one line."""


@dataclass(frozen=True, slots=True)
class CompanyLinks:
    """Which company it is about, and under which ids it is known."""

    company_id: str
    unique_ids: tuple[str, ...]
    """Every unique_id that Vainu was ever told; all of them stay valid."""
    record_id: str | None
    """The CRM's id of the customer, once it is known."""
    record_url: str | None
    """The CRM's own page of the customer, where `record_url` is configured."""
    customer_data_id: str | None
    """Vainu's id of its customer data."""
    aliases: tuple[str, ...]
    """By what a push is recognised as this company, such as `business_id 09704098 FI`."""
    export_ids: tuple[str, ...]
    """Its newest exports."""
    delivery_ids: tuple[int, ...]
    """Its newest deliveries."""


@dataclass(frozen=True, slots=True)
class DeliveryDetail:
    """Everything about one delivery."""

    line: DeliveryLine
    sentence: str
    """What the state means."""
    next_step: str
    """What to do about it."""
    timeline: tuple[Moment, ...]
    request: str
    """What came in, as readable text; secrets and personal data are masked, and a long one is cut."""
    request_bytes: int
    answer: Any
    """What the remote system's last good answer told: the result, as JSON; None before there is one."""
    export_ids: tuple[str, ...]
    """The exports whose work it does."""
    company: CompanyLinks | None
    overtaken_by: int | None
    """A newer delivery about the same record that is done: a replay would write older content after it."""
    connection_is_configured: bool


@dataclass(frozen=True, slots=True)
class ExportLine:
    """An export in a list."""

    id: str
    connection: str
    company_name: str
    unique_id: str
    """The CRM's id, or `gw_…` while there is none."""
    record_id: str | None
    status: ExportStatus
    """As Vainu's integrator is told: `accepted` while it is not finished."""
    state: DeliveryState
    """Of the delivery that does its work."""
    attempts: int
    reason: str | None
    detail: str | None
    received_at: datetime
    accepted_at: datetime | None
    """When Vainu was answered "accepted": before the CRM had it."""
    finished_at: datetime | None
    milliseconds: int | None
    """From received to finished; None while it is not, and after a replay."""
    joined: bool
    """An equal push was on its way: this one waited for that one's outcome."""
    delivery_id: int
    company_id: str


@dataclass(frozen=True, slots=True)
class ExportDetail:
    """Everything about one export."""

    line: ExportLine
    query: str
    """The query as it came, without a token."""
    customer_data_id: str | None
    """Vainu's id that the push carried."""
    delivery: DeliveryDetail


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """What a replay did, or, in a dry run, would do."""

    dry_run: bool
    count: int
    """How many deliveries are tried again."""
    deliveries: tuple[DeliveryLine, ...]
    """The first of them, at most 50, as they stood before."""
    left: tuple[DeliveryLine, ...]
    """Those that were named and are pending or running: they are left as they are."""
    missing: tuple[str, ...]
    """What was named and is not there."""
    up_to: int | None
    """Of a filter: the newest delivery that was looked at. Sent along with the replay after a dry run, it leaves out
    what has come since, so that nothing is replayed that was not counted."""
