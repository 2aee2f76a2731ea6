"""The machine-readable report of a sync: JSON Lines, a line for each customer but the unchanged, a summary last."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import msgspec

from gateway.clock import moment
from gateway.commands.failures import WorkFailed, WrongUse
from gateway.sync.progress import Begun, Counts, RowReport


class Report:
    """A file that grows with the run; what is written stays, however the run ends."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def row(self, report: RowReport) -> None:
        """A customer; parts that say nothing are left out."""
        line = {
            "type": "customer",
            "record_id": report.record_id,
            "outcome": report.outcome,
            "name": report.name,
            "customer_data_id": report.remote_id,
            "reason": report.reason,
            "detail": report.detail,
            "since": None if report.since is None else moment(report.since),
            "candidates": [msgspec.to_builtins(candidate) for candidate in report.candidates],
        }
        self._write({key: value for key, value in line.items() if value})

    def flush(self) -> None:
        """A page is done: what was written is in the file."""
        self._guarded(self._file.flush)

    def end(self, summary: dict[str, object]) -> None:
        """The last line."""
        self._write({"type": "summary", **summary})
        self._guarded(self._file.close)

    def _write(self, line: dict[str, object]) -> None:
        self._guarded(lambda: self._file.write(msgspec.json.encode(line) + b"\n"))

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            raise WorkFailed(f"the report cannot be written: {error.strerror}; the sync stops") from None


def open_report(path: str) -> Report:
    """A new report, for its owner's eyes; `WrongUse` if the file cannot be written."""
    try:
        descriptor = os.open(Path(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise WrongUse(f"--report {path} cannot be written: {error.strerror}") from None
    return Report(os.fdopen(descriptor, "wb"))


def summary_of(begun: Begun | None, counts: Counts, stopped: str | None) -> dict[str, object]:
    """What a run did, as one object. `stopped` is why it ended before its last customer."""
    about = (
        {}
        if begun is None
        else {
            "connection": begun.connection,
            "to": begun.target,
            "dry_run": begun.dry_run,
            "continued": begun.resumed,
        }
    )
    counted: dict[str, object] = msgspec.to_builtins(counts)
    return {**about, "complete": stopped is None, **counted, **({"detail": stopped} if stopped else {})}
