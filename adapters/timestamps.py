"""Anything a CRM sends as a time, read as an aware UTC time or refused with a fixed word.

Source: CONTRACT section 5. Pure: number or text in, `Reading` or `TimestampRefused` out. The forms that only
one CRM writes are in `vendor_dates`.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum

import ciso8601
import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXPECTED = "Unix time, or an ISO 8601 date or date-time, in the years 1 to 9999"
_NUMBER = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?")
_SHORT = 20
"""Whole numbers of so many digits hold every time there is, and need no pattern."""
_TIME_MARKS = frozenset("Tt ")

# The shape is settled here, because ciso8601 also reads a month (2018-05) and a week (2018-W18), and refuses
# second 60. Basic and extended form do not mix (ISO 8601); the offset may have either, as the contract says.
_ISO = re.compile(
    r"""
    [0-9]{4} (?: -(?: [0-9]{2}-[0-9]{2} | [0-9]{3} | W[0-9]{2}-[0-9] )
               | (?P<basic> [0-9]{3,4} | W[0-9]{3} ) )
    (?P<time>
        [Tt\ ] (?P<hour> [0-9]{2} )
        (?P<rest> (?: (?(basic)|:) [0-9]{2}
              (?: (?(basic)|:) (?: (?P<leap> 60 ) | [0-9]{2} ) (?: [.,][0-9]+ )? )? )? )
        (?: [Zz] | [+-][0-9]{2} (?: :?[0-9]{2} )? )?
    )?
    """,
    re.VERBOSE,
)


class Reason(StrEnum):
    """Why a timestamp is refused: one fixed word, fit for a metric label and a log key."""

    EMPTY = "empty"
    """The text is empty or white space only."""
    NULL = "null"
    """The value is null."""
    BOOLEAN = "boolean"
    """The value is true or false, which Python would take for the numbers 1 and 0."""
    NOT_FINITE = "not_finite"
    """The number is NaN or an infinity."""
    WRONG_TYPE = "wrong_type"
    """The value is neither a number nor text: a list, an object, bytes."""
    UNREADABLE = "unreadable"
    """The text has none of the forms read here."""
    NO_SUCH_TIME = "no_such_time"
    """The form is known, but there is no such day, time or offset: 30 February, 25 o'clock, +24:00."""
    OUT_OF_RANGE = "out_of_range"
    """The time, as written or as UTC, is outside the years 1 to 9999."""


class TimestampRefused(ValueError):
    """A value is no timestamp; `reason` says why. It drops the one event that carries it, never the feed."""

    def __init__(self, reason: Reason, got: object, expected: str = _EXPECTED) -> None:
        super().__init__(f"timestamp refused ({reason}): got {_shown(got)}; expected {expected}")
        self.reason = reason


class Reading(msgspec.Struct, frozen=True):
    """A time as read."""

    at: datetime
    """Aware, in UTC, to the microsecond; what lies below is cut."""
    date_only: bool
    """No time of day was given: `at` is 00:00 UTC of that day, and the event gets `hide_time: true`."""


def read(value: object, zone: tzinfo) -> Reading:
    """Read one timestamp: Unix time or ISO 8601, by the table of CONTRACT section 5.

    `value` is whatever the JSON held; `zone` is the connection's, for date-times without an offset.
    Raises TimestampRefused, and nothing else, for whatever is not a timestamp.
    """
    if isinstance(value, str):
        return _read_text(value.strip(), zone)
    if isinstance(value, bool):
        raise TimestampRefused(Reason.BOOLEAN, value)
    if isinstance(value, int):
        return Reading(_from_unix(value, 1, value), False)
    if isinstance(value, float):
        return Reading(_from_float(value), False)
    raise TimestampRefused(Reason.NULL if value is None else Reason.WRONG_TYPE, value)


def wall_clock(naive: datetime, zone: tzinfo) -> datetime:
    """Return the UTC time at which clocks in `zone` show `naive` (CONTRACT section 5).

    A time that occurs twice is the first; one that a clock change skips moves forward by the gap's length.
    Raises TimestampRefused (out_of_range) if that is outside the years 1 to 9999 in UTC.
    """
    # fold=0 is both: the first of two, and in a gap the offset before it, which lands beyond it (PEP 495).
    clock = naive.time().replace(fold=0) if naive.fold else naive.time()
    # combine() takes a sixth of the time of replace(), which builds its arguments anew
    return _as_utc(datetime.combine(naive, clock, zone), naive)


def render(at: datetime) -> str:
    """Return an aware time as `YYYY-MM-DDTHH:MM:SS.mmmZ`, milliseconds cut, not rounded (CONTRACT section 5).

    Raises ValueError for a naive time, and TimestampRefused for one outside the years 1 to 9999 in UTC.
    """
    if at.tzinfo is None:
        raise ValueError(f"expected an aware time, got the naive {at}: give it a zone with wall_clock()")
    # msgspec writes microseconds, or no fraction at all, in a fifth of isoformat()'s time
    text: str = msgspec.to_builtins(_as_utc(at, at))
    return f"{text[:23]}Z" if at.microsecond else f"{text[:19]}.000Z"


def _read_text(text: str, zone: tzinfo) -> Reading:
    # Ten characters before the T leave YYYY-MM-DD and YYYY-Www-D, and there ciso8601 accepts only what the
    # contract does, save 24:00:00.0000001. This is most of the traffic, and it saves two regular expressions.
    if text[10:11] not in _TIME_MARKS or text[11:13] == "24":
        return _read_any_text(text, zone)
    try:
        at = ciso8601.parse_datetime(text)
        return Reading(wall_clock(at, zone) if at.tzinfo is None else _as_utc(at, text), False)
    except ValueError:
        return _read_any_text(text, zone)  # second 60, or the reason


def _read_any_text(text: str, zone: tzinfo) -> Reading:
    if text.isdigit() and text.isascii() and len(text) <= _SHORT:
        return Reading(_from_unix(int(text), 1, text), False)
    if number := _NUMBER.fullmatch(text):
        return Reading(_from_digits(number, text), False)
    if iso := _ISO.fullmatch(text):
        return _read_iso(iso, zone)
    raise TimestampRefused(Reason.UNREADABLE if text else Reason.EMPTY, text)


def _read_iso(iso: re.Match[str], zone: tzinfo) -> Reading:
    text = iso.string
    if not iso["time"]:
        return Reading(_parsed(text, text).replace(tzinfo=UTC), True)
    if iso["hour"] == "24" and iso["rest"].strip(":.,0"):
        raise TimestampRefused(Reason.NO_SUCH_TIME, text)
    if not iso["leap"]:
        return Reading(_settled(_parsed(text, text), zone, text), False)
    start, end = iso.span("leap")
    minute = _parsed(f"{text[:start]}00{text[end:]}", text)
    return Reading(_settled(_next_minute(minute, text), zone, text), False)


def _parsed(iso: str, got: str) -> datetime:
    try:
        return ciso8601.parse_datetime(iso)
    except OverflowError:
        raise TimestampRefused(Reason.OUT_OF_RANGE, got) from None
    except ValueError as error:
        # "year 10000 is out of range" is said of 9999-W52-7
        beyond = got.startswith("0000") or str(error).startswith("year ")
        raise TimestampRefused(Reason.OUT_OF_RANGE if beyond else Reason.NO_SUCH_TIME, got) from None


def _next_minute(at: datetime, got: str) -> datetime:
    try:
        return at + timedelta(minutes=1)
    except OverflowError:
        raise TimestampRefused(Reason.OUT_OF_RANGE, got) from None


def _settled(at: datetime, zone: tzinfo, got: str) -> datetime:
    return wall_clock(at, zone) if at.tzinfo is None else _as_utc(at, got)


def _as_utc(at: datetime, got: object) -> datetime:
    if at.tzinfo is UTC:
        return at
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise TimestampRefused(Reason.OUT_OF_RANGE, got) from None


def _from_float(value: float) -> datetime:
    # The shortest decimal is what the sender wrote; the binary value of 1525417886.123 is a little less.
    text = float.__repr__(value)
    if "e" in text:
        text = f"{Decimal(text):f}"
    number = _NUMBER.fullmatch(text)
    if number is None:
        raise TimestampRefused(Reason.NOT_FINITE, value)
    return _from_digits(number, value)


def _from_digits(number: re.Match[str], got: object) -> datetime:
    sign, whole, fraction = number.groups("")
    whole = whole.lstrip("0")
    if len(whole) > 30:  # far out of range, and int() stops at 4300 digits
        raise TimestampRefused(Reason.OUT_OF_RANGE, got)
    if not fraction:
        return _from_unix(int(f"{sign}{whole or 0}"), 1, got)
    # A tenth digit stands for all further ones, so that a time before 1970 is cut towards the past, too.
    rest = "1" if fraction[9:].strip("0") else "0"
    return _from_unix(int(f"{sign}{whole}{fraction[:9]:0<9}{rest}"), 10**10, got)


def _from_unix(count: int, per: int, got: object) -> datetime:
    # The time is `count / per` units after 1970; a fraction of two integers, so that nothing is rounded.
    size = abs(count) // per
    if size < 100_000_000_000:
        nanoseconds = 1_000_000_000
    elif size < 100_000_000_000_000:
        nanoseconds = 1_000_000
    elif size < 100_000_000_000_000_000:
        nanoseconds = 1_000
    else:
        nanoseconds = 1
    try:
        return _EPOCH + timedelta(0, 0, count * nanoseconds // (1000 * per))
    except OverflowError:
        raise TimestampRefused(Reason.OUT_OF_RANGE, got) from None


def _shown(got: object) -> str:
    # Of anything but a number or text only the type: it may be a whole record, and refusals are shown.
    if isinstance(got, str):
        return repr(got[:60])[:60]
    if isinstance(got, float | datetime) or got is None:
        return str(got)
    if isinstance(got, int) and got.bit_length() < 200:
        return str(got)
    return f"a value of type {type(got).__name__}"
