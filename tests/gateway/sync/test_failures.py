"""What fails in a sync: a page is asked for again, a row is told with its reason, and the rest goes on."""

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.sync.order import Order, SyncStopped
from tests.gateway.sync.conftest import World

SECOND_PAGE = "territoryType=MULTIPLE&sortColumn=customerName.sortable&sortDir=asc&startIndex=100"
"""Of the customers, not of their opportunities."""


def vids(candidates: Sequence[dict[str, Any]]) -> set[int]:
    return {each["vid"] for each in candidates}


@pytest.mark.parametrize("fault", ["500", "html", "cut", "empty"])
def test_a_page_that_fails_is_retried(world: World, fault: str) -> None:
    """The CRM stumbles three times over one page: every customer comes all the same, each once."""
    world.crm.add_customers(250)
    world.upstream.fault("apptivo", fault, match=SECOND_PAGE, times=3)
    counts, heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed, counts.customers) == (250, 0, 250)
    assert sorted(each["unique_id"] for each in world.customer_data()) == sorted(world.ids())
    assert heard.pauses == sorted(heard.pauses)


def test_a_page_that_fails_for_longer_stops_the_sync(world: World) -> None:
    """After a bounded number of attempts it stops in one line; the next one goes on behind the last good page."""
    world.crm.add_customers(250)
    world.upstream.fault("apptivo", "500", match=SECOND_PAGE)
    with pytest.raises(SyncStopped) as stopped:
        world.patiently(Order("acme"))
    assert len(stopped.value.detail.splitlines()) == 1
    assert len(world.customer_data()) == 100
    world.upstream.heal("apptivo")
    before = len(world.upstream.calls("apptivo"))
    counts, heard = world.patiently(Order("acme"))
    assert heard.begun_as is not None
    assert (heard.begun_as.resumed, heard.begun_as.counts.customers) == (True, 250)
    assert (counts.customers, counts.created) == (250, 250)
    assert len(world.customer_data()) == 250
    asked = [call["query"] for call in world.upstream.calls("apptivo")[before:] if call["path"].endswith("customers")]
    assert [query.partition("startIndex=")[2].partition("&")[0] for query in asked] == ["100", "200"]


def test_credentials_that_the_crm_refuses(world: World) -> None:
    """Exit 1 and one line, without a retry."""
    world.crm.add_customers(3)
    world.configure(apptivo={"api_key": "wrong-key-of-the-tests"})
    ended = world.sync()
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "credentials" in ended.stderr or "API" in ended.stderr
    assert "wrong-key-of-the-tests" not in ended.stdout + ended.stderr
    assert world.writes() == []


def test_a_vainu_that_is_down_stops_the_sync(world: World) -> None:
    """Nobody's row is at fault: nothing is told as failed, and the next sync sends them all."""
    world.crm.add_customers(20)
    world.patiently(Order("acme", dry_run=True))
    world.upstream.fault("vainu", "503")
    with pytest.raises(SyncStopped):
        world.patiently(Order("acme"))
    world.upstream.heal("vainu")
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed, len(world.customer_data())) == (20, 0, 20)


def test_a_vainu_that_asks_to_slow_down_stops_the_sync(world: World) -> None:
    """What it took is kept, the other rows are not at fault, and the next sync sends those alone."""
    world.crm.add_customers(20)
    # longer than a sync waits
    world.upstream.fault("vainu", "429", match="POST", skip=7, seconds=3_600)
    with pytest.raises(SyncStopped):
        world.patiently(Order("acme"))
    assert len(world.customer_data()) == 7
    world.upstream.heal("vainu")
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed, counts.unchanged, len(world.customer_data())) == (20, 0, 7, 20)


def test_rows_that_fail_leave_the_others_alone(world: World) -> None:
    """One customer that Vainu always chokes on, and one that it refuses: both are told, the rest is there."""
    world.crm.add_customers(30)
    bad = world.customer("Chokes Oy")
    world.upstream.fault("vainu", "500", match="Chokes Oy")
    counts, heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed) == (30, 1)
    (told,) = (row for row in heard.rows if row.outcome == "failed")
    assert (told.record_id, told.reason, told.name) == (bad, "server_fault", "Chokes Oy")
    world.upstream.heal("vainu")
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.unchanged, counts.failed) == (1, 30, 0)


def test_a_row_that_is_alone_on_its_page_can_fail_too(world: World) -> None:
    """Vainu answers all else, so it is the row's own failure, and the sync goes on to its end."""
    world.customer("Chokes Oy")
    world.upstream.fault("vainu", "500", match="Chokes Oy")
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.customers, counts.failed) == (1, 1)


def test_a_row_with_several_companies_names_them(world: World) -> None:
    """The report has the reason and the candidates, the terminal too, the exit code is 1."""
    world.configure(vainu={"api_version": 1})
    namesake = world.customer("VAINU INC.", country="US")
    unknown = world.customer("Nobody Knows Oy")
    good = world.customer("Oy Samlink Ab", "0970409-8")
    code, customers, summary = world.report()
    told = {each["record_id"]: each for each in customers}
    assert (code, summary["created"], summary["failed"], summary["complete"]) == (1, 1, 2, True)
    assert told[namesake]["reason"] == "multiple_matches"
    assert vids(told[namesake]["candidates"]) == {605731521, 339608722}
    assert (told[unknown]["reason"], "candidates" in told[unknown]) == ("no_match", False)
    assert (told[good]["outcome"], told[good]["customer_data_id"]) == ("created", world.customer_data()[0]["id"])
    ended = world.sync()
    assert ended.returncode == 1
    assert "could be: vid 605731521 VAINU INC." in ended.stdout
    assert "failed" in ended.stdout


def test_two_customers_that_are_one_company(world: World) -> None:
    """Vainu takes one customer data of a company: the first has it, the second is told whose it is, for ever."""
    first = world.customer("Oy Samlink Ab", "0970409-8")
    second = world.customer("Samlink, made twice", "FI09704098")
    for _again in range(2):
        counts, heard = world.patiently(Order("acme"))
        assert counts.failed == 1
        (told,) = (row for row in heard.rows if row.outcome == "failed")
        assert {told.record_id} < {first, second}
        assert told.reason == "already_exists"
        (held,) = world.customer_data()
        assert held["unique_id"] == ({first, second} - {told.record_id}).pop()
        assert held["unique_id"] in told.detail


def test_creates_without_an_answer_double_nothing(world: World) -> None:
    """Vainu makes the object and its answer is lost: it is looked for before it is made again."""
    world.crm.add_customers(12)
    world.upstream.fault("vainu", "lost_reply", match="POST /api/v2/customer_data", times=5)
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created + counts.updated, counts.failed) == (12, 0)
    assert len(world.customer_data()) == 12


def test_customer_data_that_somebody_deleted_is_made_again(world: World) -> None:
    """A void id is no failure."""
    customer = world.customer("Nobody Oy")
    world.patiently(Order("acme"))
    world.upstream.http.post("/vainu/_reset").raise_for_status()
    world.upstream.http.post("/apptivo/_webhook", json={"customer": customer, "set": {"description": "new"}})
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed, len(world.customer_data())) == (1, 0, 1)


def test_customers_that_the_crm_cannot_show_are_told(world: World) -> None:
    """A customer without a name is a row that failed; the others are there."""
    world.crm.add_customers(3)
    nameless = world.customer("")
    code, customers, summary = world.report()
    assert (code, summary["created"], summary["failed"]) == (1, 3, 1)
    assert [(each["record_id"], each["reason"]) for each in customers if each["outcome"] == "failed"] == [
        (nameless, "no_name")
    ]
