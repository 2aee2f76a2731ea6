"""All customers of a firm are listed, page by page, past the rows at which Apptivo's lists stop."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.apptivo.all_rows import LIMIT
from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE, simulator
from adapters.contract import CustomerListing, CustomerPage, CustomerSummary, Refused, RemoteError, UnexpectedReply
from adapters.deadline import Deadline
from adapters.serving import serving

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)


def soon() -> Deadline:
    return Deadline.after(30)


def pages(
    bench: Any, cursor: str | None = None, most: int = 10_000, since: Any = None, **opening: Any
) -> list[CustomerPage]:
    async def act(adapter: Any, _deadline: Any) -> list[CustomerPage]:
        assert isinstance(adapter, CustomerListing)
        found = [await adapter.list_customers(cursor, soon(), since=since)]
        while found[-1].cursor is not None and len(found) < most:
            found.append(await adapter.list_customers(found[-1].cursor, soon(), since=since))
        return found

    listed: list[CustomerPage] = bench.run(act, **opening)
    return listed


def customers(listed: list[CustomerPage]) -> list[CustomerSummary]:
    return [customer for page in listed for customer in page.customers]


def ids(bench: Any) -> list[str]:
    return [row["id"] for row in bench.state.tables["customers"]]


def test_1200_customers_in_three_date_formats(bench: Any) -> None:
    """Each once, with all its parts, its deals counted, its dates read in whatever form they come."""
    bench.state.add_customers(1200)
    listed = pages(bench, business_id_attribute=BUSINESS_ID_ATTRIBUTE, zone="UTC")
    found = customers(listed)
    assert [customer.record_id for customer in found] == ids(bench)
    assert (listed[0].total, [page.faults for page in listed if page.faults]) == (1200, [])
    assert all(len(page.customers) == 100 for page in listed)
    assert all(customer.last_update for customer in found)
    expected = CustomerSummary(
        record_id=found[11].record_id,
        name="Customer 000011 Oy",
        business_id="10000119",
        country="FI",
        owner_email="sales@example.com",
        last_update=datetime(2026, 2, 18, 12, tzinfo=UTC),
        notes="Made up, number 11",
        open_deals=0,
        won_deals=2,
        lost_deals=1,
        last_won_at=datetime(2026, 2, 20, tzinfo=UTC),
        city="Oulu",
        industry="Retail",
        revenue=120_000,
        employees=10,
        emails=("info@customer000011.example",),
        labels=("Newsletter",),
    )
    assert found[11] == expected


def test_deals_cost_a_call_for_a_hundred_of_them(bench: Any) -> None:
    """Not one for each customer."""
    bench.state.add_customers(300)
    deals = sum(customer.won_deals or 0 for customer in customers(pages(bench)))
    assert deals == sum(row["salesStageName"] == "Closed Won" for row in bench.state.tables["opportunities"])
    assert len(bench.lines("a=getAll")) <= 3 + 1 + len(bench.state.tables["opportunities"]) // 100


def test_a_listing_goes_on_after_a_kill(bench: Any) -> None:
    """The cursor alone is enough for another process: nothing is missing, nothing comes twice, deals are counted."""
    bench.state.add_customers(450)
    begun = pages(bench, most=2)
    rest = pages(bench, cursor=begun[-1].cursor)
    whole = customers([*begun, *rest])
    assert [customer.record_id for customer in whole] == ids(bench)
    assert whole[449].won_deals == 449 % 3


def test_a_second_listing_is_the_same(bench: Any) -> None:
    """Nothing that changes by itself: the same pages again, also on the same adapter; a change shows."""
    bench.state.add_customers(150)

    async def twice(adapter: Any, _deadline: Any) -> tuple[CustomerPage, CustomerPage, CustomerPage]:
        first = await adapter.list_customers(None, soon())
        second = await adapter.list_customers(None, soon())
        bench.state.tables["opportunities"].clear()
        return first, second, await adapter.list_customers(None, soon())

    first, second, third = bench.run(twice)
    assert first == second
    assert [customer.won_deals for customer in third.customers] == [0] * 100


@pytest.fixture(scope="module")
def many() -> Any:
    """A server with 25,000 customers."""
    app = simulator(now=lambda: NOW)
    app.state.add_customers(25_000)
    with serving(app) as url:
        yield app, url


def test_25000_customers_are_listed_past_the_limit(many: Any, bench_on: Any) -> None:
    """By the days of their creation; each once."""
    app, url = many
    bench = bench_on(url)
    opening = {"actions": {"opportunities": {"action": ""}}, "zone": "UTC"}
    listed = pages(bench, **opening)
    found = [customer.record_id for customer in customers(listed)]
    assert len(found) == 25_000
    assert sorted(found) == [row["id"] for row in app.state.tables["customers"]]
    assert [page.faults for page in listed if page.faults] == []
    middle = listed[len(listed) // 2].cursor
    assert middle is not None
    assert middle.isprintable()
    assert len(middle) < 500
    again = pages(bench, cursor=middle, most=3, **opening)
    assert [page.cursor for page in again] == [page.cursor for page in listed[len(listed) // 2 + 1 :][:3]]


def test_more_than_the_limit_on_one_day_are_read_from_both_ends(many: Any, bench_on: Any) -> None:
    """As after an import: 15,000 by their names upwards and downwards, each at least once."""
    del many
    app = simulator(now=lambda: NOW)
    app.state.add_customers(15_000, days=1)
    with serving(app) as url:
        listed = pages(bench_on(url), actions={"opportunities": {"action": ""}}, zone="UTC")
    assert {customer.record_id for customer in customers(listed)} == {
        row["id"] for row in app.state.tables["customers"]
    }
    assert [page.faults for page in listed if page.faults] == []


@pytest.mark.parametrize("beyond", ["empty", "no_records", "refused"])
def test_without_a_search_by_days_the_rest_is_read_from_the_other_end(bench_on: Any, beyond: str) -> None:
    """10,000 by their names upwards, the others downwards; the deals are those of all."""
    app = simulator(now=lambda: NOW, searches_days=False, beyond_the_limit=beyond)
    app.state.add_customers(LIMIT + 250)
    with serving(app) as url:
        listed = pages(bench_on(url), zone="UTC")
        found = customers(listed)
        assert [customer.record_id for customer in found].count(found[-1].record_id) == 1
        assert {customer.record_id for customer in found} == {row["id"] for row in app.state.tables["customers"]}
        assert [fault for page in listed for fault in page.faults] == []
        won = sum(row["salesStageName"] == "Closed Won" for row in app.state.tables["opportunities"])
        assert sum(customer.won_deals or 0 for customer in found) == won
        again = pages(bench_on(url), cursor=listed[-3].cursor, zone="UTC")
    assert [page.cursor for page in again] == [page.cursor for page in listed[-2:]]


def test_what_no_list_gives_is_reported(bench_on: Any) -> None:
    """Where Apptivo does not search by days, of more than twice the limit it is told how many are out of reach."""
    app = simulator(now=lambda: NOW, searches_days=False, search_limit=LIMIT)
    app.state.add_customers(2 * LIMIT + 500)
    with serving(app) as url:
        listed = pages(bench_on(url), actions={"opportunities": {"action": ""}}, zone="UTC")
    assert len({customer.record_id for customer in customers(listed)}) == 2 * LIMIT
    (fault,) = [fault for page in listed for fault in page.faults]
    assert (fault.reason, "500 more customers" in fault.detail) == ("out_of_reach", True)


def test_days_that_apptivo_reads_otherwise_stop_the_listing(bench_on: Any) -> None:
    """A firm that writes the month first, where we were told otherwise: an error that names the setting."""
    app = simulator(now=lambda: NOW, date_order="MDY")
    app.state.add_customers(LIMIT + 10, days=600)
    with serving(app) as url, pytest.raises((UnexpectedReply, Refused), match=r"date_order|expected"):
        pages(bench_on(url), actions={"opportunities": {"action": ""}}, zone="UTC")


def test_rows_that_cannot_be_read_are_faults(bench: Any) -> None:
    """Each with its reason, and the page goes on."""
    bench.state.add_customers(5)
    rows = bench.state.tables["customers"]
    rows[1]["customerName"] = " "
    del rows[2]["id"], rows[2]["customerId"]
    rows[3] = "odd"
    (page,) = pages(bench)
    assert [customer.name for customer in page.customers] == ["Customer 000000 Oy", "Customer 000004 Oy"]
    faults = {(fault.reason, fault.record_id) for fault in page.faults}
    assert faults == {("no_name", rows[1]["id"]), ("no_id", None), ("shape", None)}


def test_customers_changed_before_are_left_out(bench: Any) -> None:
    """`since` keeps what changed later, and what does not say when."""
    bench.state.add_customers(10)
    rows = bench.state.tables["customers"]
    for row in rows[:6]:
        row["lastUpdateDate"] = "2020-01-01 00:00:00"
    rows[7].update(lastUpdateDate="Not Contacted", creationDate="")
    (page,) = pages(bench, since=datetime(2021, 1, 1, tzinfo=UTC))
    assert [customer.record_id for customer in page.customers] == [row["id"] for row in rows[6:]]


def test_opportunities_that_cannot_be_listed_are_asked_for_one_by_one(bench: Any) -> None:
    """Where all opportunities are refused, each customer's are searched for: the same counts."""
    bench.state.add_customers(30)
    expected = [(customer.won_deals, customer.lost_deals, customer.open_deals) for customer in customers(pages(bench))]
    bench.fault("nonsense", "/app/dao/v6/opportunities?a=getAll&")
    bench.fault("nonsense", "%22opportunityCustomerId%22%3Anull")
    found = customers(pages(bench))
    assert [(customer.won_deals, customer.lost_deals, customer.open_deals) for customer in found] == expected


def test_two_listings_at_once_count_each_deal_once(bench: Any) -> None:
    """As when the schedule syncs to Vainu and to Aixon: both tell what one alone would tell."""
    bench.state.add_customers(250)
    alone = [(each.record_id, each.won_deals, each.lost_deals, each.open_deals) for each in customers(pages(bench))]

    async def both(adapter: Any, _deadline: Any) -> list[list[CustomerPage]]:
        async def rest_of(first: CustomerPage) -> list[CustomerPage]:
            found = [first]
            while found[-1].cursor is not None:
                found.append(await adapter.list_customers(found[-1].cursor, soon()))
            return found

        async def whole() -> list[CustomerPage]:
            return await rest_of(await adapter.list_customers(None, soon()))

        begun = await adapter.list_customers(None, soon())
        return list(await asyncio.gather(rest_of(begun), whole(), whole()))

    for listed in bench.run(both):
        found = [(each.record_id, each.won_deals, each.lost_deals, each.open_deals) for each in customers(listed)]
        assert found == alone


def test_a_page_that_failed_does_not_count_deals_anew(bench: Any) -> None:
    """The reading of all opportunities goes on where it broke, and each is counted once."""
    bench.state.add_customers(400)
    bench.fault("503", "a=getAll", skip=2, times=2)

    async def act(adapter: Any, _deadline: Any) -> CustomerPage:
        with pytest.raises(RemoteError):
            await adapter.list_customers(None, soon())
        page: CustomerPage = await adapter.list_customers(None, soon())
        return page

    page = bench.run(act)
    assert [customer.won_deals for customer in page.customers] == [number % 3 for number in range(100)]
    read = [line for line in bench.lines("/v6/opportunities") if "startIndex=0&" in line]
    assert len(read) == 1


def test_a_firm_without_opportunities_has_no_counts(bench: Any) -> None:
    """With the source switched off the numbers are unknown, not zero, and nobody asks."""
    bench.state.add_customers(3)
    found = customers(pages(bench, actions={"opportunities": {"action": ""}}))
    assert [customer.won_deals for customer in found] == [None] * 3
    assert bench.lines("/v6/opportunities") == []


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "crmcom:1:", "apptivo:", "apptivo:all:-1:", "apptivo:days:2020-13-01:2020-01-01:2020-01-01:DMY:up:0"],
)
def test_a_cursor_of_somebody_else_is_refused(bench: Any, cursor: str) -> None:
    """With a word about what to do."""
    with pytest.raises(Refused, match="from the start"):
        pages(bench, cursor=cursor)


def test_a_firm_without_customers_has_an_empty_listing(bench: Any) -> None:
    """One page, nothing in it."""
    (page,) = pages(bench)
    assert (list(page.customers), list(page.faults), page.cursor) == ([], [], None)
