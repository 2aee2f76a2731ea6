"""What reading one timestamp costs, beside the standard library on the same machine in the same run.

    python -m tests.bench.timestamps

Prints for each kind of value the median in microseconds per call, and how many times the standard library's own
reading of it takes that long: `datetime.fromisoformat` for ISO 8601, `datetime.fromtimestamp` for Unix time (given
a number), `datetime.strptime` for a CRM's own format, `isoformat` for the output.
"""

import timeit
from collections.abc import Callable
from datetime import UTC, datetime
from statistics import median
from zoneinfo import ZoneInfo

from adapters.timestamps import read, render
from adapters.vendor_dates import VendorFormats

CALLS = 20_000
ROUNDS = 15
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


def microseconds(call: Timed) -> float:
    """The median over the rounds, per call, less the call of an empty lambda."""
    return median(timeit.repeat(call, number=CALLS, repeat=ROUNDS)) / CALLS * 1e6


def main() -> None:
    """Print the table."""
    empty = microseconds(lambda: None)
    print(f"{'value':<32}{'µs':>8}{'stdlib µs':>12}{'ratio':>8}")
    for name, ours, theirs in ROWS:
        us, stdlib = microseconds(ours) - empty, microseconds(theirs) - empty
        print(f"{name:<32}{us:>8.2f}{stdlib:>12.2f}{us / stdlib:>8.1f}")


if __name__ == "__main__":
    main()
