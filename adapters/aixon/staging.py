"""One run's rows on their way to Aixon: all are checked before the first is sent.

However many there are, memory holds little more than one of them: kept rows, and the ids seen, lie on disk.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Self

import msgspec

from adapters.aixon.encoding import ENCODINGS, Format
from adapters.aixon.spool import DIGEST_BYTES, Body, Spool
from adapters.aixon.table import ColumnTable, Customer, Value
from adapters.aixon.unique import SeenIds

MAX_BODY_BYTES = 32_000_000
"""S002: "32mb request body"; whether MB or MiB is unknown, so the smaller one."""
_LONGEST_UID = 1_000
"""Characters: an id is no text; the document names no limit (G)."""

_canonical = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row is not sent: one for each column that is wrong."""

    row: int
    """The row's number in this run, from 1."""
    record_id: str
    """The CRM's id of the customer; for a repeated customuid, that customuid."""
    column: str
    message: str
    """What was expected. Never a value."""

    def __str__(self) -> str:
        """One line for a person."""
        return f"row {self.row} ({self.record_id}), {self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """A good row. Aixon need not hear of it again while its digest stays the same."""

    number: int
    uid: str
    """Its customuid."""
    digest: bytes
    """16 bytes, of the header and the values: a new column makes every row a changed one."""
    encoded: bytes
    """As it stands in a body."""


class Staging:
    """`check` every customer, `keep` the rows that changed, `seal`, then take the `bodies`. A context manager.

    `header` is `ColumnTable.header` of what the cell has; `on_fault` hears of every row that will not be sent, and
    every reason. Raises OSError where the disk (`folder`, else the system's temporary one) is full.
    """

    def __init__(
        self,
        table: ColumnTable,
        header: tuple[str, ...],
        *,
        on_fault: Callable[[Fault], None],
        body_format: Format = "json",
        max_body_bytes: int = MAX_BODY_BYTES,
        folder: Path | None = None,
    ) -> None:
        self.header = header
        self.checked = 0
        """Customers seen."""
        self.refused = 0
        """Rows with a fault."""
        self.kept = 0
        """Rows to be sent, but for those that `seal` still leaves out."""
        self._columns = table.columns(header)
        self._uid_at = header.index("customuid")
        self._encoding = ENCODINGS[body_format]
        self._head = self._encoding.head(header)
        self._limit = max_body_bytes
        self._header_digest = blake2b(_canonical(header), digest_size=32).digest()
        self._on_fault = on_fault
        self._seen = SeenIds(folder)
        self._spool = Spool(folder)
        self._is_sealed = False

    @property
    def content_type(self) -> str:
        """The bodies' Content-Type."""
        return self._encoding.content_type

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._seen.close()
        self._spool.close()

    def check(self, customer: Customer) -> Row | None:
        """The customer's row, if every rule of S002 holds; else None, and `on_fault` was told."""
        if self._is_sealed:
            raise RuntimeError("sealed: no more rows")
        self.checked += 1
        document = customer.document()
        values: list[Value] = []
        faults: list[tuple[str, str]] = []
        for column in self._columns:
            value, fault = column.value_of(document)
            values.append(value)
            if fault is not None:
                faults.append((column.name, fault))
        row = self._row(values) if not faults else None
        if row is not None and (fault := self._size_fault(row)):
            faults.append(("customuid", fault))
        if row is None or faults:
            self._refuse(customer.id, faults)
            return None
        self._seen.add(row.number, row.uid)
        return row

    def keep(self, row: Row) -> None:
        """Have this row sent."""
        self._spool.keep(row.number, row.uid, row.digest, row.encoded)
        self.kept += 1

    def seal(self) -> None:
        """All customers were checked: now find the customuids that came twice. The first row with each stays.

        Takes a second or two for a million rows: beside other work, in a thread.
        """
        self._is_sealed = True
        for row, uid, first in self._seen.repeats():
            self._spool.leave_out(row)
            self.refused += 1
            self._on_fault(Fault(row, uid, "customuid", f"must be unique; row {first} has the same one"))

    def bodies(self) -> Iterator[Body]:
        """What to send, in bodies that stay within the limit."""
        if not self._is_sealed:
            raise RuntimeError("not sealed: nothing is sent before every row was checked")
        encoding = self._encoding
        return self._spool.bodies(self._head, encoding.tail, encoding.separator_bytes, self._limit)

    def _row(self, values: list[Value]) -> Row:
        canonical = _canonical(values)
        digest = blake2b(canonical, digest_size=DIGEST_BYTES, key=self._header_digest).digest()
        return Row(self.checked, str(values[self._uid_at]), digest, self._encoding.row(values))

    def _size_fault(self, row: Row) -> str | None:
        if len(row.uid) > _LONGEST_UID:
            return f"expected at most {_LONGEST_UID:,} characters"
        size = len(self._head) + len(row.encoded) + len(self._encoding.tail)
        return f"the row is {size:,} bytes, a body at most {self._limit:,}" if size > self._limit else None

    def _refuse(self, record_id: str, faults: list[tuple[str, str]]) -> None:
        self.refused += 1
        for column, message in faults:
            self._on_fault(Fault(self.checked, record_id, column, message))
