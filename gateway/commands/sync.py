"""`gateway sync`: a connection's customers to Vainu or to Aixon."""

import asyncio
import contextlib
import sys

import msgspec

from gateway import logs
from gateway.clock import moment, now_ms
from gateway.commands.configuration import load_settings, require_connection
from gateway.commands.failures import WorkFailed, WrongUse
from gateway.commands.output import console
from gateway.commands.sync_display import Failures, Shown, print_end, watcher
from gateway.commands.sync_report import Report, open_report, summary_of
from gateway.commands.when import read_when
from gateway.runtime import open_connection
from gateway.settings import Settings
from gateway.storage import store_of
from gateway.store import StoreUnavailable
from gateway.store.sync_runs import SyncRunning
from gateway.sync.order import CannotSync, Order, SyncStopped
from gateway.sync.patience import Patience
from gateway.sync.progress import Begun, Counts, Progress, RowReport, Target
from gateway.sync.syncs import Syncs

_TARGETS: dict[str, Target] = {"vainu": "vainu", "aixon": "aixon"}


def order_of(connection: str, to: str, since: str | None, dry_run: bool, delete: bool, full: bool) -> Order:
    """What the options mean; `WrongUse` where they mean nothing."""
    if to not in _TARGETS:
        raise WrongUse(f"--to {to}: expected vainu or aixon")
    if since is not None and (delete or full):
        raise WrongUse("--since reads a part of the customers: neither --delete nor --full goes with it")
    if delete and to == "aixon":
        raise WrongUse("--delete: Aixon's API deletes no customers")
    return Order(connection, _TARGETS[to], dry_run, delete, full, read_when("--since", since, now_ms()))


def run(config: str | None, order: Order, report: str | None, as_json: bool) -> int:
    """Sync once; 0 when every customer is at the target as the CRM has it, 1 when some failed or the run stopped."""
    logs.configure(json=False, level=logs.ERROR)
    _path, settings = load_settings(config)
    require_connection(settings, order.connection)
    shown = watcher(console(), as_json)
    watching = _Watching(shown, None if report is None else open_report(report))
    stopped: str | None = "interrupted"
    try:
        asyncio.run(_sync(settings, order, watching))
        stopped = None
    except SyncStopped as error:
        stopped = error.detail
    except SyncRunning as error:
        stopped = _running(error)
    except StoreUnavailable as error:
        stopped = str(error)
    except CannotSync as error:
        raise WrongUse(str(error)) from None
    finally:
        watching.end(stopped)
    return _told(order, watching, stopped, as_json)


def _told(order: Order, watching: "_Watching", stopped: str | None, as_json: bool) -> int:
    counts = watching.counts
    if as_json:
        sys.stdout.write(msgspec.json.encode(summary_of(watching.begun_as, counts, stopped)).decode() + "\n")
    elif watching.begun_as is not None:
        print_end(console(), counts, order.target, order.dry_run, watching.failures)
    if stopped is not None:
        goes_on = "" if watching.begun_as is None or order.dry_run else "; the next sync goes on from there"
        raise WorkFailed(stopped + goes_on)
    return 1 if counts.failed else 0


def _running(error: SyncRunning) -> str:
    run = error.run
    since = moment(run.started_at).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f'"{run.connection}" is being synced to {run.target} by another process since {since}; '
        "wait for it, or stop it: only one at a time"
    )


async def _sync(settings: Settings, order: Order, watching: "_Watching") -> None:
    store = store_of(settings.storage)
    await asyncio.to_thread(store.open)
    live = open_connection(settings.connections[order.connection])
    try:
        await Syncs(store, now_ms, Patience()).run(live, order, watching)
    finally:
        await live.close(patience=0)
        await asyncio.to_thread(store.close)


class _Watching:
    """Passes on what a sync tells: to the screen, the report, and the exit code."""

    def __init__(self, shown: Shown, report: Report | None) -> None:
        self._shown = shown
        self._report = report
        self.begun_as: Begun | None = None
        self.counts = Counts()
        self.failures = Failures()

    def begun(self, begun: Begun) -> None:
        """The run begins."""
        self.begun_as, self.counts = begun, begun.counts
        self._shown.begun(begun)

    def row(self, report: RowReport) -> None:
        """A customer is done with."""
        self.failures.add(report)
        self._shown.row(report)
        if self._report is not None:
            self._report.row(report)

    def step(self, progress: Progress) -> None:
        """A page is done with."""
        self._shown.step(progress)
        if self._report is not None:
            self._report.flush()

    def end(self, stopped: str | None) -> None:
        """Nothing more comes."""
        self._shown.ended()
        if self._report is not None:
            with contextlib.suppress(WorkFailed):
                self._report.end(summary_of(self.begun_as, self.counts, stopped))
