"""Figures in memory: counted without lock or disk, told as a snapshot, joined with those of sibling processes.

Not prometheus_client's own: its counters take a lock per count, and its files for many processes (one mmap per
process and type) stay behind after each process that ever was. A histogram's figures are its buckets, each by itself,
and the sum of what was observed.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from gateway.metrics.catalogue import COUNTED, Family

MOST_SERIES = 20_000
"""Of one metric; what comes beyond is counted together, under this label."""
OTHER = "other"

Labels = tuple[str, ...]
Cell = list[float]
Figures = dict[Labels, Cell]
Snapshot = dict[str, list[tuple[Labels, Cell]]]
"""By metric; fit for JSON."""


class Series:
    """All series of one metric in this process. Counted in by one thread at a time, read by any."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.figures: Figures = {}
        self._empty = [0.0] * (len(family.buckets) + 2 if family.kind == "histogram" else 1)

    def cell(self, *labels: str) -> Cell:
        """The figures of one series, which the caller may keep and count in."""
        found = self.figures.get(labels)
        if found is None:
            if len(self.figures) >= MOST_SERIES:
                labels = (OTHER,) * len(labels)
            found = self.figures.setdefault(labels, self._empty.copy())
        return found

    def add(self, *labels: str, number: float = 1.0) -> None:
        """Count in a counter."""
        self.cell(*labels)[0] += number

    def observe(self, value: float, *labels: str) -> None:
        """Count in a histogram."""
        observe(self.cell(*labels), self.family.buckets, value)

    def replace(self, figures: Mapping[Labels, float]) -> None:
        """Take over the state of a gauge."""
        self.figures = {labels: [value] for labels, value in figures.items()}


def observe(cell: Cell, buckets: tuple[float, ...], value: float) -> None:
    """Count a value in a histogram's figures."""
    cell[bisect_left(buckets, value)] += 1
    cell[-1] += value


def snapshot(series: Iterable[Series]) -> Snapshot:
    """The figures of now."""
    # list() of a dictionary is one step for other threads, which may add to it
    return {each.family.name: list(each.figures.items()) for each in series}


_COUNTED = {family.name: family for family in COUNTED}


def join(into: dict[str, Figures], told: Snapshot, *, is_alive: bool = True) -> None:
    """Add one process's snapshot to the joined figures; of a dead process only what stays true without it."""
    for name, figures in told.items():
        family = _COUNTED[name]
        if family.joining == "highest" and not is_alive:
            continue
        joined = into.setdefault(name, {})
        for labels, cell in figures:
            before = joined.get(labels)
            if before is None:
                joined[labels] = list(cell)
            elif family.joining == "sum":
                joined[labels] = [one + other for one, other in zip(before, cell, strict=True)]
            else:
                joined[labels] = [max(before[0], cell[0])]


def flat(figures: Mapping[str, Figures]) -> Snapshot:
    """Joined figures as a snapshot again."""
    return {name: list(cells.items()) for name, cells in figures.items()}
