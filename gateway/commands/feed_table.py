"""A feed as a person likes to read it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_WHEN, _TYPE, _WHO = 16, 8, 20
_WHO_NARROW = 16
"""In a window of less than 100 columns a deal's name and amount need the room more."""
_STYLES = {"won": "bold green", "lost": "red", "open": "bold cyan"}


def print_feed(console: Console, events: Sequence[Mapping[str, Any]], title: str) -> None:
    """Print events, newest first as they come, one line each."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    # widths are fixed: rich would rather drop a column than shorten the text of the widest
    who = _WHO if console.width >= 100 else _WHO_NARROW
    what = max(20, console.width - _WHEN - _TYPE - who - 3 * 2)
    for heading, width in (("when (UTC)", _WHEN), ("type", _TYPE), ("what", what), ("who", who)):
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=width)
    for event in events:
        style = _STYLES.get(event["type"], "")
        table.add_row(_when(event), Text(event["type"], style), _what(event), Text(event.get("user_email", "")))
    if events or title:
        console.print(table if events else Text(title))


def _when(event: Mapping[str, Any]) -> str:
    timestamp = str(event["timestamp"])
    return timestamp[:10] if event.get("hide_time") else f"{timestamp[:10]} {timestamp[11:16]}"


def _what(event: Mapping[str, Any]) -> Text:
    # the short parts first: a narrow window cuts the end
    header, text = (" ".join(str(event.get(key, "")).split()) for key in ("header", "text"))
    line = Text(header or text)
    if event.get("value") is not None:
        line.append(f"  {event['value']:,} {event.get('currency', '')}".rstrip(), "bold")
    if event.get("probability_percent") is not None:
        line.append(f"  {event['probability_percent']} %")
    if event.get("location"):
        line.append(f"  @{event['location']}", "dim")
    if header and text:
        line.append(f" · {text}")
    return line
