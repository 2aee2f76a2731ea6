"""When a webhook's work is due: soon after a quiet time, seldom while a record changes all the time."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.folding import FOLD_MS, SPACE_MS, Folding

NOW = 1_700_000_000_000


def dues(times: list[int], folding: Folding | None = None, record: str = "7") -> list[int]:
    """When the work of webhooks is due that come at these times, each relative to `NOW`."""
    folding = folding or Folding()
    return [at + folding.pause_ms(record, NOW + at) for at in times]


def test_after_a_quiet_time_it_waits_for_a_second() -> None:
    """The first webhook about a record, and one long after the last, wait a second."""
    assert dues([0, 60_000]) == [1_000, 61_000]


def test_a_burst_is_due_together() -> None:
    """All that comes before the update is due with it."""
    assert dues([0, 1, 500, 999]) == [1_000, 1_000, 1_000, 1_000]


def test_a_record_that_changes_all_the_time() -> None:
    """Four webhooks a second make one update in three seconds."""
    assert sorted(set(dues(list(range(0, 12_000, 250))))) == [1_000, 4_000, 7_000, 10_000, 13_000]


def test_records_do_not_wait_for_each_other() -> None:
    """Another record's burst delays nothing."""
    folding = Folding()
    dues([0, 10, 1_100], folding)
    assert dues([1_200], folding, "8") == [2_200]


def test_a_clock_that_is_put_back_delays_nothing() -> None:
    """After an hour back the next webhook waits as after a quiet time."""
    assert dues([0, -3_600_000]) == [1_000, -3_599_000]


def test_the_number_of_records_is_bounded() -> None:
    """Who was quiet for longest is forgotten, and treated as after a quiet time."""
    folding = Folding(most=2)
    for record in ("1", "2", "3"):
        folding.pause_ms(record, NOW)
    assert folding.pause_ms("1", NOW + 1_100) == FOLD_MS
    assert folding.pause_ms("3", NOW + 1_100) > FOLD_MS


@given(st.lists(st.integers(0, 20_000), max_size=60))
def test_nothing_waits_longer_than_the_space(times: list[int]) -> None:
    """Whatever comes when: each is due later than it came, by three seconds at most, and updates are spaced."""
    came = sorted(times)
    due = dues(came)
    assert all(0 < each - at <= SPACE_MS for each, at in zip(due, came, strict=True))
    distinct = sorted(set(due))
    assert all(later - earlier >= SPACE_MS for earlier, later in itertools.pairwise(distinct))
