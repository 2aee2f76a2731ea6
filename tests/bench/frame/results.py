"""What a measurement gives: ratios over alternated rounds, figures with units, and targets that are met or not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Literal, Self, TypeVar

import msgspec

T = TypeVar("T")
Better = Literal["higher", "lower"]
Name = Literal["quick", "whole"]


@dataclass(frozen=True, slots=True)
class Mode:
    """How long and how much is measured."""

    name: Name

    def pick(self, quick: T, whole: T) -> T:
        """The one of the two that this mode wants."""
        return quick if self.name == "quick" else whole


QUICK, WHOLE = Mode("quick"), Mode("whole")


class Ratio(msgspec.Struct, frozen=True):
    """Ours by theirs, over the rounds of one run."""

    median: float
    low: float
    high: float
    rounds: int
    better: Better = "higher"

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float], better: Better = "higher") -> Self:
        """Round by round: what one side has of a bad minute, the other has too."""
        each = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        return cls(median(each), min(each), max(each), len(each), better)


class Figure(msgspec.Struct, frozen=True):
    """A value with its unit; it holds for the machine it was measured on."""

    name: str
    value: float
    unit: str


class Target(msgspec.Struct, frozen=True):
    """What issue 6 wants of a value."""

    what: str
    value: float
    limit: float
    better: Better
    unit: str = ""

    @property
    def share(self) -> float:
        """How far the value goes: 1 just meets the limit, more is better."""
        if self.better == "higher":
            return self.value / self.limit
        return self.limit / self.value if self.value > 0 else float("inf")

    @property
    def met(self) -> bool:
        """Whether the limit is kept."""
        return self.share >= 1


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One job beside what it is compared with."""

    job: str
    beside: str = ""
    """What the ratio is to; "" for a job with a limit of its own."""
    ratio: Ratio | None = None
    figures: tuple[Figure, ...] = ()
    targets: tuple[Target, ...] = ()
    remark: str = ""


def at_least(ratio: Ratio, limit: float, what: str = "ratio") -> Target:
    """A target of a ratio of which more is better."""
    return Target(what, ratio.median, limit, "higher")


def at_least_value(what: str, value: float, limit: float, unit: str = "") -> Target:
    """A target of a value of which more is better."""
    return Target(what, value, limit, "higher", unit)


def at_most(what: str, value: float, limit: float, unit: str = "") -> Target:
    """A target of a value of which less is better."""
    return Target(what, value, limit, "lower", unit)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(percent / 100 * len(ordered)) - 1)]


def alternated(rounds: int, sides: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """What each side gave, round by round; every other round goes the other way about."""
    found: dict[str, list[T]] = {side: [] for side in sides}
    for number in range(rounds):
        for side in list(sides)[:: -1 if number % 2 else 1]:
            found[side].append(sides[side]())
    return found
