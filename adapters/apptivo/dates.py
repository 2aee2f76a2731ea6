"""When something happened, by the fields that Apptivo's rows carry (upstream-apis 1.7 and 1.8).

Every date may have any of the three documented forms, or be "", null or words such as "Not Contacted"; the
first field that can be read counts. No value carries an offset, so all are clocks of the connection's zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any

from adapters.timestamps import Reading, TimestampRefused, wall_clock
from adapters.vendor_dates import VendorFormats

_Timed = tuple[str, str, str]
_BLANK = (None, "")
_TIMED = {f"{name}Date": (f"{name}TimeHour", f"{name}TimeMinute", f"{name}TimeMeridian") for name in ("start", "end")}
"""Dates whose time of day lies in fields of its own: startTimeHour, startTimeMinute, startTimeMeridian (C)."""


@dataclass(frozen=True, slots=True)
class Dates:
    """One connection's reading of dates."""

    formats: VendorFormats
    zone: tzinfo

    def read(self, value: object) -> Reading:
        """One value; raises TimestampRefused and nothing else. What has been read is returned as it is."""
        if isinstance(value, Reading):
            return value
        return self.formats.read(value, self.zone)

    def first_of(self, row: Mapping[str, Any], names: Iterable[str]) -> object:
        """The `Reading` of the first of the named fields that can be read, with its time of day.

        Where none can be read, the first that is not blank, so that the refusal shows what Apptivo sent.
        """
        refused: object = None
        for name in names:
            value = row.get(name)
            try:
                if value not in _BLANK:
                    reading = self.formats.read(value, self.zone)
                    timed = _TIMED.get(name)
                    return self._with_time(reading, row, timed) if timed else reading
            except TimestampRefused:
                pass  # another field may hold the time; where none does, the first is refused by `read`
            if refused in _BLANK:
                refused = value
        return refused

    def _with_time(self, reading: Reading, row: Mapping[str, Any], fields: _Timed) -> Reading:
        clock = _time_of_day(row, fields)
        if clock is None:
            return reading
        day = reading.at if reading.date_only else reading.at.astimezone(self.zone)
        if not reading.date_only and day.time() != time():
            return reading
        return Reading(wall_clock(datetime.combine(day.date(), clock), self.zone), False)


def _time_of_day(row: Mapping[str, Any], fields: _Timed) -> time | None:
    hour = _integer(row.get(fields[0]))
    if hour is None or row.get("allDayEvent") == "Y":
        return None
    minute = _integer(row.get(fields[1]))
    meridian = str(row.get(fields[2])).strip().upper()
    if hour <= 12 and meridian in ("0", "1", "AM", "PM"):
        hour = hour % 12 + (12 if meridian in ("1", "PM") else 0)
    try:
        return time(hour, minute or 0)
    except (ValueError, OverflowError):
        # 25 o'clock, or a number that no clock can hold
        return None


def _integer(value: object) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:4])
    return value if isinstance(value, int) and not isinstance(value, bool) else None
