"""Cursors are text that callers hand back: what was written is read, and nothing else is."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ids import ID_DIGITS, new_id
from gateway.operator import BadQuery, cursors

numbers = st.integers(0, 2**63 - 1)
ids = st.integers(0, 2**48 - 1).map(lambda now: new_id("exp", now))
LISTS: dict[str, tuple[Callable[[Any], str], Callable[[str], Any], str, st.SearchStrategy[Any]]] = {
    "deliveries": (cursors.of_delivery, cursors.read_delivery, cursors.DELIVERIES_PATTERN, st.tuples(numbers, numbers)),
    "exports": (cursors.of_export, cursors.read_export, cursors.EXPORTS_PATTERN, st.tuples(numbers, ids)),
    "syncs": (cursors.of_sync, cursors.read_sync, cursors.SYNCS_PATTERN, numbers),
    "audit": (cursors.of_audit, cursors.read_audit, cursors.AUDIT_PATTERN, numbers),
}
often = settings(max_examples=200, deadline=None, derandomize=True, database=None)
shreds = st.text(alphabet=f"dxsa{ID_DIGITS}-%= \n", max_size=50) | st.text(max_size=50)


@pytest.mark.parametrize("name", LISTS)
def test_what_is_written_is_read(name: str) -> None:
    """Every place survives the way out and back, and is text of the documented pattern, safe in any URL."""
    write, read, pattern, places = LISTS[name]

    @often
    @given(places)
    def holds(place: Any) -> None:
        text = write(place)
        assert read(text) == place
        assert re.fullmatch(pattern, text)
        assert re.fullmatch("[0-9a-z]+", text)

    holds()


@pytest.mark.parametrize("name", LISTS)
def test_whatever_is_no_cursor_of_the_list_is_refused(name: str) -> None:
    """Any text is either of the documented pattern, and then a place, or a fault under `cursor`; nothing else."""
    _write, read, pattern, _places = LISTS[name]
    others = st.one_of(*(places.map(write) for write, _read, _pattern, places in LISTS.values()))

    @often
    @given(shreds | others | others.map(lambda text: text[:-1]) | others.map(lambda text: text.upper()))
    def holds(text: str) -> None:
        if re.fullmatch(pattern.strip("^$"), text):
            read(text)
            return
        with pytest.raises(BadQuery) as refused:
            read(text)
        assert [fault.path for fault in refused.value.faults] == ["cursor"]

    holds()


@pytest.mark.parametrize("name", ["deliveries", "exports"])
def test_cursors_sort_as_their_places_do(name: str) -> None:
    """Fixed widths: the text of a later place is greater."""
    write, _read, _pattern, places = LISTS[name]

    @often
    @given(places, places)
    def holds(one: Any, other: Any) -> None:
        assert (write(one) < write(other)) == (one < other)

    holds()
