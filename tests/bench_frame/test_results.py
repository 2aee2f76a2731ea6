"""What a measurement's values come to: medians over rounds, percentiles, turns, targets."""

import pytest

from tests.bench.frame.results import QUICK, WHOLE, Ratio, Target, alternated, percentile


def test_a_ratio_is_taken_round_by_round() -> None:
    """A round in which both sides were slow counts like any other; the spread is of the rounds' ratios."""
    assert Ratio.of([50, 5, 60], [100, 10, 100]) == Ratio(0.5, 0.5, 0.6, 3)


def test_sides_without_as_many_rounds_are_no_ratio() -> None:
    """A round that one side lacks is an error, never left out in silence."""
    with pytest.raises(ValueError, match="zip"):
        Ratio.of([1, 2], [1])


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (99, 99), (100, 100), (1, 1)])
def test_percentiles_are_values_that_occurred(percent: float, expected: float) -> None:
    """The nearest rank: of 1 to 100 in any order, the 99th percentile is 99."""
    assert percentile([*range(51, 101), *range(1, 51)], percent) == expected


def test_one_value_is_every_percentile() -> None:
    """Of one value it is that value."""
    assert percentile([7.0], 99) == 7.0


def test_sides_take_turns_at_being_first() -> None:
    """Every round has every side, and every other round the other order."""
    order: list[str] = []
    found = alternated(2, {"a": lambda: order.append("a"), "b": lambda: order.append("b")})
    assert order == ["a", "b", "b", "a"]
    assert [len(each) for each in found.values()] == [2, 2]


@pytest.mark.parametrize(
    ("target", "is_met", "share"),
    [
        (Target("ratio", 0.5, 0.5, "higher"), True, 1.0),
        (Target("ratio", 0.25, 0.5, "higher"), False, 0.5),
        (Target("p99", 25, 25, "lower", "ms"), True, 1.0),
        (Target("p99", 50, 25, "lower", "ms"), False, 0.5),
        (Target("overhead", -0.1, 2, "lower", "ms"), True, float("inf")),
    ],
)
def test_a_target_tells_whether_it_is_met_and_by_how_much(target: Target, is_met: bool, share: float) -> None:
    """The share is 1 at the limit and more beyond it, whichever direction is better."""
    assert (target.met, target.share) == (is_met, share)


def test_a_mode_picks_its_own_size() -> None:
    """Quick mode takes the first of two, whole mode the second."""
    assert (QUICK.pick(1, 5), WHOLE.pick(1, 5)) == (1, 5)
