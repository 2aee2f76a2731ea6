"""What reading one timestamp costs, beside the standard library on the same machine in the same run.

In microseconds a call; beside it the standard library's own reading: `datetime.fromisoformat` for ISO 8601,
`datetime.fromtimestamp` for Unix time (given a number), `datetime.strptime` for a CRM's own format, `isoformat` for the
output. The library is faster where it reads the form at all; it takes fewer forms, and gives no reason for a refusal.
"""

import timeit
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from zoneinfo import ZoneInfo

from adapters.timestamps import read, render
from adapters.vendor_dates import VendorFormats
from tests.bench.frame.results import Figure, Mode, Ratio, Result, alternated, at_most

ZONE = ZoneInfo("Europe/Helsinki")
VENDOR = VendorFormats("DMY")
AT = datetime(2018, 5, 4, 7, 11, 26, 123456, UTC)
NAMED = "Oct 07, 2017 05:44:26 PM"

Timed = Callable[[], object]


def iso(text: str) -> tuple[str, Timed, Timed]:
    """One row for an ISO 8601 text."""
    return text, lambda: read(text, ZONE), lambda: datetime.fromisoformat(text)


def unix(value: float | str, seconds: float) -> tuple[str, Timed, Timed]:
    """One row for Unix time; the standard library needs to be told the seconds."""
    return repr(value), lambda: read(value, ZONE), lambda: datetime.fromtimestamp(seconds, UTC)


def vendor(text: str, pattern: str) -> tuple[str, Timed, Timed]:
    """One row for a CRM's own format."""
    return text, lambda: VENDOR.read(text, ZONE), lambda: datetime.strptime(text, pattern)


ROWS: list[tuple[str, Timed, Timed]] = [
    iso("2018-05-04T07:11:26Z"),
    iso("2018-05-04T07:11:26.123+03:00"),
    iso("2018-05-04T07:11:26"),
    iso("2018-W18-5T07:11:26+03:00"),
    iso("20180504T071126+0300"),
    iso("2018-05-04"),
    unix(1525417886, 1525417886),
    unix(1525417886123, 1525417886.123),
    unix(1525417886.123, 1525417886.123),
    unix("1525417886", 1525417886),
    vendor("Oct 07, 2017 05:44:26 PM", "%b %d, %Y %I:%M:%S %p"),
    vendor("07/10/2017", "%d/%m/%Y"),
    ("render", lambda: render(AT), AT.isoformat),
]


PROMISED = {ROWS[1][0]: "ISO 8601", ROWS[6][0]: "Unix seconds", ROWS[7][0]: "Unix milliseconds"}
"""The rows that have a target."""


def measure(mode: Mode) -> Iterator[Result]:
    """The promised ones first; in quick mode no others."""
    calls, rounds = mode.pick(5_000, 20_000), mode.pick(5, 15)
    for text, ours, theirs in sorted(ROWS, key=lambda row: row[0] not in PROMISED):
        if mode.name == "whole" or text in PROMISED:
            yield _row(text, ours, theirs, calls, rounds)


def _row(text: str, ours: Timed, theirs: Timed, calls: int, rounds: int) -> Result:
    def per_call(call: Timed) -> float:
        return timeit.timeit(call, number=calls) / calls * 1e6

    sides = {
        "empty": lambda: per_call(lambda: None),
        "ours": lambda: per_call(ours),
        "theirs": lambda: per_call(theirs),
    }
    found = alternated(rounds, sides)
    empty = median(found["empty"])
    mine, library = ([max(each - empty, 0.001) for each in found[side]] for side in ("ours", "theirs"))
    target = (at_most("time", median(mine), 1, "µs"),) if text in PROMISED else ()
    return Result(
        f"reading {PROMISED[text]}" if text in PROMISED else f"timestamp {text}",
        "the standard library",
        Ratio.of(mine, library, "lower"),
        (Figure("ours", median(mine), "µs"), Figure("standard library", median(library), "µs")),
        target,
    )
