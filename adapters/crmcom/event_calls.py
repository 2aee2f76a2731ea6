"""Which rows go into which bulk call. Pure."""

from collections.abc import Mapping
from typing import Any

from adapters.crmcom.event_body import IDENTIFIER, INTENDED_CURRENCY
from adapters.crmcom.models import BULK_ROWS

Batch = dict[int, Mapping[str, Any]]
"""Rows of one call: the place of each in what was pushed → the row."""


def batches(rows: Batch) -> list[Batch]:
    """The calls: `BULK_ROWS` rows each at most, identifiers unique in each, one intended currency each.

    Rows of many requests come together here, and two requests may well use the same identifiers.
    """
    calls: list[Batch] = []
    turns: dict[tuple[str, str], int] = {}
    filling: dict[tuple[str, int], Batch] = {}
    for place, row in rows.items():
        currency, identifier = str(row.get(INTENDED_CURRENCY)), str(row.get(IDENTIFIER))
        turn = turns.get((currency, identifier), 0)
        turns[currency, identifier] = turn + 1
        call = filling.get((currency, turn))
        if call is None or len(call) >= BULK_ROWS:
            call = filling[currency, turn] = {}
            calls.append(call)
        call[place] = row
    return calls


def halves(batch: Batch) -> list[Batch]:
    """A call as two."""
    places = list(batch)
    middle = len(places) // 2
    return [{place: batch[place] for place in part} for part in (places[:middle], places[middle:])]
