"""Where a reading of all rows of an app stands: text that can be kept, and the rule of what comes next. Pure."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

from adapters.contract import Refused

FIRST_DAY = date(2000, 1, 1)
"""Before this day nothing was made in Apptivo."""
_WHOLE = re.compile(r"all:([0-9]{1,12}):([0-9A-Za-z_-]{0,128})(:down)?")
_SLICED = re.compile(
    r"days:([0-9-]{10}):([0-9-]{10}):([0-9-]{10}):(DMY|MDY|YMD):(up|down):([0-9]{1,12})", re.ASCII
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows in one list."""

    start: int = 0
    first_id: str = ""
    """The id of the first row of the page before: a server that ignores startIndex gives that page again."""
    is_descending: bool = False
    """From the other end."""

    def __str__(self) -> str:
        return f"all:{self.start}:{self.first_id}{':down' if self.is_descending else ''}"


@dataclass(frozen=True, slots=True)
class Sliced:
    """The rows created on some days, one slice of days after the other."""

    first: date
    last: date
    end: date
    """The last day of the last slice."""
    form: str
    """How days are written to Apptivo: DMY, MDY or YMD."""
    is_descending: bool = False
    start: int = 0

    def __str__(self) -> str:
        direction = "down" if self.is_descending else "up"
        return f"days:{self.first}:{self.last}:{self.end}:{self.form}:{direction}:{self.start}"

    def at(self, start: int) -> "Sliced":
        """Further in the same slice."""
        return replace(self, start=start)

    def halved(self) -> "Sliced":
        """The first half of the days."""
        return replace(self, last=self.first + (self.last - self.first) // 2)

    def downwards(self) -> "Sliced":
        """The same days from the other end."""
        return replace(self, is_descending=True, start=0)

    def following(self) -> "Sliced | None":
        """The next slice, of twice as many days; None after the last."""
        if self.last >= self.end:
            return None
        days = 2 * ((self.last - self.first).days + 1)
        first = self.last + timedelta(days=1)
        last = min(self.end, first + timedelta(days=days - 1))
        return replace(self, first=first, last=last, is_descending=False, start=0)


Position = Whole | Sliced


def position_of(text: str) -> Position:
    """What `str` of a position wrote; `Refused` for anything else."""
    if match := _WHOLE.fullmatch(text):
        return Whole(int(match[1]), match[2], match[3] is not None)
    if match := _SLICED.fullmatch(text):
        try:
            first, last, end = (date.fromisoformat(match[group]) for group in (1, 2, 3))
            return Sliced(first, last, end, match[4], match[5] == "down", int(match[6]))
        except ValueError:
            pass  # well formed, but no such day: refused like all else below
    raise Refused("the cursor of a listing is none of Apptivo's: list the customers from the start")


def written(day: date, form: str) -> str:
    """A day as a search is told it: how Apptivo wants it is U, so three forms are known."""
    return day.strftime({"DMY": "%d/%m/%Y", "MDY": "%m/%d/%Y", "YMD": "%Y-%m-%d"}[form])
