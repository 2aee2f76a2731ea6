"""All customers of a CRM.COM account are listed, page by page, and a listing goes on where it stopped."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import CustomerListing, CustomerPage, CustomerSummary, Refused, RemoteError
from adapters.deadline import Deadline


def soon() -> Deadline:
    return Deadline.after(20)


def pages(
    server: Any, cursor: str | None = None, most: int = 1000, since: Any = None, **settings: Any
) -> list[CustomerPage]:
    async def act(adapter: Any) -> list[CustomerPage]:
        assert isinstance(adapter, CustomerListing)
        found = [await adapter.list_customers(cursor, soon(), since=since)]
        while found[-1].cursor is not None and len(found) < most:
            found.append(await adapter.list_customers(found[-1].cursor, soon(), since=since))
        return found

    listed: list[CustomerPage] = server.run(act, **settings)
    return listed


def customers(listed: list[CustomerPage]) -> list[CustomerSummary]:
    return [customer for page in listed for customer in page.customers]


def test_all_customers_are_listed_each_once(server: Any) -> None:
    """Every one with all its parts, its leads counted, no page larger than asked for."""
    server.control("POST", "/_customers", count=400)
    listed = pages(server, page_size=100)
    found = customers(listed)
    ids = [row["id"] for row in server.rows("contact_information")]
    assert [customer.record_id for customer in found] == ids
    assert max(len(page.customers) for page in listed) == 100
    assert [page.faults for page in listed if page.faults] == []
    summary = found[11]
    assert summary.name == "Customer 000011 Oy"
    assert (summary.business_id, summary.country, summary.city) == ("10000119", "FI", "Oulu")
    assert (summary.industry, summary.revenue, summary.employees) == ("Retail", 120_000, 12)
    assert (summary.emails, summary.labels) == (("info@customer000011.example",), ("Newsletter",))
    assert summary.owner_email == "anna.admin@example.com"
    assert (summary.won_deals, summary.lost_deals, summary.open_deals) == (2, 1, 0)
    assert summary.last_won_at is not None
    assert summary.last_update is not None
    assert summary.last_update_ms == int(summary.last_update.timestamp() * 1000)


def test_a_listing_goes_on_after_a_kill(server: Any) -> None:
    """The cursor alone is enough for another process: nothing is missing, nothing comes twice."""
    server.control("POST", "/_customers", count=50)
    begun = pages(server, most=2, page_size=10)
    rest = pages(server, cursor=begun[-1].cursor, page_size=10)
    assert len({customer.record_id for customer in customers([*begun, *rest])}) == 50
    assert len(customers([*begun, *rest])) == 50


def test_a_page_that_failed_goes_on_where_it_stopped(server: Any) -> None:
    """Customers whose leads were read already are not read again."""
    server.control("POST", "/_customers", count=30)
    server.fault("503", "leads/list", skip=20, times=60)

    async def act(adapter: Any) -> tuple[CustomerPage, int]:
        with pytest.raises(RemoteError):
            await adapter.list_customers(None, soon())
        server.control("DELETE", "/_faults")
        before = len(server.sent("leads/list"))
        page = await adapter.list_customers(None, soon())
        return page, len(server.sent("leads/list")) - before

    page, calls = server.run(act, page_size=30)
    assert len(page.customers) == 30
    assert calls <= 10


def test_rows_that_cannot_be_read_are_faults(server: Any) -> None:
    """Each with its reason; the page goes on. Persons are no customers."""
    server.control("POST", "/_customers", count=4)
    rows = server.state.tables["contact_information"]
    rows[0]["company_name"] = rows[0]["name"] = " "
    rows[1]["type"] = "PERSON"
    listed = pages(server)
    assert [customer.record_id for customer in customers(listed)] == [rows[2]["id"], rows[3]["id"]]
    (fault,) = listed[0].faults
    assert (fault.reason, fault.record_id) == ("no_name", rows[0]["id"])


def test_customers_changed_before_are_left_out(server: Any) -> None:
    """`since` keeps what changed later, and costs no look-up for the rest."""
    server.control("POST", "/_customers", count=20)
    rows = server.state.tables["contact_information"]
    for row in rows[:15]:
        row["log_information"]["updated_date"] = "2020-01-01T00:00:00"
    found = customers(pages(server, since=datetime(2021, 1, 1, tzinfo=UTC)))
    assert [customer.record_id for customer in found] == [row["id"] for row in rows[15:]]
    assert len(server.sent("leads/list")) == 5


def test_two_listings_at_once(server: Any) -> None:
    """One of everything beside one of what changed lately: neither takes the other's answers."""
    server.control("POST", "/_customers", count=60)

    async def both(adapter: Any) -> list[CustomerPage]:
        late = datetime(2100, 1, 1, tzinfo=UTC)
        listed = (adapter.list_customers(None, soon(), since=since) for since in (None, late))
        return list(await asyncio.gather(*listed))

    everything, changed = server.run(both, page_size=60)
    assert (len(everything.customers), len(changed.customers)) == (60, 0)


@pytest.mark.parametrize(
    "cursor", ["", "x", "apptivo:1", "crmcom:1:", "crmcom:contacts:-1:", "crmcom:accounts:1:" + "x" * 300]
)
def test_a_cursor_of_somebody_else_is_refused(server: Any, cursor: str) -> None:
    """With a word about what to do."""
    with pytest.raises(Refused, match="from the start"):
        pages(server, cursor=cursor)


def test_a_server_without_such_a_list_says_so(server: Any) -> None:
    """The methods are guesses: where neither is there, the listing is refused and not empty."""
    del server.state.tables["accounts_receivable"]
    with pytest.raises(Refused, match="spaceships/list"):
        pages(server, list_method="spaceships/list")
    with pytest.raises(Refused, match="list_method"):
        pages(server, list_method="")


def test_customers_are_found_by_their_accounts(server: Any, company: Any) -> None:
    """Where contact information cannot be listed, the owners of all accounts receivable are the customers."""

    async def make(adapter: Any) -> list[str]:
        made = []
        for number in range(3):
            record_id = await adapter.create(company(name=f"Owner {number} Oy", business_id=None, vid=number), soon())
            await adapter.add_details(record_id, company(name=f"Owner {number} Oy"), soon())
            made.append(record_id)
        return made

    made = server.run(make)
    for without in ("", "spaceships/list"):
        listed = pages(server, list_method=without, page_size=2)
        assert [customer.record_id for customer in customers(listed)] == made
    assert {customer.city for customer in customers(listed)} == {"ESPOO"}
    rest = pages(server, cursor=listed[0].cursor, list_method="", page_size=2)
    assert [customer.record_id for customer in customers(rest)] == made[2:]


def test_short_rows_are_read_whole(start: Any) -> None:
    """Where a list tells ids and names only, each record is shown."""
    server = start(demo_feed=False, short_lists=True)
    server.control("POST", "/_customers", count=3)
    found = customers(pages(server))
    assert [customer.city for customer in found] == ["Helsinki", "Espoo", "Tampere"]


def test_a_server_that_ignores_paging_ends(start: Any) -> None:
    """Before R13 a list gives everything every time: each customer comes once."""
    server = start(demo_feed=False, paging=False)
    server.control("POST", "/_customers", count=7)
    for size in (3, 7, 50):
        assert len(customers(pages(server, page_size=size))) == 7


def test_an_account_without_customers_has_an_empty_listing(server: Any) -> None:
    """One page, nothing in it."""
    assert [(list(page.customers), page.cursor) for page in pages(server)] == [([], None)]
