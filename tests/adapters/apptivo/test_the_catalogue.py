"""The firm's own lists: what a range means, and what is made of odd rows."""

import asyncio
import json

import pytest

from adapters.apptivo.catalogue import CatalogueCache, Option, range_of, read_catalogue
from adapters.apptivo.ranges import lower_end
from adapters.contract import ServerFault

RANGES = ("Less than 10", "10 - 49", "50-999", "1,000 - 4,999", "5 000+")


@pytest.mark.parametrize(
    ("staff", "expected"),
    [(0, "Less than 10"), (10, "10 - 49"), (399, "50-999"), (1000, "1,000 - 4,999"), (5000, "5 000+"), (49.5, None)],
)
def test_a_number_of_people_falls_into_a_range(staff, expected):
    """Ranges are read as people write them; a number between two of them has none."""
    found = range_of(tuple(Option(name) for name in RANGES), staff)
    assert (found.name if found else None) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"industryId": 3, "industryName": "Retail"}], [("Retail", 3, "")]),
        ([{"id": "3", "name": "Retail", "code": "R"}], [("Retail", "3", "R")]),
        (["Retail"], [("Retail", None, "")]),
        ([{"industryName": "Old", "isEnabled": "N"}, {"x": 1}, None, 7, ""], []),
        ("nothing", []),
        (None, []),
    ],
)
def test_lists_are_read_in_every_spelling(rows, expected):
    """Keys are told by their endings; what is switched off or odd is left out."""
    industries = read_catalogue({"industries": rows}).industries
    assert [(option.name, option.id, option.code) for option in industries] == expected


@pytest.mark.parametrize("layout", ["not json", "[" * 5000, None, 7, {"sections": "x"}, '{"attributeId": 1}'])
def test_an_odd_layout_is_no_error(layout):
    """webLayout only adds the names of tags; without it there are none."""
    assert read_catalogue({"webLayout": layout}).tag_names == {}


def test_tag_names_come_from_the_layout_inside_the_string():
    """webLayout is decoded twice; the tag lies beside the attribute or in its right part."""
    layout = {"sections": [{"attributes": [{"attributeId": "input_1", "right": [{"tagName": "right_1"}]}]}]}
    assert read_catalogue({"webLayout": json.dumps(layout)}).tag_names == {"input_1": "right_1"}


def test_a_failed_fetch_keeps_the_old_lists_and_asks_again():
    """A fetch that fails changes nothing; the next one is tried at once, a good one lasts ten minutes."""
    now = [0.0]
    answers = [{"statuses": ["A"]}, ServerFault("x"), {"statuses": ["A", "B"]}]
    asked = []

    async def fetch(_deadline):
        asked.append(now[0])
        answer = answers[len(asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def act():
        cache = CatalogueCache(fetch, lambda: now[0])
        lengths = []
        for moment in (0, 599, 600, 601):
            now[0] = moment
            lengths.append(len((await cache.get(1)).statuses))
        return lengths

    assert asyncio.run(act()) == [1, 1, 1, 2]
    assert asked == [0, 600, 601]


def test_lists_that_cannot_be_fetched_for_a_day_are_forgotten():
    """Old ids beat none, but not for ever."""
    now = [0.0]

    async def fetch(_deadline):
        if now[0] > 0:
            raise ServerFault("x")
        return {"statuses": ["A"]}

    async def act():
        cache = CatalogueCache(fetch, lambda: now[0])
        lengths = []
        for moment in (0, 86_399, 86_400):
            now[0] = moment
            lengths.append(len((await cache.get(1)).statuses))
        return lengths

    assert asyncio.run(act()) == [1, 1, 0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("50 - 99", 50), ("1,000+", 1000), ("More than 5 000", 5000), ("Less than 10", 1), ("up to 49", 1), ("7", 7),
        (12, 12), ("", None), (None, None), (True, None), ("many", None), (-1, None),
    ],
)  # fmt: skip
def test_the_lower_end_of_a_range_is_told(value, expected):
    """At least so many people work there."""
    assert lower_end(value) == expected
