"""Encoded rows on disk, and the bodies they are cut into: each as large as may be, read while it is sent.

Two files without names: the rows as they are written into a body, one behind the other, and an index of them.
"""

import os
import struct
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

DIGEST_BYTES = 16

_ENTRY = struct.Struct(f"<QII{DIGEST_BYTES}s")
"""An index entry: row number, length of the encoded row, length of the id, digest. The id follows."""
_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row of the spool: what the caller remembers once Aixon took it."""

    number: int
    uid: str
    digest: bytes
    size: int
    """Bytes in the data file."""


@dataclass(slots=True)
class Body:
    """A body of a request, streamed from disk; may be read more than once, for a second try."""

    head: bytes
    tail: bytes
    separator_bytes: int
    spool: "Spool"
    index_at: int
    """Where its first row stands in the index."""
    rows: int = 0
    runs: list[tuple[int, int]] = field(default_factory=list)
    """From where to where its rows lie in the data file; one run, unless rows between them are left out."""

    @property
    def size(self) -> int:
        """Bytes on the wire: its Content-Length."""
        content = sum(end - start for start, end in self.runs)
        return len(self.head) + content - (self.separator_bytes if self.rows else 0) + len(self.tail)

    def taken(self) -> Iterator[KeptRow]:
        """The rows that are in it, from disk."""
        left = self.rows
        for _at, row in self.spool.rows(self.index_at):
            if left == 0:
                return
            if not self.spool.is_left_out(row.number):
                left -= 1
                yield row

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The body, in pieces."""
        for piece in self.pieces():
            yield piece

    def pieces(self) -> Iterator[bytes]:
        """The body, in pieces of at most 64 KiB but for the head."""
        yield self.head
        for number, (start, end) in enumerate(self.runs, 1):
            last = self.separator_bytes if number == len(self.runs) else 0
            yield from self.spool.data(start, end - last)
        yield self.tail

    def add(self, start: int, end: int) -> None:
        """Put the row that lies there behind the others."""
        if self.runs and self.runs[-1][1] == start:
            self.runs[-1] = (self.runs[-1][0], end)
        else:
            self.runs.append((start, end))
        self.rows += 1


class Spool:
    """Rows kept for sending. Raises OSError where the disk is full."""

    def __init__(self, folder: Path | None = None) -> None:
        # without a name: whatever ends this process, the customers' data does not stay behind
        self._data = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as this object, see close
        self._index = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - as above
        self._left_out = bytearray()

    def keep(self, number: int, uid: str, digest: bytes, encoded: bytes) -> None:
        """Put a row behind the others; numbers ascend."""
        name = uid.encode()
        self._index.write(_ENTRY.pack(number, len(encoded), len(name), digest) + name)
        self._data.write(encoded)

    def leave_out(self, number: int) -> None:
        """Of what was kept, do not send this row: one bit each."""
        missing = number // 8 + 1 - len(self._left_out)
        if missing > 0:
            self._left_out += bytes(missing)
        self._left_out[number // 8] |= 1 << number % 8

    def is_left_out(self, number: int) -> bool:
        """Whether this row is not to be sent."""
        return number // 8 < len(self._left_out) and bool(self._left_out[number // 8] >> number % 8 & 1)

    def bodies(self, head: bytes, tail: bytes, separator_bytes: int, limit: int) -> Iterator[Body]:
        """The rows in bodies of at most `limit` bytes; each row has to fit into one."""
        self._data.flush()
        self._index.flush()
        body = Body(head, tail, separator_bytes, self, 0)
        end = 0
        for at, row in self.rows(0):
            start, end = end, end + row.size
            if self.is_left_out(row.number):
                continue
            if body.rows and body.size + row.size > limit:
                yield body
                body = Body(head, tail, separator_bytes, self, at)
            body.add(start, end)
        if body.rows:
            yield body

    def rows(self, at: int) -> Iterator[tuple[int, KeptRow]]:
        """The index from one of its places on: where each entry stands, and the row."""
        buffer, used = b"", 0
        while True:
            if len(buffer) - used < _CHUNK_BYTES // 2:
                buffer = buffer[used:] + os.pread(self._index.fileno(), _CHUNK_BYTES, at + len(buffer) - used)
                used = 0
            if used == len(buffer):
                return
            row, length = self._row(buffer, used)
            yield at, row
            at, used = at + length, used + length

    @staticmethod
    def _row(buffer: bytes, at: int) -> tuple[KeptRow, int]:
        number, size, length, digest = _ENTRY.unpack_from(buffer, at)
        name = at + _ENTRY.size
        return KeptRow(number, buffer[name : name + length].decode(), digest, size), _ENTRY.size + length

    def data(self, start: int, end: int) -> Iterator[bytes]:
        """A part of the data file, in pieces."""
        for at in range(start, end, _CHUNK_BYTES):
            yield os.pread(self._data.fileno(), min(_CHUNK_BYTES, end - at), at)

    def close(self) -> None:
        """Give the disk space back."""
        self._data.close()
        self._index.close()
