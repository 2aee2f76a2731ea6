"""Charts: where values are drawn, and how axes are labelled."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.console.charts import Chart, bar_chart, line_chart
from gateway.console.times import ago, duration, span, stamp

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TIMES = [NOON + timedelta(minutes=minute) for minute in range(4)]


def test_bars_stand_on_the_axis_and_end_at_their_value() -> None:
    """The tallest reaches the top of its round scale; the failed part is drawn over the whole."""
    chart = bar_chart(TIMES, [0, 4, 2, 0], [0, 0, 1, 0])

    assert [bar.is_bad for bar in chart.bars] == [False, False, True]
    assert all(round(bar.y + bar.height, 1) == chart.bottom for bar in chart.bars)
    assert chart.bars[0].y == chart.top
    assert [tick.label for tick in chart.y_ticks] == ["0", "1", "2", "3", "4"]


def test_a_curve_is_broken_where_nothing_was_measured() -> None:
    """A missing value is a gap, not a zero; a value without neighbours is a dot."""
    line = line_chart(TIMES, [("p50", "p50", [10.0, 20.0, None, 30.0])], "ms").lines[0]

    assert line.path.count("M") == 1 and line.path.count("L") == 1
    assert len(line.dots) == 1


@pytest.mark.parametrize(
    ("most", "unit", "labels"),
    [
        (3000.0, "ms", ["0 ms", "1 s", "2 s", "3 s"]),
        (900.0, "ms", ["0 ms", "250 ms", "500 ms", "750 ms", "1 s"]),
        (7_000.0, "s", ["0 s", "30 min", "1 h", "1.5 h", "2 h"]),
        (0.4, "s", ["0 s", "1 s"]),
    ],
)
def test_axes_have_round_labels(most: float, unit: str, labels: list[str]) -> None:
    """A handful of round numbers, in a unit that is read at a glance."""
    ticks = [tick.label for tick in line_chart(TIMES, [("age", "age", [most, None, None, None])], unit).y_ticks]
    assert ticks[: len(labels)] == labels and len(ticks) <= 6


def test_the_budget_is_always_in_the_picture() -> None:
    """However quick the answers are, one sees how far they are from the budget."""
    chart = line_chart(TIMES, [("p99", "p99", [20.0] * 4)], "ms", 3000.0)
    assert chart.budget == chart.top


def test_nothing_counted_is_an_empty_chart() -> None:
    """No intervals, or none with a value, is said, not drawn."""
    assert bar_chart([], [], []).is_empty
    assert line_chart(TIMES, [("p50", "p50", [None] * 4)], "ms").is_empty


def test_days_are_labelled_by_their_date() -> None:
    """Beyond a day the hour says nothing."""

    def labels(chart: Chart) -> list[str]:
        return [tick.label for tick in chart.x_ticks]

    days = [NOON + timedelta(days=day) for day in range(3)]
    assert labels(bar_chart(days, [1, 1, 1], [0, 0, 0])) == ["21 Nov", "22 Nov", "23 Nov"]
    assert labels(bar_chart(TIMES, [1] * 4, [0] * 4)) == ["12:00", "12:01", "12:02", "12:03"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "now"), (59, "59 s ago"), (60, "1 min ago"), (7_300, "2 h ago"), (200_000, "2 d ago"), (-90, "in 1 min")],
)
def test_how_long_ago(seconds: float, said: str) -> None:
    """In one unit, rounded down."""
    assert ago(NOON - timedelta(seconds=seconds), NOON) == said


def test_times_are_utc() -> None:
    """A time of any offset is shown in UTC."""
    assert stamp(datetime.fromisoformat("2026-11-21T14:00:00+02:00")) == "2026-11-21 12:00:00"
    assert [duration(85.4), duration(2_350), duration(14_200), duration(300_000)] == [
        "85 ms", "2,350 ms", "14.2 s", "5 min",
    ]  # fmt: skip
    assert span(3_599) == "59 min"
