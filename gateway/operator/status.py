"""What operators are shown of connections, the service and its history. Times are aware and UTC."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Job = Literal["export", "feed", "webhook", "events", "delivery"]
"""What is counted: pushes, feeds, webhooks of either side, customer events, and attempts at deliveries."""
State = Literal["ok", "failing", "unknown", "removed"]


@dataclass(frozen=True, slots=True)
class SystemCondition:
    """How a remote system last behaved towards this process."""

    system: str
    """The CRM's adapter, `vainu` or `aixon`."""
    state: Literal["unknown", "ok", "failing"]
    reason: str | None
    """A fixed word; None unless failing."""
    last_ok: datetime | None
    last_failure: datetime | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """When a connection was last called, of all processes; None: not within `storage.retention_days`."""

    export: datetime | None
    feed: datetime | None
    webhook: datetime | None
    events: datetime | None


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """A connection at a glance."""

    name: str
    crm: str | None
    """The adapter's name; None if the connection is not in the configuration any more."""
    crm_title: str | None
    """The product's name for people."""
    configured: bool
    """False for one whose work waits, since the configuration does not have it any more."""
    state: State
    """`failing` while one of its systems fails or a circuit is open."""
    systems: tuple[SystemCondition, ...]
    waiting_kinds: tuple[str, ...]
    """Kinds of delivery whose circuit is open in this process: their work waits."""
    last_traffic: Traffic
    pending: int | None
    """None while the store does not answer; so are `running` and `dead`."""
    running: int | None
    dead: int | None
    oldest_due_seconds: float | None
    """The age of its oldest due delivery; None when nothing is due."""
    syncs_to: tuple[str, ...]
    """Where its customers can be synced to: `vainu`, `aixon`."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole gateway at a glance."""

    at: datetime
    ready: bool
    checks: dict[str, Any]
    """As `/health/ready` answers."""
    connections: tuple[ConnectionStatus, ...]
    pending: int | None
    """None while the store does not answer; so are `running` and `dead`."""
    running: int | None
    dead: int | None
    oldest_due_seconds: float | None
    version: str


@dataclass(frozen=True, slots=True)
class SyncLine:
    """A run of the customer sync."""

    id: int
    connection: str
    target: str
    state: Literal["running", "interrupted", "done", "abandoned"]
    dry_run: bool
    since: datetime | None
    """Customers last changed before it were left out."""
    phase: str
    counts: dict[str, int]
    """`customers` read from the CRM so far; of them `unchanged`, `created`, `updated`, `failed`, `gone`, `deleted`."""
    total: int | None
    """How many customers there are, as far as the CRM says."""
    percent: float | None
    """How much is done; None where the CRM does not say how much there is."""
    detail: str | None
    """Why it was interrupted."""
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry of the audit log."""

    id: int
    at: datetime
    who: str
    """`token` and the token's name (12 hex digits that do not tell it), an e-mail address of OIDC, or `unknown`."""
    action: str
    """A fixed word: `replay`, `sync.start`, `sign_in`, `sign_in.failed`, `sign_out`."""
    target: str
    """What it was done to, such as `delivery 4711`; "" where there is nothing to name."""
    address: str
    """Whose address the request came from; an IPv6 one as its /64 network."""
    outcome: str
    """`begun`, `done`, `refused` or `failed`."""
    detail: str


@dataclass(frozen=True, slots=True)
class Series:
    """What was counted of one job, interval by interval; all lists are as long as `History.times`."""

    connection: str | None
    """None: all of them together."""
    job: Job
    counts: tuple[int, ...]
    errors: tuple[int, ...]
    p50: tuple[float | None, ...]
    """Milliseconds; None where nothing was counted."""
    p95: tuple[float | None, ...]
    p99: tuple[float | None, ...]
    errors_by_reason: dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class BacklogSeries:
    """The age of the oldest due delivery, interval by interval: the greatest seen; None where nobody looked."""

    connection: str | None
    """None: of all of them."""
    seconds: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Series ready for charts."""

    since: datetime
    until: datetime
    step_seconds: int
    times: tuple[datetime, ...]
    """When each interval begins."""
    series: tuple[Series, ...]
    """Of all connections together first, then of each; only jobs that occur."""
    backlog: tuple[BacklogSeries, ...]
    budget_ms: int
    """What Vainu waits for an answer, 3,000 unless it is told otherwise."""
