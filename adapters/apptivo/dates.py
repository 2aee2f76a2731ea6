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

_BLANK = (None, "")
_TIMED = {"startDate": "startTime", "endDate": "endTime"}
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
                    return self._with_time(self.read(value), row, _TIMED.get(name))
            except TimestampRefused:
                pass
            if refused in _BLANK:
                refused = value
        return refused

    def _with_time(self, reading: Reading, row: Mapping[str, Any], prefix: str | None) -> Reading:
        clock = _time_of_day(row, prefix) if prefix else None
        if clock is None:
            return reading
        day = reading.at if reading.date_only else reading.at.astimezone(self.zone)
        if not reading.date_only and day.time() != time():
            return reading
        return Reading(wall_clock(datetime.combine(day.date(), clock), self.zone), False)


def _time_of_day(row: Mapping[str, Any], prefix: str) -> time | None:
    hour, minute = _integer(row.get(f"{prefix}Hour")), _integer(row.get(f"{prefix}Minute"))
    if hour is None or row.get("allDayEvent") == "Y":
        return None
    meridian = str(row.get(f"{prefix}Meridian")).strip().upper()
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
