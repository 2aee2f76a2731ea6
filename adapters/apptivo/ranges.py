"""Ranges of employees as firms name them: "50 - 99", "1,000+", "Less than 10" (I). Pure."""

import re

_NUMBER = re.compile(r"[0-9]{1,3}(?:[ ,.\u00a0][0-9]{3})+(?![0-9])|[0-9]+")
_AND_MORE = re.compile(r"\+|>|more|over|above|greater", re.IGNORECASE)
_OR_LESS = re.compile(r"or less|or fewer|up to", re.IGNORECASE)
_LESS_THAN = re.compile(r"<|less|under|below|fewer", re.IGNORECASE)


def holds(name: str, staff: int | float) -> bool:
    """Whether a number of people falls into the range of this name."""
    numbers = _numbers(name)
    if len(numbers) >= 2:
        return numbers[0] <= staff <= numbers[1]
    if not numbers:
        return False
    if _AND_MORE.search(name):
        return staff >= numbers[0]
    if _OR_LESS.search(name):
        return staff <= numbers[0]
    return staff < numbers[0] if _LESS_THAN.search(name) else staff == numbers[0]


def lower_end(value: object) -> int | None:
    """How many people at least: a number as it is, the lower end of a range, 1 where only the upper end is told.

    None for what names no number.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if not isinstance(value, str) or not (numbers := _numbers(value[:100])):
        return None
    told_upper_only = len(numbers) == 1 and not _AND_MORE.search(value) and _is_upper(value)
    return 1 if told_upper_only else numbers[0]


def _is_upper(name: str) -> bool:
    return bool(_OR_LESS.search(name) or _LESS_THAN.search(name))


def _numbers(name: str) -> list[int]:
    return [int(re.sub(r"[^0-9]", "", found)) for found in _NUMBER.findall(name)]
