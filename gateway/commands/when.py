"""Points in time as people write them on the command line."""

import re
from datetime import UTC

from adapters.timestamps import TimestampRefused, read
from gateway.commands.failures import WrongUse

_AGO = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([smhdw])(?: ago)?")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def read_when(option: str, text: str | None, now: int) -> int | None:
    """Unix milliseconds of `2h` or `3d` ago, or of what CONTRACT section 5 reads, UTC without an offset.

    None for None; `WrongUse` naming the option for anything else.
    """
    if text is None:
        return None
    if ago := _AGO.fullmatch(text.strip()):
        return max(0, now - round(float(ago[1]) * _UNIT_MS[ago[2]]))
    try:
        return round(read(text, UTC).at.timestamp() * 1000)
    except TimestampRefused:
        raise WrongUse(f"{option} {text}: expected 2h, 3d, 2026-01-31, 2026-01-31T08:00Z or Unix time") from None
