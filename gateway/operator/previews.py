"""What operators are shown of a feed before Vainu is, and of an export before the CRM is."""

from dataclasses import dataclass
from typing import Any

from adapters.contract import ActivityEvent
from adapters.mapping_preview import MappedRequest, MappedValue

__all__ = [
    "Configuration",
    "FeedPreview",
    "LeftOut",
    "MappedRequest",
    "MappedValue",
    "MappingPreview",
    "MissingSource",
    "Setting",
    "SourceTime",
    "UnusedField",
]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An event that the feed does not show."""

    id: str
    reason: str
    """A fixed word."""
    detail: str


@dataclass(frozen=True, slots=True)
class MissingSource:
    """A source of the CRM that did not answer."""

    source: str
    word: str
    """`timeout` or `error`, as in `Gateway-Partial`."""
    detail: str


@dataclass(frozen=True, slots=True)
class SourceTime:
    """How long a source took."""

    source: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class FeedPreview:
    """A feed as Vainu would get it now, and what is not in it."""

    connection: str
    unique_id: str
    events: tuple[ActivityEvent, ...]
    left_out: tuple[LeftOut, ...]
    missing: tuple[MissingSource, ...]
    timings: tuple[SourceTime, ...]
    stale_seconds: int | None
    """The age of the last good feed, where no source answered."""
    more: int
    """How many older events are beyond the connection's `feed.limit`."""


@dataclass(frozen=True, slots=True)
class UnusedField:
    """A field of the export that nothing in the CRM gets."""

    field: str
    why: str


@dataclass(frozen=True, slots=True)
class MappingPreview:
    """What the CRM would get of an export; nothing was sent, and nothing was kept."""

    connection: str
    crm: str
    company_name: str
    recognised_by: tuple[str, ...]
    """By what the company would be recognised in later pushes, strongest first."""
    known_as: str | None
    """The unique_id of the company that it would be recognised as; None for a new one."""
    requests: tuple[MappedRequest, ...]
    unused: tuple[UnusedField, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force."""

    path: str
    """As in the file: `connections.acme.feed.limit`."""
    value: Any
    """None for a secret, which is never shown."""
    is_secret: bool
    origin: str | None
    """Of a secret: where it is from, such as `environment variable ACME_VAINU_KEY`."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is in force now."""

    file: str | None
    """The file's name."""
    settings: tuple[Setting, ...]
