"""Dates as CRMs print them for people, `Oct 07, 2017 05:44:26 PM` and `07/10/2017` (CONTRACT section 5).

Which of day and month comes first cannot be told from the text, so it is a setting of the connection. Month
names are English in every process: `strptime` would take them from the locale of the machine.
Source of the forms: Apptivo's own API pages, which use three of them (upstream-apis section 1.7).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

from adapters.timestamps import Reading, Reason, TimestampRefused, read, wall_clock

DateOrder = Literal["DMY", "MDY"]
"""How the firm writes 7 October 2017: `DMY` is 07/10/2017, `MDY` is 10/07/2017."""

_Date = tuple[int, int, int]
_EXPECTED = "a day and time that exist, the date in the order {}"
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
# U+202F, because CLDR 42, and so every newer Java, puts it before AM and PM.
_TIME = r"(?:\s+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:[\s\u202f]?([AaPp])[Mm])?)?"
_NAMED = re.compile(
    rf"({'|'.join(_MONTHS)})\s+([0-9]{{1,2}}),\s+([0-9]{{4}}){_TIME}",
    re.IGNORECASE | re.ASCII,  # else the long s, U+017F, would pass for the s of sep
)
_NUMERIC = re.compile(rf"([0-9]{{1,2}})([/.-])([0-9]{{1,2}})\2([0-9]{{4}}){_TIME}")


@dataclass(frozen=True, slots=True)
class VendorFormats:
    """One firm's way of writing dates, tried before the forms that every CRM shares."""

    date_order: DateOrder
    """Day first or month first, where the month is a number."""

    def read(self, value: object, zone: tzinfo) -> Reading:
        """Read `Mon DD, YYYY`, or `DD/MM/YYYY` or `MM/DD/YYYY`; anything else as `timestamps.read` does.

        The separator is `/`, `.` or `-`. A time may follow, `HH:MM[:SS]`, with AM or PM or on 24 hours, by the
        clocks of `zone`. A date alone is 00:00 UTC of that day, with `date_only`.
        Raises TimestampRefused, and nothing else.
        """
        if not isinstance(value, str):
            return read(value, zone)
        text = value.strip()
        if text[:4].isdigit():
            # neither form begins so: ISO 8601 and Unix times, which are most, need not be held against them
            return read(text, zone)
        if match := _NAMED.fullmatch(text):
            month, day, year, *clock = match.groups()
            return self._reading((int(year), _MONTHS[month.lower()], int(day)), clock, zone, text)
        if match := _NUMERIC.fullmatch(text):
            first, _, second, year, *clock = match.groups()
            day, month = (first, second) if self.date_order == "DMY" else (second, first)
            return self._reading((int(year), int(month), int(day)), clock, zone, text)
        return read(text, zone)

    def _reading(self, date: _Date, clock: list[str | None], zone: tzinfo, text: str) -> Reading:
        hour, minute, second, half = clock
        if date[0] == 0:
            raise TimestampRefused(Reason.OUT_OF_RANGE, text)
        try:
            if hour is None:
                return Reading(datetime(*date, tzinfo=UTC), True)
            at = datetime(*date, _hour(int(hour), half), int(minute or 0), int(second or 0))
        except ValueError:
            raise TimestampRefused(Reason.NO_SUCH_TIME, text, _EXPECTED.format(self.date_order)) from None
        return Reading(wall_clock(at, zone), False)


def _hour(hour: int, half: str | None) -> int:
    """Return the hour on 24 hours; `half` is the A or P of AM and PM. ValueError for 0 AM and 13 PM."""
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"expected an hour from 1 to 12 with AM or PM, got {hour}")
    return hour % 12 + (12 if half in "Pp" else 0)
