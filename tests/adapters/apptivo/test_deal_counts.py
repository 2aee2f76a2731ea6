"""Deals of many customers are counted in little memory."""

import tracemalloc
from datetime import UTC, datetime

from adapters.apptivo.deal_counts import DealCounts
from adapters.customers import Deals

WON = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_each_customer_has_its_own_counts() -> None:
    """By outcome, with the latest time at which one was won; nothing for a customer without deals."""
    counts = DealCounts()
    for outcome, at in (("won", WON), ("won", datetime(2019, 1, 1, tzinfo=UTC)), ("won", None), ("open", None)):
        counts.add("1090590", outcome, at)  # type: ignore[arg-type]  # the words of the table
    counts.add("Ä-1", "lost", None)
    assert counts.of("1090590") == Deals(open=1, won=3, lost=0, last_won_at=WON)
    assert counts.of("Ä-1") == Deals(lost=1)
    assert counts.of("2") == Deals()


def test_many_customers_take_little_memory() -> None:
    """No count gets lost as the table grows, and a customer takes less than 100 bytes."""
    tracemalloc.start()
    counts = DealCounts()
    for number in range(20_000):
        counts.add(str(number), "won", WON)
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(counts.of(str(number)) == Deals(won=1, last_won_at=WON) for number in range(0, 20_000, 97))
    assert held < 100 * 20_000
