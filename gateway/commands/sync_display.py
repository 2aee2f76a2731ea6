"""How `gateway sync` shows what it does: a bar on a terminal, a line a page otherwise, a table at the end."""

import sys
from collections.abc import Sequence
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gateway.clock import moment
from gateway.sync import progress
from gateway.sync.progress import Begun, Counts, RowReport, Target, Watcher

_SHOWN_FAILURES = 20
_SHOWN_CANDIDATES = 5
_TITLES = {"vainu": "Vainu", "aixon": "Aixon"}


class Shown(Watcher, Protocol):
    """A watcher that is told of the end."""

    def ended(self) -> None:
        """Nothing more comes."""
        ...


class Silent:
    """For `--json`, whose output is the summary and nothing else."""

    def begun(self, begun: Begun) -> None:
        """Nothing to show."""

    def row(self, report: RowReport) -> None:
        """Nothing to show."""

    def step(self, step: progress.Progress) -> None:
        """Nothing to show."""

    def ended(self) -> None:
        """Nothing to show."""


class Lines(Silent):
    """A line a page."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def begun(self, begun: Begun) -> None:
        """What begins."""
        self._print(begun_line(begun))

    def step(self, step: progress.Progress) -> None:
        """A page."""
        counts, of = step.counts, "" if step.total is None else f" of {step.total:,}"
        told = f": {counts.customers:,}{of} customers, {counted(counts)}" if counts.customers else ""
        self._print(step.step + told)

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)
        # whoever reads a pipe wants each page when it is done
        sys.stdout.flush()


class Bar(Silent):
    """A bar that moves."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(*columns, TextColumn("{task.fields[told]}"), TimeElapsedColumn(), console=console)
        self._task = self._bar.add_task("customers", total=None, told="")

    def begun(self, begun: Begun) -> None:
        """What begins."""
        self._console.print(Text(begun_line(begun)))
        self._bar.start()

    def step(self, step: progress.Progress) -> None:
        """A page."""
        told = counted(step.counts)
        self._bar.update(self._task, completed=step.counts.customers, total=step.total, told=told)

    def ended(self) -> None:
        """Leave the bar where it is."""
        self._bar.stop()


def watcher(console: Console, as_json: bool) -> Shown:
    """What fits the output."""
    if as_json:
        return Silent()
    return Bar(console) if console.is_terminal else Lines(console)


def begun_line(begun: Begun) -> str:
    """What begins, or goes on."""
    line = f"{begun.connection}: the CRM's customers to {_TITLES[begun.target]}"
    if begun.dry_run:
        line += "; a dry run, nothing is changed"
    if begun.resumed:
        since = moment(begun.started_at).strftime("%Y-%m-%d %H:%M UTC")
        line += f"; continues the sync that began {since}, after {begun.counts.customers:,} customers"
    return line


def counted(counts: Counts) -> str:
    """The numbers that are not zero, in words."""
    told = {
        "unchanged": counts.unchanged,
        "created": counts.created,
        "updated": counts.updated,
        "failed": counts.failed,
        "deleted in the CRM": counts.gone,
        "deleted": counts.deleted,
    }
    return ", ".join(f"{number:,} {word}" for word, number in told.items() if number) or "nothing yet"


class Failures:
    """The first rows that failed, for the terminal; the report has them all."""

    def __init__(self) -> None:
        self.shown: list[RowReport] = []
        self.more = 0

    def add(self, report: RowReport) -> None:
        """Take note of a row."""
        if report.outcome != "failed":
            return
        if len(self.shown) < _SHOWN_FAILURES:
            self.shown.append(report)
        else:
            self.more += 1


def print_end(console: Console, counts: Counts, target: Target, dry_run: bool, failures: Failures) -> None:
    """The rows that failed, and the table of numbers."""
    for report in failures.shown:
        who = " ".join(part for part in (report.record_id, report.name) if part) or "a row without an id"
        since = "" if report.since is None else f" (since {moment(report.since):%Y-%m-%d %H:%M UTC}, not sent again)"
        told = f"{who}: {report.reason}: {report.detail}{since}"
        console.print(Text.assemble(("failed ", "red"), told), soft_wrap=True)
        for line in candidate_lines(report):
            console.print(Text(f"       {line}"), soft_wrap=True)
    if counts.remembered:
        number = f"{counts.remembered:,} of the failed were refused as they are now"
        console.print(Text(f"{number}, and not sent again; --full sends them"), soft_wrap=True)
    if failures.more:
        console.print(Text(f"… and {failures.more:,} more that failed; --report FILE keeps them all"))
    console.print(_table(counts, target, dry_run))
    if counts.gone and not dry_run and target == "vainu":
        console.print(Text(f"{counts.gone:,} deleted in the CRM stay at Vainu; --delete deletes them there"))


def candidate_lines(report: RowReport) -> Sequence[str]:
    """The companies to choose from, one a line."""
    lines = [
        f"could be: vid {each.vid} {each.company_name} {each.business_id} {each.country}".rstrip()
        for each in report.candidates[:_SHOWN_CANDIDATES]
    ]
    more = len(report.candidates) - len(lines)
    return [*lines, f"and {more} more"] if more > 0 else lines


def _table(counts: Counts, target: Target, dry_run: bool) -> Table:
    would = "would be " if dry_run else ""
    table = Table(title=f"customers to {_TITLES[target]}", title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("number", justify="right")
    for what, number in (
        ("read from the CRM", counts.customers),
        ("unchanged", counts.unchanged),
        (f"{would}created", counts.created),
        (f"{would}updated", counts.updated),
        ("failed", counts.failed),
        ("deleted in the CRM", counts.gone + counts.deleted),
        (f"deleted at {_TITLES[target]}", counts.deleted),
    ):
        table.add_row(what, f"{number:,}")
    return table
