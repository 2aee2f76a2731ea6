"""Charts as geometry: numbers in, what an inline SVG draws out. Pure; the template adds the elements.

Sizes are in the units of the drawing's view box, whose width is the same for all charts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, HEIGHT = 560, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 10, 12, 24
_TICKS = 4
_X_TICKS = 5
_STEPS = (1, 2, 2.5, 5, 10)
_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400)
_BAR_SHARE = 0.78
"""How much of an interval's width its bar takes."""
_DAY = timedelta(hours=26)

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    """A curve; it is broken where there is no value."""

    name: str
    """Its class in the style sheet."""
    label: str
    path: str
    area: str
    """The closed shape below it."""
    dots: tuple[tuple[float, float], ...]
    """Values without a neighbour, which no curve would show."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, or its lower part."""

    x: float
    y: float
    width: float
    height: float
    is_bad: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that is drawn."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    budget: float | None = None
    """Where the line of the budget is."""
    is_empty: bool = False
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class _Scale:
    """Places values between the axes."""

    count: int
    top: float

    def x(self, index: float) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * index / max(1, self.count), 1)

    def middle(self, index: int) -> float:
        return self.x(index + 0.5)

    def y(self, value: float) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / self.top, 1)


def bar_chart(times: Sequence[datetime], counts: Sequence[int], bad: Sequence[int]) -> Chart:
    """Counts as bars; of each, `bad` is the part that failed."""
    scale, ticks = _scaled(len(times), max(counts, default=0), "")
    width = round((scale.x(1) - scale.x(0)) * _BAR_SHARE, 2)
    floor, bars = scale.y(0), []
    for index, (count, failed) in enumerate(zip(counts, bad, strict=True)):
        x = round(scale.middle(index) - width / 2, 2)
        for number, is_bad in ((count, False), (min(failed, count), True)):
            if number:
                y = scale.y(number)
                bars.append(Bar(x, y, width, round(floor - y, 1), is_bad))
    return Chart(_x_ticks(times, scale), ticks, bars=tuple(bars), is_empty=not any(counts))


def line_chart(
    times: Sequence[datetime], curves: Sequence[tuple[str, str, Values]], unit: str, budget: float | None = None
) -> Chart:
    """Curves (class, label, values) over time; `unit` is `ms` or `s`, and labels change it as needed."""
    known = [value for _name, _label, values in curves for value in values if value is not None]
    scale, ticks = _scaled(len(times), max([*known, budget or 0.0]), unit)
    return Chart(
        _x_ticks(times, scale),
        ticks,
        lines=tuple(_line(name, label, values, scale) for name, label, values in curves),
        budget=None if budget is None else scale.y(budget),
        is_empty=not known,
    )


def _line(name: str, label: str, values: Values, scale: _Scale) -> Line:
    runs = _runs(values, scale)
    floor = scale.y(0)
    curves = [run for run in runs if len(run) > 1]
    path = " ".join("M" + " L".join(f"{x} {y}" for x, y in run) for run in curves)
    area = " ".join(
        f"M{run[0][0]} {floor} L" + " L".join(f"{x} {y}" for x, y in run) + f" L{run[-1][0]} {floor} Z"
        for run in curves
    )
    return Line(name, label, path, area, tuple(run[0] for run in runs if len(run) == 1))


def _runs(values: Values, scale: _Scale) -> list[list[tuple[float, float]]]:
    """Neighbouring values that are there, as points."""
    runs: list[list[tuple[float, float]]] = [[]]
    for index, value in enumerate(values):
        if value is not None:
            runs[-1].append((scale.middle(index), scale.y(value)))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _scaled(count: int, most: float, unit: str) -> tuple[_Scale, tuple[Tick, ...]]:
    """A scale that ends at a round number, and its ticks."""
    step = _round_step(most / _TICKS, unit) if most > 0 else 1.0
    steps = max(1, math.ceil(most / step - 1e-9)) if most > 0 else 1
    scale = _Scale(count, step * steps)
    ticks = tuple(Tick(scale.y(step * number), _label(step * number, unit)) for number in range(steps + 1))
    return scale, ticks


def _round_step(rough: float, unit: str) -> float:
    """The next of 1, 2, 2.5, 5 times a power of ten, of 1 at least; of seconds, a part or a multiple of an hour."""
    if unit == "s" and rough <= _TIME_STEPS[-1]:
        return next(float(step) for step in _TIME_STEPS if step >= rough)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough - 1e-12)
    return max(1.0, step)


def _label(value: float, unit: str) -> str:
    if unit == "ms" and value >= 1000:
        return f"{value / 1000:g} s"
    if unit == "s" and value >= 3_600:
        return f"{value / 3_600:.3g} h"
    if unit == "s" and value >= 120:
        return f"{value / 60:.3g} min"
    return f"{value:,.4g} {unit}".rstrip() if value < 1000 else f"{value:,.0f} {unit}".rstrip()


def _x_ticks(times: Sequence[datetime], scale: _Scale) -> tuple[Tick, ...]:
    if not times:
        return ()
    days = times[-1] - times[0] > _DAY
    every = max(1, math.ceil(len(times) / _X_TICKS))
    # from the end back, so that the newest interval has its label
    chosen = range(len(times) - 1, -1, -every)
    return tuple(Tick(scale.middle(n), f"{times[n]:%d %b}" if days else f"{times[n]:%H:%M}") for n in sorted(chosen))
