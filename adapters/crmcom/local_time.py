"""Times as CRM.COM writes them: on the firm's clocks, to the second, without a zone (S004: `2016-06-22T15:00:00`)."""

from datetime import datetime, tzinfo

from adapters.timestamps import TimestampRefused, read


def local(text: object, zone: tzinfo) -> str | None:
    """A time or a day in CRM.COM's form; a day is its midnight. None for what is no time, or none on these clocks."""
    try:
        reading = read(text, zone)
        return written(reading.at) if reading.date_only else written(reading.at.astimezone(zone))
    except (TimestampRefused, OverflowError):
        return None


def written(at: datetime) -> str:
    """The clock of `at`, whatever its zone."""
    return at.replace(tzinfo=None, microsecond=0).isoformat()
