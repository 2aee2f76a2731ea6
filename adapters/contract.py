"""The domain's words: what the gateway asks of an adapter, and what an adapter may answer.

An adapter holds all knowledge of one CRM. The gateway knows none: it calls the methods of `Adapter`
and gets the values below, or one of these errors. Nothing else may come out of an adapter.

    RemoteError                 any failure of a call to a remote system
    ├── Unreachable             nothing was sent: name, connection or TLS failed           retry
    ├── TimedOut                no answer in time; a write may have happened               retry
    ├── ConnectionCut           the connection broke in the call; a write may have happened retry
    ├── Throttled               the remote asks us to slow down; nothing happened          retry
    ├── ServerFault             the remote broke (5xx); a write may have happened          retry
    ├── UnexpectedReply         an answer nobody understands; a write may have happened    retry
    └── Refused                 the remote understood, and said no for good                never
        ├── BadCredentials      it does not accept our credentials                         never
        └── NotFound            it has no such record                                      never

Besides `Adapter` an adapter may keep `CustomerWebhooks`, `CustomerListing` and `BulkEvents`: ask with isinstance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import ClassVar, Literal, Protocol, runtime_checkable

import msgspec
from pydantic import BaseModel

from adapters.bulk_events import BulkEvents as BulkEvents
from adapters.bulk_events import EventBody as EventBody
from adapters.bulk_events import Fault as Fault
from adapters.bulk_events import RowOutcome as RowOutcome
from adapters.customers import NOTES_CHARACTERS as NOTES_CHARACTERS
from adapters.customers import CustomerFault as CustomerFault
from adapters.customers import CustomerListing as CustomerListing
from adapters.customers import CustomerPage as CustomerPage
from adapters.customers import CustomerSummary as CustomerSummary
from adapters.deadline import Deadline

EventType = Literal["email", "call", "activity", "task", "meeting", "event", "case", "note", "won", "lost", "open"]
"""The types of Vainu's Activity Feed (Vainu API v1, "Activity Feed")."""

Icon = Literal[
    "task", "meeting", "call", "e_meeting", "email", "deadline", "lunch",
    "won", "lost", "open", "note", "textnote", "assignment",
]  # fmt: skip
"""The icons of Vainu's Activity Feed (Vainu API v1); there is none for event, case or activity."""


class RemoteError(Exception):
    """A call to a remote system failed. `detail` is safe to show: secrets are already redacted."""

    reason: ClassVar[str] = "remote_error"
    """A fixed word, used as log key, metric label and in reports."""
    retryable: ClassVar[bool] = True
    """Whether the same call may succeed later without anybody changing anything."""
    outcome_known: ClassVar[bool] = True
    """False where a write may have happened although no good answer came."""
    may_quote: ClassVar[bool] = True
    """Whether `detail` may hold words of the remote system, and so personal data: then it is kept, but not logged."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
        """Seconds the remote asked us to wait, where it said so."""

    @property
    def for_log(self) -> str | None:
        """`detail` where all of it is our own words, else None."""
        return None if self.may_quote else self.detail


class Unreachable(RemoteError):
    """Nothing was sent: the name, the connection or TLS failed."""

    reason = "unreachable"
    may_quote = False


class TimedOut(RemoteError):
    """No answer came in time; a write may have happened."""

    reason = "timeout"
    outcome_known = False
    may_quote = False


class ConnectionCut(RemoteError):
    """The connection broke in the middle of the call; a write may have happened."""

    reason = "cut"
    outcome_known = False
    may_quote = False


class Throttled(RemoteError):
    """The remote asks us to slow down (429 and its kin); nothing happened there."""

    reason = "throttled"


class ServerFault(RemoteError):
    """The remote broke (5xx); a write may have happened."""

    reason = "server_fault"
    outcome_known = False


class UnexpectedReply(RemoteError):
    """An answer that is not what the remote's documents or samples show; a write may have happened."""

    reason = "unexpected_reply"
    outcome_known = False


class Refused(RemoteError):
    """The remote understood the request and refused it for good."""

    reason = "refused"
    retryable = False

    def __init__(
        self,
        detail: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        body: bytes | None = None,
    ) -> None:
        super().__init__(detail, retry_after=retry_after)
        self.status = status
        """The HTTP status of the answer; None where the refusal was in the body of a good one, or nothing was sent."""
        self.body = body
        """What came with that status, for adapters to read: not redacted, so never to be shown."""


class BadCredentials(Refused):
    """The remote does not accept our credentials."""

    reason = "credentials"


class NotFound(Refused):
    """The remote has no such record."""

    reason = "not_found"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person at a company, as Vainu pushes it; a missing part is an empty string."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    title: str = ""

    @property
    def full_name(self) -> str:
        """First and last name, or what there is of them."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class Lead:
    """A piece of news about a company, as Vainu pushes it (what Vainu calls a lead)."""

    title: str = ""
    link: str = ""
    added: str = ""
    """When Vainu found it; ISO 8601, without an offset in Vainu's samples."""
    tags: tuple[str, ...] = ()
    vainu_link: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """A company as Vainu pushed it, after the tolerant reading of CONTRACT section 7."""

    name: str
    document: Mapping[str, object]
    """What the field tables read: the pushed body with the prospect's own fields laid on top."""
    vid: int | None = None
    """Vainu's id of the company."""
    business_id: str | None = None
    """Upper case, without dashes, spaces and country prefix (see adapters.company_ids)."""
    country: str | None = None
    """ISO 3166-1 alpha-2, upper case."""
    domain: str | None = None
    contacts: tuple[Contact, ...] = ()
    leads: tuple[Lead, ...] = ()

    @property
    def has_details(self) -> bool:
        """Whether there is something to bring to the CRM beside the record."""
        return bool(self.contacts or self.leads)


@dataclass(frozen=True, slots=True)
class Match:
    """A record found in the CRM that is, by business id or by exact name, the company we look for."""

    record_id: str
    by: Literal["business_id", "name"]


class ActivityEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object of Vainu's Activity Feed, fields in the order of CONTRACT section 6."""

    id: str
    timestamp: str
    """`YYYY-MM-DDTHH:MM:SS.mmmZ`, UTC: sorting the text sorts the time."""
    type: EventType
    header: str = ""
    text: str = ""
    icon: Icon | Literal[""] = ""
    user_email: str = ""
    location: str = ""
    hide_time: bool = False
    value: int | float | None = None
    currency: str = ""
    probability_percent: int | float | None = None


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """An event that was dropped from the feed, and why."""

    id: str
    reason: str
    """A fixed word: one of `adapters.timestamps`' reasons, or `shape` for a row that is no object."""
    detail: str
    """One line for a person: what was got. Holds a timestamp or a type name, never other content."""


@dataclass(slots=True)
class SourceReply:
    """What one source of a CRM answered."""

    events: list[ActivityEvent] = field(default_factory=list)
    rejected: list[RejectedEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Account:
    """What `gateway check` prints of a remote account after a read-only sign-in."""

    summary: str
    """One line: who we are there and what the account can do. Never a secret."""


@dataclass(frozen=True, slots=True)
class CrmEvent:
    """What a webhook of the CRM says: that something happened with a customer. Read off the body, nothing else."""

    record_id: str
    """The CRM's id of the customer, which is then read anew from the CRM: the body itself is only a hint.

    `[A-Za-z0-9_-]{1,128}`, or a marked form with a colon that only the adapter's own `summary` understands.
    """
    event_id: str | None = None
    """The CRM's own id of the event, where it sends one; a repeat has the same."""


class Adapter(Protocol):
    """One CRM account. Every method raises only `RemoteError`s, and ends by its deadline (`TimedOut`)."""

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the feed's sources, as `Gateway-Partial` prints them."""
        ...

    async def check(self, deadline: Deadline) -> Account:
        """Sign in, read-only."""
        ...

    async def exists(self, record_id: str, deadline: Deadline) -> bool:
        """Whether the CRM has a customer with this id."""
        ...

    async def find(self, company: Company, deadline: Deadline) -> Sequence[Match]:
        """Customers that are this company: by business id first, then by exact name, oldest first.

        The adapter compares the answers itself: a search that matches parts of words never decides.
        A record that carries another business id than the company's is no match by name.
        """
        ...

    async def create(self, company: Company, deadline: Deadline) -> str:
        """Make one customer record and return its id. Exactly one write; contacts and leads come later."""
        ...

    async def update(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """Bring the customer record up to date. Safe to repeat. `NotFound` if it is gone."""
        ...

    async def add_details(self, record_id: str, company: Company, deadline: Deadline) -> None:
        """Bring the company's contacts and leads to the record. Safe to repeat: doubles nothing."""
        ...

    async def activities(self, source: str, record_id: str, limit: int, deadline: Deadline) -> SourceReply:
        """What one source knows of the customer: the newest `limit` events at least, any order.

        An unknown shape is an `UnexpectedReply`, never an empty reply.
        """
        ...

    def record_url(self, record_id: str) -> str | None:
        """The CRM's own page of the record, for a person's browser; None where none is configured."""
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


@runtime_checkable
class CustomerWebhooks(Protocol):
    """What an adapter offers besides `Adapter` if its CRM can tell us of changes (CONTRACT section 8)."""

    def read_events(self, body: object) -> Sequence[CrmEvent]:
        """The customers that a webhook's JSON body is about, each once; empty for a kind that needs no action.

        Pure; NOTES.md says which fields tell. Never raises, whatever the body.
        """
        ...

    async def summary(self, record_id: str, deadline: Deadline) -> CustomerSummary:
        """The customer as the CRM has it now, with its deals counted. `NotFound` if it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One finished call to a remote system; metrics and health are made of these."""

    system: str
    action: str
    outcome: str
    """`ok`, or a `RemoteError.reason`."""
    seconds: float


Observer = Callable[[CallRecord], None]


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything an adapter is given when a connection is opened."""

    settings: BaseModel
    """An instance of the spec's `settings` model, secrets resolved."""
    zone: tzinfo
    """The zone of CRM times that carry no offset."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """`[connections.NAME.export.fields]`: target → JMESPath, laid over the adapter's own table."""
    observe: Observer = lambda _record: None


@dataclass(frozen=True, slots=True)
class AdapterSpec:
    """How the gateway knows an adapter: `adapters.registry`, or an entry point, holds one of these."""

    name: str
    """The value of `crm = "…"` and the name of the settings table below the connection."""
    settings: type[BaseModel]
    """Frozen, `extra="forbid"`; secrets are `adapters.secrets.Secret`."""
    fields: Mapping[str, str]
    """The adapter's own field table: target → JMESPath on the pushed body."""
    open: Callable[[Opening], Adapter]
    title: str = ""
    """The product's name for people, such as "CRM.COM"."""
    check_fields: Callable[[Mapping[str, str]], Sequence[str]] = lambda _fields: ()
    """Faults in an override table, each `target: what is wrong`; unknown targets above all."""
