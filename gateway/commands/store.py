"""`gateway store copy`: a whole store into another database."""

import os
import sys
import time

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.text import Text

from gateway import failpoints, logs
from gateway.commands.configuration import load_settings
from gateway.commands.failures import WorkFailed, WrongUse
from gateway.commands.output import console
from gateway.settings.model import StorageSettings
from gateway.store.copying import CopiedTable, CopyRefused, copy_store
from gateway.store.engine import shown

_EVERY_ROWS = 100_000
"""How often a copy tells where it stands, where there is no terminal for a bar."""


def run_copy(config: str | None, source: str | None, target: str) -> int:
    """Copy the store of `source`, else of the configuration, to `target`: storage URLs, or configuration files."""
    logs.configure(json=False, level=logs.ERROR)
    # for the tests that kill a copy half-way
    failpoints.arm(os.environ.get("GATEWAY_FAILPOINT"))
    here, there = _storage(source or config), _storage(target)
    screen, started = console(), time.monotonic()
    _tell(screen, f"copying {shown(here)} to {shown(there)}")
    try:
        with _watcher(screen) as watching:
            copied = copy_store(here, there, watching)
    except CopyRefused as error:
        raise WorkFailed(str(error)) from None
    for table in copied:
        _tell(screen, f"{table.name}: {table.content.rows:,} rows, equal (digest {table.content.digest:032x})")
    _tell(screen, _summary(copied, time.monotonic() - started))
    return 0


def _storage(place: str | None) -> str:
    """The storage URL that is meant: itself, or that of a configuration file."""
    if place is None or "://" not in place:
        _path, settings = load_settings(place)
        return settings.storage.url
    try:
        return StorageSettings(url=place).url
    except ValidationError as error:
        raise WrongUse(
            "; ".join(each["msg"] for each in error.errors(include_input=False, include_url=False))
        ) from None


def _summary(copied: list[CopiedTable], seconds: float) -> str:
    rows = sum(table.content.rows for table in copied)
    return (
        f"{len(copied)} tables, {rows:,} rows, copied and compared in {seconds:.1f} s; the source is as it was. "
        "Now set storage.url to the copy, start the gateway on it, and start none on the source again"
    )


def _tell(screen: Console, line: str) -> None:
    screen.print(Text(line), soft_wrap=True)
    # whoever reads a pipe wants each line when it is true
    sys.stdout.flush()


def _watcher(screen: Console) -> "_Bar | _Lines":
    return _Bar(screen) if screen.is_terminal else _Lines(screen)


class _Lines:
    """A line for every so many rows."""

    def __init__(self, screen: Console) -> None:
        self._console = screen
        self._told = 0

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing to end."""

    def __call__(self, table: str, done: int, total: int) -> None:
        """A batch is copied."""
        if done == 0:
            self._told = 0
        elif done - self._told >= _EVERY_ROWS:
            self._told = done
            _tell(self._console, f"{table}: {done:,} of {total:,} rows")


class _Bar:
    """A bar for each table in turn."""

    def __init__(self, screen: Console) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._progress = Progress(*columns, console=screen, transient=True)
        self._task: TaskID | None = None

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def __call__(self, table: str, done: int, total: int) -> None:
        """A batch is copied, or a table begins."""
        if done == 0 and self._task is not None:
            self._progress.remove_task(self._task)
        if done == 0 or self._task is None:
            self._task = self._progress.add_task(table, total=total)
        self._progress.update(self._task, completed=done)
