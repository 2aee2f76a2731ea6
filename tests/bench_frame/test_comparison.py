"""When a CI fails for slowness: a ratio below 0.7 of the recorded one, of the same job and the same side."""

from tests.bench.frame.comparison import fallen
from tests.bench.frame.results import Better, Ratio, Result


def result(value: float, job: str = "webhooks", beside: str = "bare", better: Better = "higher") -> Result:
    """A made-up result."""
    return Result(job, beside, Ratio(value, value, value, 3, better))


def test_a_ratio_below_seven_tenths_of_the_recorded_one_has_fallen() -> None:
    """0.5 recorded: 0.34 falls, and the message says from what to what."""
    (fall,) = fallen([result(0.5)], [result(0.34)])
    assert str(fall) == ("webhooks beside bare: the ratio was 0.50 and is 0.34, 0.68 of it; at least 0.7 is expected")


def test_a_ratio_at_seven_tenths_or_above_has_not() -> None:
    """Noise of 30 % is no regression, and neither is being faster."""
    assert fallen([result(0.5)], [result(0.351)]) == []
    assert fallen([result(0.5)], [result(5.0)]) == []


def test_of_times_the_longer_is_the_worse() -> None:
    """Where less is better, 2.0 after 1.0 is half of it, and 0.5 after 1.0 twice as good."""
    (fall,) = fallen([result(1.0, better="lower")], [result(2.0, better="lower")])
    assert fall.share == 0.5
    assert fallen([result(1.0, better="lower")], [result(0.5, better="lower")]) == []


def test_what_the_rounds_disagree_about_has_not_fallen() -> None:
    """A median may halve where rounds differ as much: the best round has to lie below the worst recorded one."""
    before, after = Ratio(1.0, 0.5, 1.5, 2), Ratio(0.5, 0.2, 0.8, 2)
    assert fallen([Result("a", "b", before)], [Result("a", "b", after)]) == []
    assert fallen([Result("a", "b", before)], [Result("a", "b", Ratio(0.3, 0.2, 0.34, 2))])


def test_only_what_both_have_is_compared() -> None:
    """Another job, another side, a result without a ratio, or one that is counted the other way: nothing is said."""
    recorded = [result(0.5), result(0.5, beside="disk"), Result("start")]
    assert fallen(recorded, [result(0.1, job="feed"), result(0.1, beside="peer"), Result("webhooks", "bare")]) == []
    assert fallen(recorded, [result(0.1, better="lower")]) == []


def test_every_fall_is_told() -> None:
    """One fall does not hide another."""
    recorded = [result(0.5, job=job) for job in ("a", "b", "c")]
    now = [result(0.1, job="a"), result(0.5, job="b"), result(0.0, job="c")]
    assert [fall.job for fall in fallen(recorded, now)] == ["a", "c"]
