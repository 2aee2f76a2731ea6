"""Runs measurements one after the other; what one of them breaks, the others do not feel."""

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from types import FrameType
from typing import Protocol, cast

from tests.bench.frame import comparison, machine, picture, table
from tests.bench.frame import record as kept
from tests.bench.frame.results import Mode, Result
from tests.bench.parts import load

NAMES = (
    "webhooks",
    "feed",
    "timestamps",
    "start",
    "growth",
    "connections",
    "exports",
    "slow_feeds",
    "feed_under_webhooks",
    "processes",
    "peers",
    "transports",
    "sync",
    "aixon",
)
"""The order in which they run: what quick mode has no time for is at the end."""
NOT_QUICK = ("transports", "sync", "aixon")
QUICK_SECONDS = 110.0
"""What quick mode takes at most. What has not ended by then has not failed: it is told, and left out."""
WHOLE_SECONDS = 900.0
"""What one measurement takes at most; one that hangs fails."""


class Measurement(Protocol):
    """A module of `tests.bench.measurements`."""

    def measure(self, mode: Mode) -> Iterator[Result]:
        """The results, each when it is there."""


class OutOfTime(Exception):
    """A measurement's time is over."""


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    results: dict[str, list[Result]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def every_result(self) -> list[Result]:
        """Of all measurements, in their order."""
        return [result for results in self.results.values() for result in results]


def module_of(name: str) -> Measurement:
    """The module of a measurement."""
    return cast(Measurement, import_module(f"tests.bench.measurements.{name}"))


def record(mode: Mode, names: Sequence[str]) -> int:
    """Run them, show the table, keep results and picture; the exit code."""
    outcome = _run(mode, names or _names_of(mode))
    _show(mode, outcome)
    at, commit = machine.now(), machine.commit()
    measured = {name: kept.Measured(at, commit, tuple(results)) for name, results in outcome.results.items()}
    whole = kept.read().with_run(mode.name, kept.Run(machine.describe(), load.generator(), measured))
    kept.write(whole)
    write_picture(whole)
    return 1 if outcome.failures else 0


def write_picture(whole: kept.Record) -> None:
    """Draw the recorded run."""
    shown = whole.best()
    if shown is not None:
        on = f"{shown.machine.cpu}, {shown.machine.cores} cores; load from {shown.load}"
        kept.PICTURE.write_text(picture.draw(shown.results(), on), encoding="utf-8")


def check(mode: Mode, names: Sequence[str]) -> int:
    """Run them and hold the ratios against the recorded ones; the exit code. A run of the same mode is preferred."""
    runs = kept.read().runs
    last = runs.get(mode.name) or runs.get("whole")
    if last is None:
        print("nothing is recorded yet: nothing to compare with; `make bench` records")
        return 0
    outcome = _run(mode, names or _names_of(mode))
    _show(mode, outcome)
    falls = comparison.fallen(last.results(), outcome.every_result())
    if falls:
        # a neighbour's peak may have been the cause
        suspects = [name for name, results in outcome.results.items() if _is_among(falls, results)]
        print(f"\nonce more, for what fell: {', '.join(suspects)}", flush=True)
        again = _run(mode, suspects)
        outcome.failures |= again.failures
        falls = [fall for fall in comparison.fallen(last.results(), again.every_result()) if fall.key in keys(falls)]
    for fall in falls:
        print(f"SLOWER: {fall}")
    return 1 if falls or outcome.failures else 0


def keys(falls: Sequence[comparison.Fall]) -> set[tuple[str, str]]:
    """Which comparisons fell."""
    return {fall.key for fall in falls}


def _is_among(falls: Sequence[comparison.Fall], results: Sequence[Result]) -> bool:
    return any((result.job, result.beside) in keys(falls) for result in results)


def _names_of(mode: Mode) -> list[str]:
    return [name for name in NAMES if mode.name == "whole" or name not in NOT_QUICK]


def _run(mode: Mode, names: Sequence[str]) -> Outcome:
    outcome = Outcome()
    end = time.monotonic() + QUICK_SECONDS
    for name in names:
        left = end - time.monotonic() if mode.name == "quick" else WHOLE_SECONDS
        began = time.monotonic()
        _one(mode, name, left, outcome)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return outcome


def _one(mode: Mode, name: str, seconds: float, outcome: Outcome) -> None:
    found: list[Result] = []
    try:
        with _at_most(seconds):
            for result in module_of(name).measure(mode):
                found.append(result)
                print("\n".join(table.details(result)), flush=True)
    except OutOfTime:
        if mode.name == "quick":
            outcome.left_out.append(name)
        else:
            outcome.failures[name] = f"not done within {seconds:.0f} s"
    except Exception as error:
        # the others go on; the cause is told here and at the end
        outcome.failures[name] = f"{type(error).__name__}: {error}"
        print(f"{name} FAILED: {outcome.failures[name]}", flush=True)
    if found:
        outcome.results[name] = found


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def over(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime

    if seconds <= 0:
        raise OutOfTime
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _show(mode: Mode, outcome: Outcome) -> None:
    on = machine.describe()
    print(f"\n{mode.name} run on {on.cpu}, {on.cores} cores, {on.python}; load from {load.generator()}\n")
    print("\n".join(table.lines(outcome.every_result())))
    if outcome.left_out:
        print(f"\nno time left in quick mode for the rest of: {', '.join(outcome.left_out)}")
    for name, why in outcome.failures.items():
        print(f"\n{name} FAILED: {why}")
