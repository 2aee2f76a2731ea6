"""What lies on disk between the check and the sending: ids that came twice, rows, and the bodies cut of them."""

from datetime import UTC
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.aixon.spool import DIGEST_BYTES, Spool
from adapters.aixon.staging import Fault, Staging
from adapters.aixon.table import ColumnTable, Customer
from adapters.aixon.unique import SeenIds


def test_repeated_ids_are_found_among_many() -> None:
    """Far more than fits into the blocks that wait in memory; each with the first row that had it."""
    seen = SeenIds()
    for row in range(120_000):
        seen.add(row, f"customer-{row % 119_990}")
    assert sorted(seen.repeats()) == [(119_990 + n, f"customer-{n}", n) for n in range(10)]
    seen.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=5), st.binary(min_size=1, max_size=40), st.booleans()), max_size=40),
    st.integers(50, 200),
)
def test_bodies_hold_every_row_that_is_not_left_out(rows: list[tuple[str, bytes, bool]], limit: int) -> None:
    """In order, each once, within the limit, as full as may be; and a body reads the same twice."""
    spool = Spool()
    for number, (uid, encoded, is_left_out) in enumerate(rows):
        spool.keep(number, uid, bytes(DIGEST_BYTES), encoded + b",")
        if is_left_out:
            spool.leave_out(number)
    bodies = list(spool.bodies(b"[", b"]", 1, limit))
    contents = [b"".join(body.pieces()) for body in bodies]
    kept = [(number, uid, encoded) for number, (uid, encoded, is_out) in enumerate(rows) if not is_out]
    assert [len(content) for content in contents] == [body.size for body in bodies]
    assert all(len(content) <= limit for content in contents)
    assert b",".join(content[1:-1] for content in contents) == b",".join(encoded for _, _, encoded in kept)
    assert [(row.number, row.uid) for body in bodies for row in body.taken()] == [(n, uid) for n, uid, _ in kept]
    for body, following in pairwise(bodies):
        assert body.size + next(iter(following.taken())).size > limit
    assert contents == [b"".join(body.pieces()) for body in bodies]
    spool.close()


@pytest.mark.parametrize(("limit", "sizes"), [(21, [21]), (20, [11, 11]), (11, [11, 11])])
def test_a_body_may_be_as_large_as_the_limit(limit: int, sizes: list[int]) -> None:
    """And not a byte larger: two rows of ten bytes with their separators, the last of which is left out."""
    spool = Spool()
    for number in range(2):
        spool.keep(number, f"{number}", bytes(DIGEST_BYTES), b"123456789,")
    assert [body.size for body in spool.bodies(b"[", b"]", 1, limit)] == sizes
    spool.close()


def test_the_index_is_read_across_its_pages() -> None:
    """More entries than one read of the file brings, of uneven length."""
    spool = Spool()
    names = ["x" * (number % 997) for number in range(5_000)]
    for number, name in enumerate(names):
        spool.keep(number, name, number.to_bytes(DIGEST_BYTES, "big"), b"1,")
    (body,) = spool.bodies(b"", b"", 1, 1_000_000)
    assert [(row.uid, int.from_bytes(row.digest, "big")) for row in body.taken()] == [
        (name, number) for number, name in enumerate(names)
    ]
    spool.close()


def test_nothing_stays_behind(tmp_path: Path) -> None:
    """The files have no names: a process that is killed leaves no customers on the disk."""
    faults: list[Fault] = []
    table = ColumnTable({}, UTC)
    with Staging(table, table.header(), on_fault=faults.append, folder=tmp_path) as staging:
        row = staging.check(Customer("1"))
        assert row is not None
        staging.keep(row)
        assert list(tmp_path.iterdir()) == []


def test_the_order_of_a_run_is_kept() -> None:
    """No body before all rows were checked, and no row after that."""
    table = ColumnTable({}, UTC)
    with Staging(table, table.header(), on_fault=print) as staging:
        with pytest.raises(RuntimeError, match="not sealed"):
            list(staging.bodies())
        staging.seal()
        with pytest.raises(RuntimeError, match="sealed"):
            staging.check(Customer("1"))


def test_a_digest_follows_the_values_and_the_columns() -> None:
    """Equal for equal rows, in either format; another one for another value, order or set of columns."""

    def digest(customer: Customer, header: tuple[str, ...], body_format: str = "json") -> bytes:
        with Staging(ColumnTable({}, UTC), header, on_fault=print, body_format=body_format) as staging:  # type: ignore[arg-type]  # a str of the parameters
            row = staging.check(customer)
            assert row is not None
            return row.digest

    header = ColumnTable({}, UTC).header()
    one = digest(Customer("1", city="Turku"), header)
    assert digest(Customer("1", city=" Turku", name="not a column"), header, "csv") == one
    others = [
        digest(Customer("1", city="Oulu"), header),
        digest(Customer("1", city="Turku"), (*header, "txt_name")),
        digest(Customer("1", city="Turku"), header[:5]),
        digest(Customer("1", city="Turku"), (*header[:5], "num_renamed", *header[6:])),
    ]
    assert len({one, *others}) == 5
