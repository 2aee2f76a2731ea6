"""Runs of an upload against the Aixon simulator over HTTP: what is created, what is updated, what is sent again."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.aixon.table import Customer
from adapters.contract import BadCredentials, ConnectionCut, NotFound, Refused, RemoteError, Throttled, UnexpectedReply
from tests.adapters.aixon.conftest import LIMIT, Aixon, Killed, Memory, Sync

HEADER = [
    "customuid", "emailsha256", "txt_city", "txt_country", "txt_industry", "num_revenue", "num_employees",
    "num_open_deals", "attr_labels", "goal_purchase_won", "goal_purchase_won_timestamp",
]  # fmt: skip
ACME = Customer(
    "4711",
    name="Acme Oy",
    city="Turku",
    country="FI",
    industry="Banking",
    revenue=93116557.0,
    employees=399,
    emails=[" Info@Acme.example ", "sales@acme.example"],
    labels=["vip", "north"],
    open_deals=2,
    won_deals=1,
    last_won_at=datetime(2017, 11, 30, 3, 10, 29, 999_999, tzinfo=UTC),
)
BARE = Customer("4712")


def many(count: int) -> list[Customer]:
    return [Customer(f"{number}", city=f"City {number}", open_deals=number) for number in range(count)]


def test_the_first_run_creates_the_cell(account: Aixon, sync: Sync) -> None:
    """By PUT with the description, the default columns in order, and every rule of S002 applied."""
    memory = Memory()
    run = sync(memory, [ACME, BARE], description="acme customers")
    assert (account.uploads(), run.faults) == (["create"], [])
    cell = account.only_cell()
    hashes = [hashlib.sha256(address).hexdigest() for address in (b"info@acme.example", b"sales@acme.example")]
    assert (cell["description"], cell["header"]) == ("acme customers", HEADER)
    assert list(cell["rows"]["4711"].values()) == [
        "4711", ",".join(hashes), "Turku", "FI", "Banking", 93116557, 399, 2, "vip,north", 1, 1512011429,
    ]  # fmt: skip
    assert list(cell["rows"]["4712"].values()) == ["4712", *[""] * 10]
    assert memory.remembered() == run.sent.cell
    assert (run.sent.rows, run.sent.bodies, memory.taken_rows) == (2, 1, 2)


def test_without_a_description_the_cell_bears_the_connections_name(account: Aixon, sync: Sync) -> None:
    """So that two connections on one account do not take each other's cells for their own."""
    sync(Memory(), [BARE])
    assert account.only_cell()["description"] == "acme customers"


def test_later_runs_send_changed_rows_only(account: Aixon, sync: Sync) -> None:
    """PATCH with the changed and the new ones; nothing changed, nothing sent."""
    memory = Memory()
    sync(memory, [ACME, BARE])
    run = sync(memory, [replace(ACME, city="Oulu"), BARE, Customer("4713")])
    assert (account.uploads(), run.sent.rows) == (["create", "update"], 2)
    rows = account.only_cell()["rows"]
    assert [rows[uid]["txt_city"] for uid in ("4711", "4712", "4713")] == ["Oulu", "", ""]
    before = len(account.http.get("/_calls").json())
    assert sync(memory, [replace(ACME, city="Oulu"), BARE, Customer("4713")]).sent.bodies == 0
    assert len(account.http.get("/_calls").json()) == before


def test_no_customers_make_no_cell(account: Aixon, sync: Sync) -> None:
    """There is nothing to upload, so nothing is called."""
    memory = Memory()
    assert sync(memory, []).sent.cell is None
    assert (account.cells(), memory.state) == ({}, None)


def test_new_columns_go_by_put_behind_the_old_ones(account: Aixon, sync: Sync) -> None:
    """All rows go again; the old columns keep their places, also in a table that names the new one first."""
    memory = Memory()
    sync(memory, [ACME, BARE])
    run = sync(memory, [ACME, BARE], columns={"txt_name": "name"})
    cell = account.only_cell()
    assert (account.uploads(), run.sent.rows) == (["create", "overwrite"], 2)
    assert cell["header"] == [*HEADER, "txt_name"]
    assert [cell["rows"][uid]["txt_name"] for uid in ("4711", "4712")] == ["Acme Oy", ""]
    sync(memory, [ACME, replace(BARE, city="Oulu")], columns={"txt_name": "name"})
    assert account.uploads() == ["create", "overwrite", "update"]


def test_after_the_first_put_the_rest_are_patches(account: Aixon, sync: Sync) -> None:
    """Were PUT to drop the rows that it does not name, which S002 leaves open, a second PUT would drop the first's."""
    memory = Memory()
    sync(memory, many(40))
    run = sync(memory, many(40), columns={"txt_name": "name"}, limit=1_000)
    assert account.uploads() == ["create", "overwrite", *["update"] * (run.sent.bodies - 1)]
    assert run.sent.bodies > 2
    assert len(account.only_cell()["rows"]) == 40


def test_a_column_that_the_table_lost_stays_and_is_emptied(account: Aixon, sync: Sync) -> None:
    """S002: no original column may be removed; without values it is left empty. Only rows that had one change."""
    memory = Memory()
    sync(memory, [ACME, BARE])
    run = sync(memory, [ACME, BARE], columns={"txt_city": ""})
    assert (account.uploads(), run.sent.rows) == (["create", "update"], 1)
    cell = account.only_cell()
    assert (cell["header"], cell["rows"]["4711"]["txt_city"]) == (HEADER, "")


@pytest.mark.parametrize("body_format", ["json", "csv"])
def test_bodies_stay_within_the_limit(account: Aixon, sync: Sync, body_format: str) -> None:
    """The first creates the cell, the others update it; each as full as may be, and all rows arrive."""
    customers = [replace(each, city="Ä" * 900) for each in many(300)]
    memory = Memory()
    run = sync(memory, customers, body_format=body_format)
    assert account.uploads() == ["create", *["update"] * (run.sent.bodies - 1)]
    assert run.sent.size > LIMIT * (run.sent.bodies - 1) * 0.97 > LIMIT * 4
    rows = account.only_cell()["rows"]
    assert [row["txt_city"] for row in rows.values()] == ["Ä" * 900] * 300
    assert set(memory.digests) == set(rows) == {customer.id for customer in customers}


def test_a_run_that_is_killed_goes_on_with_the_rest(account: Aixon, sync: Sync) -> None:
    """What was remembered is not sent again; the body that was on its way is, into the same cell."""
    memory = Memory(die_after=2)
    with pytest.raises(Killed):
        sync(memory, many(100), limit=2_000)
    done = memory.taken_rows
    memory.die_after = None
    run = sync(memory, many(100), limit=2_000)
    assert 0 < done < 100
    assert run.sent.rows == 100 - done
    assert len(account.only_cell()["rows"]) == 100


def test_a_create_that_was_killed_makes_no_second_cell(account: Aixon, sync: Sync) -> None:
    """The cell is found by what Aixon did not list before; its rows go again, since nobody knows of them."""
    memory = Memory(die_after=0)
    with pytest.raises(Killed):
        sync(memory, [ACME, BARE])
    memory.die_after = None
    run = sync(memory, [ACME, BARE])
    assert (account.uploads(), run.sent.rows) == (["create", "update"], 2)
    assert list(account.only_cell()["rows"]) == ["4711", "4712"]


def test_a_create_that_never_arrived_is_made_by_the_next_run(account: Aixon, sync: Sync) -> None:
    """Remembered as begun, not in the list: so it did not happen."""
    account.fault("drop", match="PUT")
    memory = Memory()
    with pytest.raises(ConnectionCut):
        sync(memory, [ACME])
    account.http.delete("/_faults")
    assert account.cells() == {}
    sync(memory, [ACME])
    assert list(account.only_cell()["rows"]) == ["4711"]


@pytest.mark.parametrize("fault", ["lost_reply", "cut"])
def test_a_lost_reply_to_a_create_makes_no_second_cell(account: Aixon, sync: Sync, fault: str) -> None:
    """Looked up, found, and gone on with."""
    account.fault(fault, match="PUT", times=1)
    run = sync(Memory(), [ACME, BARE])
    assert account.uploads() == ["create", "update"]
    assert run.sent.cell is not None
    assert list(account.cells()) == [run.sent.cell.id]


@pytest.mark.parametrize("fault", ["drop", "500", "html", "empty", "nonsense", "429"])
def test_a_create_that_did_not_happen_is_made(account: Aixon, sync: Sync, fault: str) -> None:
    """After a pause, and, where it might have happened, after a look into the list."""
    account.fault(fault, match="PUT", times=1)
    run = sync(Memory(), [ACME])
    assert (account.uploads(), len(account.cells()), len(run.pauses)) == (["create", "create"], 1, 1)
    looks = sum(call["method"] == "GET" for call in account.http.get("/_calls").json())
    assert looks == (1 if fault == "429" else 2)


def test_every_further_create_looks_first(account: Aixon, sync: Sync) -> None:
    """Once one create had no answer, also a throttled one is not repeated before the list was asked."""
    account.fault("drop", match="PUT", times=1)
    account.fault("429", match="PUT", times=1)
    sync(Memory(), [ACME])
    methods = [call["method"] for call in account.http.get("/_calls").json()]
    assert methods == ["GET", "PUT", "GET", "PUT", "GET", "PUT"]


def test_a_cell_of_the_same_name_that_was_there_before_is_left_alone(account: Aixon, sync: Sync) -> None:
    """Somebody else's, whatever it is called: also after a lost reply."""
    sync(Memory(), [BARE])
    account.fault("lost_reply", match="PUT", times=1)
    sync(Memory(), [ACME])
    assert [list(cell["rows"]) for cell in account.cells().values()] == [["4712"], ["4711"]]


def test_two_new_cells_of_the_same_name_are_for_a_person(account: Aixon, sync: Sync) -> None:
    """Which is ours cannot be told, so nothing is written to either."""
    memory = Memory(die_after=0)
    for _ in range(2):
        with pytest.raises(Killed):
            sync(memory, [ACME]) if memory.state is None else sync(Memory(die_after=0), [ACME])
    with pytest.raises(Refused, match="2 new cells called 'acme customers'"):
        sync(memory, [ACME])
    assert account.uploads() == ["create", "create"]


@pytest.mark.parametrize("fault", ["lost_reply", "cut", "drop", "503", "html", "nonsense", "429"])
def test_an_update_is_tried_again(account: Aixon, sync: Sync, fault: str) -> None:
    """One record a customuid: the same rows twice leave what they leave once."""
    memory = Memory()
    sync(memory, [ACME])
    account.fault(fault, match="PATCH", times=2)
    run = sync(memory, [ACME, BARE])
    assert account.uploads() == ["create", *["update"] * 3]
    assert (len(run.pauses), list(account.only_cell()["rows"])) == (2, ["4711", "4712"])
    assert set(memory.digests) == {"4711", "4712"}


def test_pauses_grow_and_follow_retry_after(account: Aixon, sync: Sync) -> None:
    """Two to four seconds and more, with jitter; as long as Aixon asks for, where it does."""
    memory = Memory()
    sync(memory, [ACME])
    account.fault("429", match="PATCH", times=1, seconds=7)
    account.fault("503", match="PATCH", times=2)
    first, second, third = sync(memory, [BARE]).pauses
    assert first == 7
    assert 2 <= second <= 4 <= third <= 8


def test_tries_end(account: Aixon, sync: Sync) -> None:
    """After four, with the error of the last; what was taken before stays remembered."""
    memory = Memory()
    sync(memory, many(10))
    account.fault("503", match="PATCH", skip=1)
    with pytest.raises(RemoteError):
        sync(memory, many(60), limit=2_000)
    assert account.uploads() == ["create", *["update"] * 5]
    assert 10 < len(memory.digests) < 60


def test_a_long_retry_after_is_for_the_next_run(account: Aixon, sync: Sync) -> None:
    """More than a minute is not waited for."""
    memory = Memory()
    sync(memory, [ACME])
    account.fault("429", match="PATCH", seconds=61)
    with pytest.raises(Throttled):
        sync(memory, [BARE])
    assert account.uploads() == ["create", "update"]


def test_a_refusal_is_not_repeated(account: Aixon, sync: Sync) -> None:
    """A wrong key is told at once, before a body is sent, without the key."""
    with pytest.raises(BadCredentials) as told:
        sync(Memory(), [ACME], api_key="wrong-aixon-key")
    assert (account.uploads(), "wrong-aixon-key" in told.value.detail) == ([], False)


def test_a_cell_that_is_gone_is_said_so(account: Aixon, sync: Sync) -> None:
    """With its id and what to do; no second cell is made unasked."""
    memory = Memory()
    run = sync(memory, [ACME])
    account.http.post("/_reset")
    assert run.sent.cell is not None
    with pytest.raises(NotFound, match=f"no cell {run.sent.cell.id} any more"):
        sync(memory, [BARE])
    assert account.cells() == {}


def test_a_row_with_a_fault_is_named_and_left_out(account: Aixon, sync: Sync) -> None:
    """By row, id and column, every column of it; the value is not repeated. The others go."""
    bad = replace(ACME, id="4720", revenue="much", emails=["not an address"])
    run = sync(Memory(), [ACME, bad, BARE])
    assert run.faults == [
        "row 2 (4720), emailsha256: expected e-mail addresses as SHA-256 hashes, 64 hex digits each, joined by comma",
        "row 2 (4720), num_revenue: expected a number",
    ]
    assert list(account.only_cell()["rows"]) == ["4711", "4712"]


@pytest.mark.parametrize("body_format", ["json", "csv"])
def test_a_customuid_that_comes_twice_is_sent_once(account: Aixon, sync: Sync, body_format: str) -> None:
    """The first row stays; the others are named with its number."""
    customers: list[Any] = [BARE, ACME, replace(ACME, city="Oulu"), Customer("4713"), replace(ACME, city="Pori")]
    run = sync(Memory(), customers, body_format=body_format)
    assert sorted(run.faults) == [
        "row 3 (4711), customuid: must be unique; row 2 has the same one",
        "row 5 (4711), customuid: must be unique; row 2 has the same one",
    ]
    rows = account.only_cell()["rows"]
    assert {uid: row["txt_city"] for uid, row in rows.items()} == {"4712": "", "4711": "Turku", "4713": ""}
    assert run.sent.rows == 3


def test_an_unchanged_row_counts_for_uniqueness(account: Aixon, sync: Sync) -> None:
    """A changed customer does not take over the customuid of one that was not sent this time."""
    memory = Memory()
    sync(memory, [ACME])
    run = sync(memory, [ACME, replace(ACME, city="Oulu")])
    assert (run.sent.bodies, len(run.faults), account.uploads()) == (0, 1, ["create"])


def test_a_row_that_no_body_can_hold_is_a_fault(sync: Sync, account: Aixon) -> None:
    """Named like any other; it does not stop the rest."""
    run = sync(Memory(), [replace(ACME, city="x" * LIMIT), BARE])
    assert [fault.split(":")[0] for fault in run.faults] == ["row 1 (4711), customuid"]
    assert list(account.only_cell()["rows"]) == ["4712"]


def test_an_answer_that_nobody_understands_is_no_success(account: Aixon, sync: Sync) -> None:
    """Nothing is remembered of rows of which Aixon said nothing."""
    memory = Memory()
    sync(memory, [ACME])
    account.fault("nonsense", match="PATCH")
    with pytest.raises(UnexpectedReply):
        sync(memory, [BARE])
    assert set(memory.digests) == {"4711"}
