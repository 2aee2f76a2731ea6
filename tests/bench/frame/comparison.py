"""Whether something has become slower: ratios of this run by the recorded ones of the same job and the same side."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.bench.frame.results import Ratio, Result

LEAST = 0.7
"""A ratio may fall to this share of the recorded one; less fails a CI."""


@dataclass(frozen=True, slots=True)
class Fall:
    """A ratio that fell too far."""

    job: str
    beside: str
    recorded: float
    now: float
    share: float

    @property
    def key(self) -> tuple[str, str]:
        """What was compared."""
        return self.job, self.beside

    def __str__(self) -> str:
        return (
            f"{self.job} beside {self.beside}: the ratio was {self.recorded:.2f} and is {self.now:.2f}, "
            f"{self.share:.2f} of it; at least {LEAST} is expected"
        )


def fallen(recorded: Iterable[Result], now: Iterable[Result], least: float = LEAST) -> list[Fall]:
    """The ratios that fell below `least` of the recorded ones. What is in one of the two only is not compared."""
    before = {(result.job, result.beside): result.ratio for result in recorded if result.ratio is not None}
    falls = []
    for result in now:
        last = before.get((result.job, result.beside))
        if last is None or result.ratio is None or last.better != result.ratio.better:
            continue
        share = _share(last, result.ratio)
        if share < least:
            falls.append(Fall(result.job, result.beside, last.median, result.ratio.median, share))
    return falls


def _share(last: Ratio, now: Ratio) -> float:
    """The best round of now by the worst of then: what the rounds of one run disagree about is no fall."""
    better, worse = (now.high, last.low) if now.better == "higher" else (last.high, now.low)
    return better / worse if worse > 0 else float("inf")
