"""Dates as CRMs print them for people: the CRM row of the table in CONTRACT section 5."""

import locale
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.timestamps import Reading, TimestampRefused, read, render
from adapters.vendor_dates import DateOrder, VendorFormats

KOLKATA = ZoneInfo("Asia/Kolkata")
HELSINKI = ZoneInfo("Europe/Helsinki")
DMY, MDY = VendorFormats("DMY"), VendorFormats("MDY")
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def reason_of(value: object, formats: VendorFormats = DMY) -> str | None:
    try:
        formats.read(value, HELSINKI)
    except TimestampRefused as refused:
        return refused.reason
    return None


@pytest.mark.parametrize("formats", [DMY, MDY], ids=["DMY", "MDY"])
@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("2017-10-07T12:14:26.000Z", "Oct 07, 2017 05:44:26 PM"),
        ("2017-10-07T12:14:26.000Z", " oct 7,  2017  5:44:26pm "),
        ("2017-10-07T12:14:26.000Z", "OCT 07, 2017 05:44:26\u202fPM"),
        ("2017-10-07T12:14:26.000Z", "Oct 07, 2017 17:44:26"),
        ("2017-10-07T12:14:00.000Z", "Oct 07, 2017 17:44"),
        ("2017-10-07T12:14:00.000Z", "Oct 07, 2017 05:44 PM"),
        ("2017-10-06T18:30:00.000Z", "Oct 07, 2017 12:00:00 AM"),
        ("2017-10-07T06:30:00.000Z", "Oct 07, 2017 12:00:00 PM"),
        ("2017-10-06T18:30:00.000Z", "Oct 07, 2017 00:00:00"),
    ],
)
def test_a_named_month_is_read_in_either_order(expected: str, value: str, formats: VendorFormats) -> None:
    """`Mon DD, YYYY` with a time on 12 or 24 hours is wall-clock time in the zone."""
    reading = formats.read(value, KOLKATA)
    assert (expected, False) == (render(reading.at), reading.date_only)


@pytest.mark.parametrize("separator", ["/", ".", "-"])
@pytest.mark.parametrize(
    ("expected", "value", "formats"),
    [
        ("2017-10-07T12:14:26.000Z", "07/10/2017 05:44:26 PM", DMY),
        ("2017-07-10T12:14:26.000Z", "07/10/2017 17:44:26", MDY),
        ("2017-10-07T12:14:00.000Z", "7/10/2017 5:44 PM", DMY),
        ("2017-12-31T12:14:00.000Z", "12/31/2017 17:44", MDY),
    ],
)
def test_a_numeric_date_is_read_in_the_order_of_the_firm(
    expected: str, value: str, formats: VendorFormats, separator: str
) -> None:
    """Day or month comes first as the setting says, with any of three separators."""
    reading = formats.read(value.replace("/", separator), KOLKATA)
    assert (expected, False) == (render(reading.at), reading.date_only)


@pytest.mark.parametrize(
    ("day", "value", "formats"),
    [
        (datetime(2017, 10, 7, tzinfo=UTC), "07/10/2017", DMY),
        (datetime(2017, 7, 10, tzinfo=UTC), "07/10/2017", MDY),
        (datetime(2017, 10, 7, tzinfo=UTC), "Oct 07, 2017", MDY),
        (datetime(2016, 2, 29, tzinfo=UTC), "29.2.2016", DMY),
        (datetime(2011, 12, 30, tzinfo=UTC), "30-12-2011", DMY),
    ],
)
def test_a_date_alone_is_midnight_utc_and_marked(day: datetime, value: str, formats: VendorFormats) -> None:
    """A vendor's date alone is 00:00 UTC of that day, even one that the zone skipped."""
    assert Reading(day, True) == formats.read(value, ZoneInfo("Pacific/Apia"))


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ("2018-03-25T01:30:00.000Z", "Mar 25, 2018 03:30:00 AM"),
        ("2018-10-28T00:30:00.000Z", "28/10/2018 03:30"),
    ],
)
def test_clock_changes_count_as_for_iso(expected: str, value: str) -> None:
    """A skipped time moves forward and a doubled one is the first, as in the row of ISO without an offset."""
    assert expected == render(DMY.read(value, HELSINKI).at)


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        ("no_such_time", "31/02/2017"),
        ("no_such_time", "12/31/2017"),
        ("no_such_time", "Feb 29, 2017"),
        ("no_such_time", "Oct 00, 2017"),
        ("no_such_time", "Oct 07, 2017 24:00:00"),
        ("no_such_time", "Oct 07, 2017 05:60 PM"),
        ("no_such_time", "Oct 07, 2017 13:44:26 PM"),
        ("no_such_time", "Oct 07, 2017 00:44:26 AM"),
        ("out_of_range", "Jan 01, 0000"),
        ("out_of_range", "01/01/0001 00:30"),
        ("unreadable", "07/10-2017"),
        ("unreadable", "07/10/17"),
        ("unreadable", "2017/10/07"),
        ("unreadable", "Okt 07, 2017"),
        ("unreadable", "\u017fep 07, 2017"),
        ("unreadable", "\u0660\u0667/10/2017"),
        ("unreadable", "Oct 07 2017"),
        ("unreadable", "Oct 07, 2017 PM"),
        ("unreadable", "Oct 07, 2017 05:44:26 PM EST"),
        ("unreadable", "Not Contacted"),
        ("empty", ""),
        ("null", None),
        ("boolean", True),
    ],
)
def test_anything_else_is_refused_with_its_reason(reason: str, value: object) -> None:
    """A date in the other order is refused, not turned round; two-digit years are not guessed."""
    assert reason == reason_of(value)


def test_a_refusal_names_the_order_that_was_expected() -> None:
    """Whoever set the wrong order learns it from the message."""
    with pytest.raises(TimestampRefused, match=r"got '12/31/2017'; expected .* order DMY"):
        DMY.read("12/31/2017", HELSINKI)


@pytest.mark.parametrize(
    "value",
    ["2017-10-07 05:30:02", "2017-10-07", "2017-10-07T05:30:02Z", 1507354202, 1507354202000.5, "1507354202"],
)
def test_the_shared_forms_are_read_as_ever(value: object) -> None:
    """What is in no vendor's form goes to the reading that every CRM shares."""
    assert read(value, HELSINKI) == DMY.read(value, HELSINKI)


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),
    st.sampled_from(["DMY", "MDY", "named"]),
    st.sampled_from(["", ":%M", ":%M:%S"]),
    st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_every_spelling_of_a_time_is_read_back(at: datetime, order: str, clock: str, half: bool) -> None:
    """Each form, with and without time, seconds and AM or PM, comes back as the time it was made from."""
    digits = {"DMY": f"{at.day:02}/{at.month:02}", "MDY": f"{at.month:02}/{at.day:02}"}
    date = f"{digits[order]}/" if order in digits else f"{MONTHS[at.month - 1]} {at.day:02}, "
    hour = f"{(at.hour + 11) % 12 + 1:02}" if half else f"{at.hour:02}"
    time = at.strftime(f" {hour}{clock}") + (half * (" PM" if at.hour >= 12 else " AM")) if clock else ""
    expected = at.replace(
        hour=at.hour if clock else 0,
        minute=at.minute if clock else 0,
        second=at.second if "S" in clock else 0,
        microsecond=0,
        tzinfo=UTC,
    )
    name: DateOrder = "MDY" if order == "MDY" else "DMY"
    assert Reading(expected, not clock) == VendorFormats(name).read(f"{date}{at.year:04}{time}", UTC)


@given(st.text("0123456789/.-:, ApPMmOctsSepJan\u017f\u202f\u0663\ud800", max_size=30) | st.text())
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_time_in_utc_or_a_refusal(value: str) -> None:
    """No text raises anything but TimestampRefused."""
    for formats in (DMY, MDY):
        try:
            reading = formats.read(value, KOLKATA)
        except TimestampRefused:
            continue
        assert reading.at.tzinfo is UTC


@pytest.mark.parametrize("name", ["C", "de_DE.UTF-8", "fi_FI.UTF-8"])
def test_month_names_do_not_depend_on_the_locale(name: str) -> None:
    """Under a plain, a German or a Finnish locale, where the machine has it, October is still Oct."""
    before = locale.setlocale(locale.LC_TIME)
    try:
        with suppress(locale.Error):
            locale.setlocale(locale.LC_TIME, name)
        assert Reading(datetime(2017, 10, 7, tzinfo=UTC), True) == DMY.read("Oct 07, 2017", KOLKATA)
    finally:
        locale.setlocale(locale.LC_TIME, before)
