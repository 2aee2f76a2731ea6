"""Times as a person reads them: UTC, with how long ago, never one without the other. All are aware datetimes."""

from datetime import UTC, datetime

from adapters.timestamps import render

_STEPS = ((60, 1, "s"), (3_600, 60, "min"), (86_400, 3_600, "h"), (float("inf"), 86_400, "d"))
"""Up to so many seconds: in units of so many, called so."""
_LONG_MS = 10_000
_MINUTE_MS = 60_000


def stamp(at: datetime) -> str:
    """`2026-11-21 17:50:03`; it is UTC, which every page says once."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def iso(at: datetime) -> str:
    """The same for a machine: `2026-11-21T17:50:03.120Z`."""
    return render(at)


def span(seconds: float) -> str:
    """A length of time in one unit, rounded down: `0 s`, `4 min`, `3 h`, `12 d`."""
    size = abs(seconds)
    unit, name = next((unit, name) for limit, unit, name in _STEPS if size < limit)
    return f"{int(size // unit)} {name}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago a time was, or how far off it is: `now`, `4 min ago`, `in 30 s`."""
    seconds = (now - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(seconds)}"


def duration(milliseconds: float) -> str:
    """How long something took: `85 ms`, `2,350 ms`, `14.2 s`, `5 min`."""
    if milliseconds < _LONG_MS:
        return f"{milliseconds:,.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < _MINUTE_MS else span(milliseconds / 1000)
