"""A file of customer events, as a JSON array or as JSON Lines, read as one body; its faults name its lines."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.bulk_events import Fault
from gateway.body import NotJson, parse_json
from gateway.commands.failures import WrongUse

_ROW = re.compile(r"\[(\d+)\]\.?")


@dataclass(frozen=True, slots=True)
class EventFile:
    """What a file holds."""

    raw: bytes
    body: Any
    """As a request's body would be."""
    lines: Sequence[int]
    """The line of each row, from 1, of JSON Lines; empty where the file is one JSON value."""

    def told(self, fault: Fault) -> str:
        """A fault with its place in the file."""
        match = _ROW.match(fault.path)
        if match is None or not self.lines:
            return f"{fault.path}: {fault.message}" if fault.path else fault.message
        line, field = self.lines[int(match[1])], fault.path[match.end() :]
        return f"line {line}: {field}: {fault.message}" if field else f"line {line}: {fault.message}"


def read_file(name: str) -> EventFile:
    """The file of this name, `-` for stdin; `WrongUse` if it cannot be read, with every line that is no JSON."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise WrongUse(f"{name}: {error.strerror}") from None
    text = raw.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise WrongUse(f"{name}: is empty; expected a JSON array or JSON Lines of events")
    whole = _whole(text)
    return EventFile(raw, whole, ()) if whole is not None else _lines(name, raw, text)


def _whole(text: bytes) -> Any:
    """The one JSON value that the text is, if it is an array or a set of rows; None for JSON Lines."""
    try:
        value = parse_json(text)
    except NotJson:
        return None
    # one event alone is a file of one line
    return value if isinstance(value, list) or (isinstance(value, dict) and _holds_rows(value)) else None


def _holds_rows(value: dict[str, Any]) -> bool:
    return any(name.endswith("_customer_events_set") for name in value)


def _lines(name: str, raw: bytes, text: bytes) -> EventFile:
    rows, places, faults = [], [], []
    for number, line in enumerate(text.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append(parse_json(line))
            places.append(number)
        except NotJson as error:
            faults.append(f"{name}: line {number}: {str(error).replace('the body', 'it')}")
    if faults:
        raise WrongUse("\n".join(faults))
    return EventFile(raw, rows, places)
