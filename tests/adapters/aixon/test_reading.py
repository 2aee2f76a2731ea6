"""Any upload, row by row, against a reading of S002 that shares no line with the code under test."""

import asyncio
import csv
import hashlib
import io
import json
import string
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.aixon.simulator import FAKE_API_KEY, simulator
from adapters.aixon.staging import Fault, Staging
from adapters.aixon.table import ColumnTable, Customer
from adapters.serving import serving
from tests.adapters.aixon.conftest import Aixon, Memory, sync_once

GOALS = ["no_visit", "churn", "loyal", "action", "click", "pageview", "conversion", "purchase"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = set(string.ascii_letters + string.digits + "_")
EXTRA = {"txt_name": "name", "num_flag_vip": "contains(labels, 'vip')", "goal_churn_lost": "lost_deals > `0`"}

words = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)
phrases = st.lists(words, max_size=3).map(" ".join)
addresses = st.builds(
    "{}{}@{}.example{}".format,
    st.sampled_from(["", " "]),
    st.text(string.ascii_letters + "ÄÖß.", min_size=1, max_size=8),
    st.text(string.ascii_letters, min_size=1, max_size=8),
    st.sampled_from(["", " ", "\t"]),
)
counts = st.none() | st.integers(0, 5)
revenues = st.integers(-(10**12), 10**12) | st.floats(-1e15, 1e15) | st.sampled_from(["93116557.0", "7", "much"])
customers = st.builds(
    Customer,
    st.integers(1, 30).map(str),
    name=phrases,
    city=st.none() | phrases,
    country=st.none() | st.sampled_from(["FI", "SE"]),
    industry=st.none() | phrases,
    revenue=st.none() | revenues,
    employees=st.none() | st.integers(0, 10**6) | st.sampled_from(["399", "10-50"]),
    emails=st.lists(addresses | st.sampled_from(["", "nobody"]), max_size=3),
    labels=st.lists(words.filter(lambda label: "," not in label), max_size=3),
    open_deals=counts,
    won_deals=counts,
    lost_deals=counts,
    last_won_at=st.none() | st.datetimes(datetime(1960, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)  # fmt: skip


def read_body(body: bytes, is_csv: bool) -> tuple[list[str], list[list[Any]]]:
    """A body as S002's two samples show it."""
    if is_csv:
        header, *rows = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
        return header, list(rows)
    table = json.loads(body.decode("utf-8"))
    assert list(table) == ["header", "data"]
    return table["header"], table["data"]


def check_name(name: str) -> None:
    """S002, "Customer Data": which columns there are."""
    assert set(name) <= WORDS
    if name in ("customuid", "emailsha256", "idfa", "dmpid"):
        return
    start, _, rest = name.partition("_")
    assert rest
    if start == "goal":
        (kind,) = [goal for goal in GOALS if rest.startswith(goal + "_")]
        if rest.endswith("_timestamp"):
            assert kind in ("conversion", "purchase")
            rest = rest.removesuffix("_timestamp")
        assert rest.removeprefix(kind + "_")
    else:
        assert start in ("txt", "num", "attr")


def check_value(name: str, value: Any) -> None:
    """S002: what the columns may hold."""
    text = str(value)
    assert isinstance(value, str | int | float)
    assert not isinstance(value, bool)
    if name == "customuid":
        assert text
    elif text == "":
        pass
    elif name == "emailsha256":
        assert all(len(part) == 64 and set(part) <= set("0123456789abcdef") for part in text.split(","))
    elif name.startswith("num_"):
        assert float(text) - float(text) == 0
    elif name.endswith("_timestamp"):
        assert not isinstance(value, float)
        assert set(text) <= set("0123456789")
    elif name.startswith("goal_"):
        assert text in ("1", "0")


def is_number(value: object) -> bool:
    return value is None or not isinstance(value, str) or set(value) <= set("0123456789.")


def is_good(customer: Customer) -> bool:
    """Whether this customer can be uploaded at all."""
    return (
        is_number(customer.revenue)
        and is_number(customer.employees)
        and "nobody" not in customer.emails
        and (customer.last_won_at is None or customer.last_won_at.year >= 1970)
    )


def expected(customer: Customer) -> dict[str, str | float]:
    """The default columns and `EXTRA` of a good customer; numbers as floats, so that 7 and "7.0" are equal."""

    def number(value: Any) -> str | float:
        return "" if value is None else float(value)

    def goal(count: int | None) -> str | float:
        return "" if count is None else float(min(count, 1))

    trimmed = [address.strip().lower() for address in customer.emails]
    won_at = customer.last_won_at
    return {
        "customuid": customer.id,
        "emailsha256": ",".join(hashlib.sha256(address.encode()).hexdigest() for address in trimmed if address),
        "txt_city": (customer.city or "").strip(),
        "txt_country": customer.country or "",
        "txt_industry": (customer.industry or "").strip(),
        "num_revenue": number(customer.revenue),
        "num_employees": number(customer.employees),
        "num_open_deals": number(customer.open_deals),
        "attr_labels": ",".join(label for label in customer.labels if label),
        "goal_purchase_won": goal(customer.won_deals),
        "goal_purchase_won_timestamp": "" if won_at is None else float((won_at - EPOCH).total_seconds() // 1),
        "txt_name": customer.name.strip(),
        "num_flag_vip": 1.0 if "vip" in customer.labels else 0.0,
        "goal_churn_lost": goal(customer.lost_deals),
    }  # fmt: skip


def comparable(header: Sequence[str], row: Sequence[Any]) -> dict[str, str | float]:
    """A row as sent, or as kept, in the form of `expected`."""
    return {
        name: float(value) if name.startswith(("num_", "goal_")) and value != "" else str(value)
        for name, value in zip(header, row, strict=True)
    }


def first_of_each(given_customers: Sequence[Customer]) -> dict[str, Customer]:
    """The good ones by id; where an id comes twice, the first."""
    found: dict[str, Customer] = {}
    for customer in given_customers:
        if is_good(customer):
            found.setdefault(customer.id, customer)
    return found


@settings(max_examples=80, deadline=None)
@given(st.lists(customers, max_size=40), st.sampled_from(["json", "csv"]), st.integers(2_500, 20_000))
def test_every_row_is_what_the_document_asks_for(some: list[Customer], form: Any, limit: int) -> None:
    """Names, values, sizes, uniqueness; and each good customer's row, in the order given, exactly once."""
    faults: list[Fault] = []
    table = ColumnTable(EXTRA, UTC)
    with Staging(table, table.header(), on_fault=faults.append, body_format=form, max_body_bytes=limit) as staging:
        for customer in some:
            if (row := staging.check(customer)) is not None:
                staging.keep(row)
        staging.seal()
        bodies = [(body.size, body.rows, b"".join(body.pieces()), list(body.taken())) for body in staging.bodies()]
    sent: dict[str, dict[str, str | float]] = {}
    for size, count, content, taken in bodies:
        assert size == len(content) <= limit
        header, rows = read_body(content, form == "csv")
        assert header[0] == "customuid"
        assert len(set(header)) == len(header)
        assert len(rows) == count
        assert [row[0] for row in rows] == [row.uid for row in taken]
        for name in header:
            check_name(name)
        for row in rows:
            for name, value in zip(header, row, strict=True):
                check_value(name, value)
            assert row[0] not in sent
            sent[row[0]] = comparable(header, row)
    good = first_of_each(some)
    assert sent == {uid: expected(customer) for uid, customer in good.items()}
    assert list(sent) == list(good)
    assert {fault.row for fault in faults} == {
        number for number, customer in enumerate(some, 1) if good.get(customer.id) is not customer
    }


@pytest.fixture(scope="module", params=[False, True], ids=["put keeps", "put drops"])
def account(request: pytest.FixtureRequest) -> Any:
    """Aixon, in both readings of what PUT does with the rows that it does not name."""
    with (
        serving(simulator(put_drops_missing=request.param)) as url,
        httpx.Client(base_url=url, headers={"x-api-key": FAKE_API_KEY}, trust_env=False) as http,
    ):
        yield Aixon(url, http)


faults_in_a_run = st.none() | st.tuples(
    st.sampled_from(["lost_reply", "cut", "drop", "500", "429", "nonsense"]), st.sampled_from(["PUT", "PATCH"])
)


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(st.dictionaries(st.integers(1, 12).map(str), customers, max_size=12), faults_in_a_run),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 3),
    st.sampled_from(["json", "csv"]),
)
def test_any_runs_leave_what_the_crm_has(account: Aixon, runs: list[Any], widened: int, form: str) -> None:
    """Over runs that change, lose answers and gain columns: one cell, and every customer as it is now."""
    account.http.post("/_reset")
    memory = Memory()
    for number, (some, fault) in enumerate(runs):
        now = [replace(customer, id=uid) for uid, customer in some.items()]
        columns = EXTRA if number >= widened else {}
        if fault is not None:
            account.fault(fault[0], match=fault[1], times=1)
        asyncio.run(sync_once(account.url, memory, now, 2_000, columns=columns, body_format=form))
        account.http.delete("/_faults")
        good = first_of_each(now)
        cells = account.cells()
        assert len(cells) <= 1
        assert cells or not good
        for cell in cells.values():
            header = cell["header"]
            kept = {uid: comparable(header, list(row.values())) for uid, row in cell["rows"].items()}
            for uid, customer in good.items():
                wanted = expected(customer)
                assert kept[uid] == {
                    name: wanted[name] if name in columns or name not in EXTRA else "" for name in header
                }
