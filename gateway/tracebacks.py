"""Tracebacks for the log: where something went wrong, and of which type, without what was said.

An exception's message may hold what it was about: a value that could not be read, a row that a database refused.
"""

import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def frames(exc_info: ExcInfo) -> str:
    """The frames and types of an exception, and of those it came from, the first one first."""
    return "\n".join(_lines(exc_info[1], set())).rstrip()


def print_frames(stream: TextIO, exc_info: ExcInfo) -> None:
    """As `frames`, for a terminal."""
    stream.write(f"\n{frames(exc_info)}")


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield "because of which:" if error.__cause__ else "and while that was dealt with:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    yield f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield "of which:"
            yield from _lines(each, seen)
