"""Which ids came twice, among any number of them, in constant memory: the ids lie on disk, spread by their checksum."""

import struct
import tempfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

_SHARES = 256
_BLOCK_BYTES = 4_096
_HEAD = struct.Struct("<QI")


class SeenIds:
    """Collects ids with the numbers of their rows, then tells those that came more than once.

    Equal ids fall into the same share, so that one share at a time fits into memory: 4,000 ids of a million.
    The file has no name, and goes with this object. Raises OSError where the disk is full.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - lives as long as this object, see close
        self._waiting = [bytearray() for _ in range(_SHARES)]
        self._blocks = [array("Q") for _ in range(_SHARES)]

    def add(self, row: int, uid: str) -> None:
        """One row's id."""
        text = uid.encode()
        share = crc32(text) & (_SHARES - 1)
        waiting = self._waiting[share]
        waiting += _HEAD.pack(row, len(text))
        waiting += text
        if len(waiting) >= _BLOCK_BYTES:
            self._write(share)

    def repeats(self) -> Iterator[tuple[int, str, int]]:
        """Each row whose id came before: its number, the id, and the number of the first row that has it."""
        for share in range(_SHARES):
            first: dict[bytes, int] = {}
            for row, text in self._entries(share):
                earlier = first.setdefault(text, row)
                if earlier != row:
                    yield row, text.decode(), earlier

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def _write(self, share: int) -> None:
        waiting = self._waiting[share]
        self._blocks[share].extend((self._file.tell(), len(waiting)))
        self._file.write(waiting)
        waiting.clear()

    def _entries(self, share: int) -> Iterator[tuple[int, bytes]]:
        blocks = self._blocks[share]
        for at in range(0, len(blocks), 2):
            self._file.seek(blocks[at])
            yield from _unpacked(self._file.read(blocks[at + 1]))
        yield from _unpacked(bytes(self._waiting[share]))
        self._file.seek(0, 2)


def _unpacked(block: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(block):
        row, length = _HEAD.unpack_from(block, at)
        at += _HEAD.size
        yield row, block[at : at + length]
        at += length
