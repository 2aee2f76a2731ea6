"""How a table is written into a body: S002's JSON, or its CSV. Pure, row by row."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import msgspec

Format = Literal["json", "csv"]

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Encoding:
    """What stands around the rows, how a row is written, and what parts it from the next."""

    content_type: str
    head: Callable[[Sequence[str]], bytes]
    row: Callable[[Sequence[object]], bytes]
    """One row with its separator behind it."""
    separator_bytes: int
    """How much of the last row's end is left out."""
    tail: bytes


def _json_row(values: Sequence[object]) -> bytes:
    return _json(values) + b","


def _json_head(header: Sequence[str]) -> bytes:
    return b'{"header":' + _json(header) + b',"data":['


def _csv_row(values: Sequence[object]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(values)
    return line.getvalue().encode()


ENCODINGS: Mapping[Format, Encoding] = MappingProxyType(
    {
        "json": Encoding("application/json; charset=utf-8", _json_head, _json_row, 1, b"]}"),
        "csv": Encoding("text/csv; charset=utf-8", _csv_row, _csv_row, 0, b""),
    }
)
