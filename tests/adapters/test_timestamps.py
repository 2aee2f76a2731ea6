"""The table of CONTRACT section 5, row by row, and against a second reading made another way."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.timestamps import Reading, Reason, TimestampRefused, read, render, wall_clock

HELSINKI = ZoneInfo("Europe/Helsinki")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIGITS = "0123456789"


def rendered(value: object, zone: tzinfo = HELSINKI) -> str:
    reading = read(value, zone)
    assert not reading.date_only
    assert reading.at.tzinfo is UTC
    return render(reading.at)


def short(value: object) -> str:
    return f"{value!r:.40}"


def reason_of(value: object) -> Reason | None:
    try:
        read(value, HELSINKI)
    except TimestampRefused as refused:
        return refused.reason
    return None


# Unix time


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("1970-01-01T00:00:00.000Z", -0.0),
        ("2018-05-04T07:11:26.000Z", 1525417886),
        ("2018-05-04T07:11:26.123Z", 1525417886123),
        ("2018-05-04T07:11:26.123Z", 1525417886123456),
        ("2018-05-04T07:11:26.123Z", 1525417886123456789),
        ("5138-11-16T09:46:39.000Z", 10**11 - 1),
        ("1973-03-03T09:46:40.000Z", 10**11),
        ("5138-11-16T09:46:39.999Z", 10**14 - 1),
        ("1973-03-03T09:46:40.000Z", 10**14),
        ("5138-11-16T09:46:39.999Z", 10**17 - 1),
        ("1973-03-03T09:46:40.000Z", 10**17),
        ("9999-12-31T23:59:59.999Z", 253402300799999999999),
        ("1969-12-31T23:59:59.000Z", -1),
        ("0001-01-01T00:00:00.000Z", -62135596800),
        ("1966-10-31T14:13:20.000Z", -(10**11)),
        ("0001-01-01T00:00:00.000Z", -62135596800 * 10**9),
    ],
)
def test_a_whole_number_is_unix_time_in_the_unit_of_its_magnitude(expected: str, value: int) -> None:
    """Below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds; as text too."""
    assert expected == rendered(value)
    assert expected == rendered(str(value))


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("2018-05-04T07:11:26.123Z", 1525417886.123),
        ("2017-06-20T07:51:08.999Z", 1497945068.999),
        ("1970-01-01T00:00:01.000Z", 1.0009999),
        ("1969-12-31T23:59:58.500Z", -1.5),
        ("1970-01-01T00:00:00.000Z", 1.5e-07),
        ("1969-12-31T23:59:59.999Z", -1.5e-07),
        ("2018-05-04T07:11:26.123Z", 1525417886123.9),
        ("2018-05-04T07:11:26.123Z", 1.525417886123e18),
        ("5138-11-16T09:46:39.999Z", 99999999999.9999),
    ],
)
def test_a_float_is_read_as_its_shortest_decimal_and_cut(expected: str, value: float) -> None:
    """The milliseconds are those the sender wrote, not those of the nearest binary number."""
    assert expected == rendered(value)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("1970-08-22T13:41:44.000Z", "20180504"),
        ("1970-01-24T08:35:24.000Z", "2018124"),
        ("1970-01-01T00:33:38.000Z", "2018"),
        ("1970-01-01T00:33:38.500Z", "2018.5"),
        ("2018-05-04T07:11:26.000Z", "+1525417886"),
        ("2018-05-04T07:11:26.000Z", " \t1525417886\n"),
        ("2018-05-04T07:11:26.000Z", "0" * 9_000 + "1525417886"),
        ("2017-06-20T07:51:08.999Z", "1497945068.999"),
        ("1970-01-01T00:00:01.000Z", "1.0009999"),
        ("1970-01-01T00:00:00.999Z", "0." + "9" * 10_000),
        ("1969-12-31T23:59:59.999Z", "-0." + "0" * 10_000 + "1"),
        ("1969-12-31T23:59:59.000Z", "-1.000"),
        ("1970-01-01T00:00:00.000Z", "-0"),
        ("1970-01-01T00:00:00.000Z", "000"),
        ("5138-11-16T09:46:39.999Z", "99999999999." + "9" * 50),
    ],
    ids=short,
)
def test_digits_with_sign_or_fraction_are_unix_time_even_where_iso_has_the_form(expected: str, value: str) -> None:
    """Digits alone are never a date; white space around them and any length do no harm."""
    assert expected == rendered(value)


def expected_unix(number: Fraction) -> datetime | None:
    """The time to the millisecond by exact fractions, or None outside the calendar."""
    per_second = 1
    while abs(number) >= Fraction(10**11) * per_second and per_second < 10**9:
        per_second *= 1000
    milliseconds = number * 1000 // per_second
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


@given(st.sampled_from(["", "+", "-"]), st.text(DIGITS, min_size=1, max_size=22), st.text(DIGITS, max_size=14))
@example("-", "99999999999", "9999999999999")
@example("-", "62135596800", "0000000000001")
@settings(max_examples=400, deadline=None)
def test_digits_agree_with_exact_fractions(sign: str, whole: str, fraction: str) -> None:
    """Whatever the length, sign and fraction, the time is the exact one cut to the millisecond."""
    text = f"{sign}{whole}.{fraction}" if fraction else sign + whole
    expected = expected_unix(Fraction(text))
    if expected is None:
        assert reason_of(text) == "out_of_range"
    else:
        assert render(expected) == rendered(text)


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1e19, 1e19))
@settings(max_examples=400, deadline=None)
def test_floats_agree_with_exact_fractions(value: float) -> None:
    """A float is its shortest decimal, over the whole range of floats."""
    expected = expected_unix(Fraction(Decimal(repr(value))))
    if expected is None:
        assert reason_of(value) == "out_of_range"
    else:
        assert render(expected) == rendered(value)


@given(st.integers() | st.integers(-(10**21), 10**21))
@settings(max_examples=400, deadline=None)
def test_integers_agree_with_exact_fractions(value: int) -> None:
    """An integer of any size is a time or out of range."""
    expected = expected_unix(Fraction(value))
    if expected is None:
        assert reason_of(value) == "out_of_range"
    else:
        assert render(expected) == rendered(value)


# ISO 8601


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("2018-05-04T07:11:26.000Z", "2018-05-04T07:11:26Z"),
        ("2018-05-04T07:11:26.000Z", "2018-05-04t07:11:26z"),
        ("2018-05-04T07:11:26.000Z", " 2018-05-04 07:11:26Z "),
        ("2018-05-04T04:11:26.000Z", "2018-05-04T07:11:26+03"),
        ("2018-05-04T04:11:26.000Z", "2018-05-04T07:11:26+0300"),
        ("2018-05-04T04:11:26.000Z", "2018-05-04T07:11:26+03:00"),
        ("2018-05-04T12:41:26.000Z", "2018-05-04T07:11:26-0530"),
        ("2018-05-04T07:11:26.000Z", "2018-05-04T07:11:26-00:00"),
        ("2018-05-03T07:12:26.000Z", "2018-05-04T07:11:26+23:59"),
        ("2018-05-04T07:11:26.500Z", "2018-05-04T07:11:26.5Z"),
        ("2018-05-04T07:11:26.500Z", "2018-05-04T07:11:26,5Z"),
        ("2018-05-04T07:11:26.999Z", "2018-05-04T07:11:26.9999999999Z"),
        ("2018-05-04T07:11:26.999Z", "2018-05-04T07:11:26." + "9" * 10_000 + "Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.9999999Z"),
        ("2018-05-04T07:11:00.000Z", "2018-05-04T07:11Z"),
        ("2018-05-04T07:00:00.000Z", "2018-05-04T07Z"),
        ("2018-05-04T07:11:26.500Z", "20180504T071126,5Z"),
        ("2018-05-04T04:11:00.000Z", "20180504T0711+03"),
        ("2018-05-04T04:11:26.000Z", "20180504T071126+03:00"),
        ("2018-05-04T07:11:26.000Z", "2018-W18-5T07:11:26Z"),
        ("2018-05-04T07:11:26.000Z", "2018W185T071126Z"),
        ("2018-05-04T07:11:26.000Z", "2018-124T07:11:26Z"),
        ("2018-05-04T07:11:26.000Z", "2018124T071126Z"),
        ("2021-01-03T07:00:00.000Z", "2020-W53-7T07Z"),
        ("2018-05-05T00:00:00.000Z", "2018-05-04T24:00:00Z"),
        ("2018-05-05T00:00:00.000Z", "2018-05-04T24:00:00.000Z"),
        ("2018-05-05T00:00:00.000Z", "20180504T240000Z"),
        ("2018-05-05T00:00:00.000Z", "2018-05-04T24:00Z"),
        ("2018-12-31T21:00:00.000Z", "2018-12-31T24:00:00+03:00"),
        ("2017-01-01T00:00:00.000Z", "2016-12-31T23:59:60Z"),
        ("2017-01-01T00:00:00.500Z", "2016-12-31T23:59:60.5Z"),
        ("2017-01-01T00:00:00.000Z", "20161231T235960Z"),
        ("2017-01-02T00:00:00.000Z", "2017-W01-1T00:00:00Z"),
        ("2017-01-01T00:00:00.000Z", "2016-366T23:59:60Z"),
        ("2018-05-04T04:12:00.000Z", "2018-05-04T07:11:60+03:00"),
        ("0001-01-01T00:00:00.000Z", "0001-01-01T01:00:00+01:00"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T22:59:59.9999-01:00"),
    ],
    ids=short,
)
def test_iso_with_an_offset_is_read_as_written(expected: str, value: str) -> None:
    """Every spelling of ISO 8601 with an offset or Z gives the same instant, whatever the connection's zone."""
    assert expected == rendered(value, NEW_YORK)


@pytest.mark.parametrize(
    ("expected", "value", "zone"),
    [
        ("2018-05-04T04:11:26.000Z", "2018-05-04T07:11:26", HELSINKI),
        ("2018-05-04T04:11:26.123Z", "20180504 071126,1239", HELSINKI),
        ("2018-05-04T11:11:00.000Z", "2018-W18-5T07:11", NEW_YORK),
        ("2018-05-04T05:11:26.000Z", "2018-124T07:11:26", timezone(timedelta(hours=2))),
        ("2018-05-04T21:00:00.000Z", "2018-05-04T24:00:00", HELSINKI),
        ("2016-12-31T22:00:00.000Z", "2016-12-31T23:59:60", HELSINKI),
        # 02:59:60 is 03:00, which the spring change skips
        ("2018-03-25T01:00:00.000Z", "2018-03-25T02:59:60", HELSINKI),
        ("2018-03-25T00:59:59.000Z", "2018-03-25T02:59:59", HELSINKI),
        ("2018-03-25T01:30:00.000Z", "2018-03-25T03:30:00", HELSINKI),
        ("2018-03-25T01:30:00.000Z", "2018-03-25T04:30:00", HELSINKI),
        ("2018-10-28T00:30:00.000Z", "2018-10-28T03:30:00", HELSINKI),
        ("2018-10-28T02:00:00.000Z", "2018-10-28T04:00:00", HELSINKI),
        ("2018-03-11T07:30:00.000Z", "2018-03-11T02:30:00", NEW_YORK),
        ("2018-11-04T05:30:00.000Z", "2018-11-04T01:30:00", NEW_YORK),
        ("2018-10-06T15:40:00.000Z", "2018-10-07T02:10:00", LORD_HOWE),
        ("2018-03-31T14:40:00.000Z", "2018-04-01T01:40:00", LORD_HOWE),
        ("2011-12-30T22:00:00.000Z", "2011-12-30T12:00:00", APIA),
        ("2011-12-30T22:00:00.000Z", "2011-12-31T12:00:00", APIA),
    ],
)
def test_iso_without_an_offset_is_wall_clock_in_the_zone(expected: str, value: str, zone: tzinfo) -> None:
    """A time that occurs twice is the first; a skipped one moves forward by the length of the gap."""
    assert expected == rendered(value, zone)


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("2018-05-04T00:00:00.000Z", "2018-05-04"),
        ("2018-05-04T00:00:00.000Z", "  2018-05-04\r\n"),
        ("2018-05-04T00:00:00.000Z", "2018-W18-5"),
        ("2018-05-04T00:00:00.000Z", "2018W185"),
        ("2018-05-04T00:00:00.000Z", "2018-124"),
        ("2016-12-31T00:00:00.000Z", "2016-366"),
        ("0001-01-01T00:00:00.000Z", "0001-01-01"),
        ("9999-12-31T00:00:00.000Z", "9999-12-31"),
        # midnight does not exist on this day in Apia, and the zone plays no part
        ("2011-12-30T00:00:00.000Z", "2011-12-30"),
    ],
)
def test_a_date_alone_is_midnight_utc_and_marked(expected: str, value: str) -> None:
    """A date alone is 00:00:00.000Z of that day in every zone, and says that it is a date alone."""
    reading = read(value, APIA)
    assert reading == Reading(reading.at, date_only=True)
    assert expected == render(reading.at)


# What is refused

REFUSED: list[tuple[Reason, list[object]]] = [
    (Reason.EMPTY, ["", " ", "\t\r\n", "\u00a0"]),
    (Reason.NULL, [None]),
    (Reason.BOOLEAN, [True, False]),
    (Reason.NOT_FINITE, [float("nan"), float("inf"), float("-inf")]),
    (Reason.WRONG_TYPE, [[], [1525417886], {}, b"2018-05-04", Decimal(1), date(2018, 5, 4), object(), 1j]),
    (
        Reason.UNREADABLE,
        [
            *["Not Contacted", "null", "true", "NaN", "inf", "Infinity", "now", "\ud800", "2018-05-04T07:11:26\0"],
            *["1e9", "1e400", "0x10", "1_000", "1,5", "1.", ".5", "-", "+-1", "- 1", "1 2", "1.2.3", "--1"],
            *["\u0661\u0662\u0663", "\uff11\uff12", "\u00b2", "\uff12018-05-04", "2018-05-04T07:11:2\u0666Z"],
            *["2018-05", "2018-05T07:11:26Z", "2018-W18", "2018W18", "2018-W18T07:11", "20180504Z", "2018-05-04Z"],
            *["1994-6-8", "2018-5-04", "18-05-04", "10000-01-01", "-0001-01-01", "+2018-05-04", "2018/05/04"],
            *["2018-0504", "201805-04", "2018-W185", "2018W18-5", "2018-w18-5", "05/04/2018", "Oct 07, 2017"],
            *["2018-05-04T", "2018-05-04T7:11", "2018-05-04T07:1", "2018-05-04T07:11:", "2018-05-04_07:11:26"],
            *["2018-05-04  07:11:26", "2018-05-04T07:11:26 Z", "2018-05-04 07:11:26 +0300", "2018-05-04T07:11:26ZZ"],
            *["2018-05-04T07:11:26.", "2018-05-04T07:11:26.Z", "2018-05-04T07:11.5Z", "2018-05-04T07.5Z"],
            *["2018-05-04T071126Z", "20180504T07:11:26Z", "2018-05-04T07:1126", "2018-05-04T0711:26"],
            *["2018-05-04T07:11:26+3", "2018-05-04T07:11:26+030", "2018-05-04T07:11:26+03:0"],
            *["2018-05-04T07:11:26+", "2018-05-04T07:11:26+03:00:30", "2018-05-04T07:11:26\u221203:00"],
            *["2018-05-04T07:11:26 EET", "2018-05-04T07:11:26[Europe/Helsinki]", "Fri, 04 May 2018 07:11:26 GMT"],
        ],
    ),
    (
        Reason.NO_SUCH_TIME,
        [
            *["2018-02-29", "2018-13-01", "2018-00-10", "2018-05-00", "2018-366", "2018-000", "2018-W53-1"],
            *["2018-W00-1", "2018-W01-0", "2018-W01-8", "2018-02-30T24:00:00Z", "2018-02-29T07:11:60Z"],
            *["2018-05-04T25:00:00Z", "2018-05-04T07:60:00Z", "2018-05-04T07:11:61Z", "2018-05-04T24:00:01Z"],
            *["2018-05-04T24:01Z", "2018-05-04T24:00:60Z", "2018-05-04T24:00:00.0000001Z", "20180504T240000.1"],
            *["2018-05-04T07:11:26+24:00", "2018-05-04T07:11:26-2400", "2018-05-04T07:11:26+23:60"],
        ],
    ),
    (
        Reason.OUT_OF_RANGE,
        [
            *[-62135596801, -(10**11) + 1, 253402300800 * 10**9, 10**400, -(10**5000), 1 << 100_000, 1e300, -1e22],
            *["-62135596800.0000000001", "253402300800000000000", "9" * 10_000, "-" + "9" * 10_000 + ".5"],
            *["0000-01-01", "0000-01-01T00:00:00Z", "0000-W10-1", "0000-100", "9999-W52-7", "9999-W52-6T00:00Z"],
            *["9999-12-31T24:00:00Z", "9999-12-31T23:59:60Z", "9999-12-31T24:00:00", "9999-12-31T23:59:60"],
            *["0001-01-01T00:59:59+01:00", "9999-12-31T23:00:00-01:00", "0001-01-01T00:00:00"],
        ],
    ),
]


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        pytest.param(reason, value, id=f"{reason}-{number}")
        for reason, values in REFUSED
        for number, value in enumerate(values)
    ],
)
def test_anything_else_is_refused_with_its_reason(reason: Reason, value: object) -> None:
    """What is not in the table is refused by one fixed word."""
    assert reason == reason_of(value)


def test_every_reason_is_shown_by_an_example() -> None:
    """No reason word stands without a value that gets it."""
    assert list(Reason) == [reason for reason, _ in REFUSED]


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("got 'Not Contacted'; expected Unix time, or an ISO 8601 date", "Not Contacted"),
        ("got '2018-02-29'; expected", "2018-02-29"),
        ("got '" + "x" * 59 + "; expected", "x" * 100_000),
        (r"got 'a\n\ud800'; expected", "a\n\ud800"),
        ("got nan; expected", float("nan")),
        ("got None; expected", None),
        ("got True; expected", True),
        pytest.param("got a value of type int; expected", 10**5000, id="int of 5001 digits"),
        ("got a value of type dict; expected", {"email": "ann@example.com"}),
    ],
)
def test_a_refusal_says_what_was_got_and_what_is_expected(expected: str, value: object) -> None:
    """The message quotes text and numbers, cut to 60 characters, and of anything else only the type."""
    with pytest.raises(TimestampRefused) as refused:
        read(value, HELSINKI)
    assert expected in str(refused.value)


NEAR_TIMESTAMPS = st.text("0123456789-+:.,TtZzW \u0663\ud800", max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(NEAR_TIMESTAMPS | st.text() | JSON | st.binary() | st.decimals() | st.datetimes(), st.sampled_from([UTC, APIA]))
@settings(max_examples=1500, deadline=None)
def test_any_value_is_a_time_in_utc_or_a_refusal(value: object, zone: tzinfo) -> None:
    """No input raises anything but TimestampRefused, and its message can always be encoded."""
    try:
        reading = read(value, zone)
    except TimestampRefused as refused:
        assert len(str(refused).encode()) < 300
    else:
        assert reading.at.tzinfo is UTC
        assert len(render(reading.at)) == 24


# Against a second reading, made from the shapes of the text and the rules of the calendar

DATE_SHAPES = {
    "dddd-dd-dd": "calendar",
    "dddd-Wdd-d": "week",
    "dddd-ddd": "ordinal",
    "dddddddd": "calendar",
    "ddddWddd": "week",
    "ddddddd": "ordinal",
}


def day_of(kind: str, digits: str) -> date:
    year, rest = int(digits[:4]), digits[4:]
    if kind == "calendar":
        return date(year, int(rest[:2]), int(rest[2:]))
    if kind == "ordinal":
        day = date(year, 1, 1) + timedelta(days=int(rest) - 1)
        assert day.year == year
        return day
    week, weekday = int(rest[:2]), int(rest[2])
    fourth = date(year, 1, 4)  # always in week 1
    day = fourth + timedelta(days=7 * (week - 1) + weekday - 1 - fourth.weekday())
    assert 1 <= weekday <= 7
    assert day.isocalendar() == (year, week, weekday)
    return day


def offset_of(text: str) -> tzinfo:
    if text in {"Z", "z"}:
        return UTC
    assert text[0] in "+-"
    assert shape(text[1:]) in {"dd", "dddd", "dd:dd"}
    digits = text[1:].replace(":", "")
    minutes = int(digits[2:] or "0")
    assert minutes < 60
    size = timedelta(hours=int(digits[:2]), minutes=minutes)
    return timezone(-size if text[0] == "-" else size)


def shape(text: str) -> str:
    return "".join("d" if char in DIGITS else char for char in text)


def second_reading(text: str) -> Reading | None:
    """A slow reading of ISO 8601 in a firm that keeps UTC, or None where it is refused."""
    try:
        at, date_only = iso_by_shape(text.strip())
        return Reading(at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC), date_only)
    except (AssertionError, ValueError, OverflowError, StopIteration):
        return None


def iso_by_shape(text: str) -> tuple[datetime, bool]:
    head = next(len(s) for s in DATE_SHAPES if shape(text).startswith(s) and text[len(s) :][:1] in "Tt ")
    written, clock = text[:head], text[head + 1 :]
    digits = "".join(char for char in written if char in DIGITS)
    day = datetime.combine(day_of(DATE_SHAPES[shape(written)], digits), datetime.min.time())
    if len(text) == head:
        return day, True
    signs = [place for place, char in enumerate(clock) if char in "+-Zz"]
    zone = offset_of(clock[signs[0] :]) if signs else None
    clock = clock[: signs[0]] if signs else clock
    main, mark, fraction = clock.replace(",", ".").partition(".")
    full = "dd:dd:dd" if "-" in written else "dddddd"
    assert shape(main) in ({full} if mark else {full[: len(full) * n // 3].rstrip(":") for n in (1, 2, 3)})
    assert bool(fraction) == bool(mark)
    assert set(fraction) <= set(DIGITS)
    units = [int(main.replace(":", "")[place : place + 2] or "0") for place in (0, 2, 4)]
    hour, minute, second = units
    assert (hour < 24 and minute < 60 and second <= 60) or (units == [24, 0, 0] and not fraction.strip("0"))
    at = day + timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(f"{fraction:0<6}"[:6]))
    return at.replace(tzinfo=zone), False


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, datetime]:
    """A date-time in one of its ISO spellings, and its value, naive where the text has no offset."""
    at = draw(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)))
    day, clock = draw(days(at)), f"{at:%H:%M:%S}"
    if draw(st.booleans()):
        day, clock = day.replace("-", ""), clock.replace(":", "")
    fraction = draw(st.sampled_from(".,")) + f"{at.microsecond:06}" + draw(st.text(DIGITS, max_size=5))
    if at.microsecond == 0 and draw(st.booleans()):
        fraction = ""
    minutes = draw(st.none() | st.integers(-1439, 1439))
    text = day + draw(st.sampled_from("Tt ")) + clock + fraction + draw(offsets(minutes))
    return text, at if minutes is None else at.replace(tzinfo=timezone(timedelta(minutes=minutes)))


def days(at: datetime) -> st.SearchStrategy[str]:
    week = at.isocalendar()
    return st.sampled_from(
        [
            at.date().isoformat(),
            f"{week.year:04}-W{week.week:02}-{week.weekday}",
            f"{at.year:04}-{at.timetuple().tm_yday:03}",
        ]
    )


def offsets(minutes: int | None) -> st.SearchStrategy[str]:
    if minutes is None:
        return st.just("")
    sign, (hour, minute) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    texts = [f"{sign}{hour:02}{minute:02}", f"{sign}{hour:02}:{minute:02}"]
    texts += [f"{sign}{hour:02}"] if minute == 0 else []
    texts += ["Z", "z", "-00:00"] if minutes == 0 else []
    return st.sampled_from(texts)


@given(spellings())
@settings(max_examples=500, deadline=None)
def test_every_spelling_of_a_time_is_read_back(spelling: tuple[str, datetime]) -> None:
    """Calendar, week and ordinal dates, basic and extended, with every mark, fraction and offset, come back."""
    text, at = spelling
    assert Reading(at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC), False) == read(text, UTC)


PATCHES = st.sampled_from([*"0123456789-:.,TtZzW+ \u0663", "60", "24:00:00", "W53", "366", "0229", "+24:00", ""])
EDITS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), PATCHES), max_size=3)


@given(spellings(), EDITS)
@example(("2016-12-31T23:59:60Z", EPOCH), [])
@example(("20161231T235960,25+0300", EPOCH), [])
@settings(max_examples=1000, deadline=None)
def test_damaged_spellings_are_read_or_refused_like_the_second_reading(
    spelling: tuple[str, datetime], edits: list[tuple[int, int, str]]
) -> None:
    """What is accepted, and as what, is the same when the text is taken apart by its shape."""
    text = spelling[0]
    for place, cut, patch in edits:
        text = text[:place] + patch + text[place + cut :]
    if not text.strip(DIGITS + "+-. "):
        text += "T07Z"  # not Unix time, which the tests above hold
    expected = second_reading(text)
    try:
        assert expected == read(text, UTC)
    except TimestampRefused:
        assert expected is None


# Wall clocks


def transitions(zone: ZoneInfo, first: int, last: int) -> list[datetime]:
    """The UTC times from which clocks in `zone` show another offset, found by walking over the years."""
    found = []
    at, end, step = datetime(first, 1, 1, tzinfo=UTC), datetime(last, 1, 1, tzinfo=UTC), timedelta(days=7)
    while at < end:
        if at.astimezone(zone).utcoffset() != (at + step).astimezone(zone).utcoffset():
            found.append(change_between(zone, at, at + step))
        at += step
    return found


def change_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


CHANGES = [(zone, change) for zone in (HELSINKI, NEW_YORK, LORD_HOWE, APIA) for change in transitions(zone, 2005, 2013)]


def clocks_around(zone: ZoneInfo, change: datetime) -> dict[datetime, datetime]:
    """Every whole minute that clocks show within three days of `change`, with the first UTC time of it."""
    shown: dict[datetime, datetime] = {}
    for minute in range(-3 * 1440, 3 * 1440):
        at = change + timedelta(minutes=minute)
        shown.setdefault(at.astimezone(zone).replace(tzinfo=None, fold=0), at)
    return shown


def skipped(zone: ZoneInfo, change: datetime) -> timedelta:
    second = timedelta(seconds=1)
    last, first = (at.astimezone(zone).replace(tzinfo=None) for at in (change - second, change))
    return first - last - second


@pytest.mark.parametrize(("zone", "change"), CHANGES, ids=[f"{zone.key}-{at:%Y-%m}" for zone, at in CHANGES])
def test_around_every_clock_change_the_time_is_what_clocks_show(zone: ZoneInfo, change: datetime) -> None:
    """Before, in and after each gap and overlap, the reading is what a walk through UTC finds."""
    shown, gap = clocks_around(zone, change), skipped(zone, change)
    middle = change.astimezone(zone).replace(tzinfo=None, fold=0)
    for minute in range(-30 * 60, 30 * 60, 5):
        naive = middle + timedelta(minutes=minute)
        expected = shown[naive] if naive in shown else shown[naive + gap]
        assert expected == wall_clock(naive, zone)
        assert Reading(expected, False) == read(naive.isoformat(), zone)


def test_the_clock_changes_include_half_an_hour_and_a_whole_day() -> None:
    """The walk above has seen gaps of 30 minutes, an hour and a day, and overlaps."""
    gaps = {skipped(zone, change) for zone, change in CHANGES}
    half, hour = timedelta(minutes=30), timedelta(hours=1)
    assert gaps == {half, -half, hour, -hour, timedelta(days=1)}


def test_wall_clock_takes_the_first_of_two_whatever_the_fold() -> None:
    """A fold left over from elsewhere does not choose the second occurrence."""
    twice = datetime(2018, 10, 28, 3, 30, fold=1)
    assert datetime(2018, 10, 28, 0, 30, tzinfo=UTC) == wall_clock(twice, HELSINKI)


@pytest.mark.parametrize(("naive", "zone"), [(datetime.min, HELSINKI), (datetime.max, NEW_YORK)])
def test_wall_clock_refuses_what_leaves_the_calendar(naive: datetime, zone: ZoneInfo) -> None:
    """At either end of the calendar the UTC time has no year from 1 to 9999."""
    with pytest.raises(TimestampRefused) as refused:
        wall_clock(naive, zone)
    assert refused.value.reason == "out_of_range"


# Output


@pytest.mark.parametrize(
    ("expected", "at"),
    [
        ("2018-05-04T07:11:26.123Z", datetime(2018, 5, 4, 7, 11, 26, 123999, UTC)),
        ("2018-12-31T23:59:59.999Z", datetime(2018, 12, 31, 23, 59, 59, 999999, UTC)),
        ("1969-12-31T23:59:59.999Z", datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
        ("0001-01-01T00:00:00.000Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("2018-05-04T04:11:26.000Z", datetime(2018, 5, 4, 7, 11, 26, tzinfo=HELSINKI)),
        ("2018-05-04T04:11:26.000Z", datetime(2018, 5, 4, 7, 11, 26, tzinfo=timezone(timedelta(hours=3)))),
    ],
)
def test_output_is_utc_with_milliseconds_cut(expected: str, at: datetime) -> None:
    """Microseconds are cut off, never rounded, and the year has four digits."""
    assert expected == render(at)


@given(st.datetimes(timezones=st.just(UTC)))
@settings(max_examples=300, deadline=None)
def test_output_reads_back_to_the_millisecond(at: datetime) -> None:
    """What is rendered is read as the same time, and rendered the same again."""
    text = render(at)
    assert Reading(at.replace(microsecond=at.microsecond // 1000 * 1000), False) == read(text, APIA)
    assert text == rendered(text)


def test_output_of_a_naive_time_is_a_mistake_of_the_caller() -> None:
    """A time without a zone is not guessed to be UTC or local."""
    with pytest.raises(ValueError, match="expected an aware time"):
        render(datetime(2018, 5, 4))
