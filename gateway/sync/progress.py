"""What a sync tells of itself while it runs, and what became of each customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from adapters.vainu import CompanyInfo

Target = Literal["vainu", "aixon"]
Outcome = Literal["created", "updated", "failed", "gone", "deleted"]
"""What became of a customer; `gone`: only the CRM has it no more. Unchanged ones are only counted."""


class Counts(msgspec.Struct):
    """What a run has done so far, also before it was interrupted."""

    pages: int = 0
    customers: int = 0
    """Read from the CRM."""
    unchanged: int = 0
    created: int = 0
    updated: int = 0
    failed: int = 0
    """Rows that were not sent, or not taken; those that the CRM lists and cannot show too."""
    remembered: int = 0
    """Of the failed: refused earlier as they are now, and not sent again."""
    gone: int = 0
    """Deleted in the CRM, and still at the target."""
    deleted: int = 0
    """Deleted in the CRM, and so at the target."""

    def add(self, outcome: Outcome) -> None:
        """One more of these."""
        setattr(self, outcome, getattr(self, outcome) + 1)


@dataclass(frozen=True, slots=True)
class RowReport:
    """What became of one customer."""

    record_id: str
    """The CRM's id; "" where a row has none."""
    outcome: Outcome
    name: str = ""
    remote_id: str = ""
    """Vainu's id of the customer data."""
    reason: str = ""
    """A fixed word, where it failed."""
    detail: str = ""
    """One line for a person, redacted."""
    candidates: Sequence[CompanyInfo] = ()
    """The companies to choose from, where several fit."""
    since: int | None = None
    """When it was refused, Unix milliseconds, where it was not sent again; None where this run was told so."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A run begins or goes on."""

    connection: str
    target: Target
    dry_run: bool
    resumed: bool
    """Whether it continues an interrupted run."""
    started_at: int
    """When the run began, the interrupted one if it continues one; Unix milliseconds."""
    counts: Counts
    run_id: int


@dataclass(frozen=True, slots=True)
class Progress:
    """After a page, or another step that took its time."""

    counts: Counts
    total: int | None
    """How many customers there are, as far as the CRM says."""
    step: str
    """What was done, in a few words."""


class Watcher(Protocol):
    """Hears of a sync as it goes on. Called in the event loop, so it must be quick."""

    def begun(self, begun: Begun) -> None:
        """The run begins."""
        ...

    def row(self, report: RowReport) -> None:
        """A customer is done with."""
        ...

    def step(self, progress: Progress) -> None:
        """A page is done with, or another step."""
        ...
