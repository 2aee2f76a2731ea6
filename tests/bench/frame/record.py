"""`results.json`: the last run of each mode, by measurement, with the machine it ran on."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.bench.frame.machine import Machine
from tests.bench.frame.results import Name, Result

FILE = Path(__file__).parents[1] / "results.json"
PICTURE = FILE.with_name("ratios.svg")


class Measured(msgspec.Struct, frozen=True):
    """One measurement, when and of what."""

    at: str
    commit: str
    results: tuple[Result, ...]


class Run(msgspec.Struct, frozen=True):
    """The measurements of one mode on one machine."""

    machine: Machine
    load: str
    """What sends the closed loop's requests."""
    measurements: dict[str, Measured]

    def results(self) -> list[Result]:
        """Of all measurements."""
        return [result for measured in self.measurements.values() for result in measured.results]


class Record(msgspec.Struct, frozen=True):
    """Everything that is kept."""

    runs: dict[Name, Run] = {}

    def with_run(self, mode: Name, run: Run) -> "Record":
        """The record with a run laid over the last one of its mode; a run on another machine begins anew."""
        last = self.runs.get(mode)
        kept: Mapping[str, Measured] = {}
        if last is not None and (last.machine, last.load) == (run.machine, run.load):
            kept = last.measurements
        return Record({**self.runs, mode: msgspec.structs.replace(run, measurements={**kept, **run.measurements})})

    def best(self) -> Run | None:
        """The run to show: the whole one, else the quick one."""
        return self.runs.get("whole") or self.runs.get("quick")


def read(file: Path | None = None) -> Record:
    """What the file holds; an empty record where there is none. `msgspec.ValidationError` for one of another shape."""
    file = file or FILE
    return msgspec.json.decode(file.read_bytes(), type=Record) if file.exists() else Record()


def write(record: Record, file: Path | None = None) -> None:
    """Put the record in place of the last one."""
    (file or FILE).write_bytes(msgspec.json.format(msgspec.json.encode(_rounded(record)), indent=1) + b"\n")


def _rounded(record: Record) -> object:
    return _round(msgspec.to_builtins(record))


def _round(value: object) -> object:
    if isinstance(value, dict):
        return {key: _round(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_round(each) for each in value]
    # four digits say more than a measurement does
    return float(f"{value:.4g}") if isinstance(value, float) else value
