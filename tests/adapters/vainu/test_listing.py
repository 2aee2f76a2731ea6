"""Lists of customer data: every filter and suffix, order, pages, streams."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.contract import Refused, Throttled, UnexpectedReply
from adapters.serving import serving
from adapters.simulation import FaultRule
from adapters.vainu import CustomerDataQuery, Filter, VainuClient
from tests.adapters.vainu.served import SAMLINK, VAINU, Served, all_of, soon, use

FIELDS = (
    "last_update", "lost_deals_count", "open_deals_count", "owner_email",
    "prospect", "unique_id", "won", "won_deals_count",
)  # fmt: skip
"""S000 and S001, "Filter"."""
SUFFIXES = {"eq": "", "gt": "__gt", "gte": "__gte", "lt": "__lt", "lte": "__lte", "ne": "__ne"}
VALUES: dict[str, Any] = {
    "last_update": datetime(2024, 2, 1, 12, 30, tzinfo=UTC),
    "lost_deals_count": 1,
    "open_deals_count": 0,
    "owner_email": "a+b@x.example",
    "prospect": 463880794,
    "unique_id": "f39a1a59",
    "won": True,
    "won_deals_count": 2,
}


def filled(account: Served, count: int) -> None:
    for number in range(count):
        fields = {"unique_id": f"u{number:04}", "won_deals_count": number % 3, "last_update": "2024-02-01"}
        account.state.create({"match_data": {"company_name": f"Nobody {number} Oy"}, **fields}, 2)


def names(account: Served, query: CustomerDataQuery, version: int = 2) -> list[str]:
    found = account.use(lambda client: all_of(client.customer_data.stream(soon(), query)), version)
    return [each.unique_id for each in found]


@pytest.mark.parametrize("field", FIELDS)
def test_every_filter_goes_with_every_suffix(account: Served, field: Any) -> None:
    """The parameter is the field with its suffix; Vainu takes each of them."""

    async def act(client: VainuClient) -> None:
        for comparison in SUFFIXES:
            query = CustomerDataQuery((Filter(field, VALUES[field], comparison),))  # type: ignore[arg-type]  # a key
            await client.customer_data.page(1, query, soon())

    account.use(act)
    written = {"last_update": "2024-02-01", "won": "true", "owner_email": "a%2Bb@x.example"}
    value = written.get(field, VALUES[field])
    assert account.calls == [
        f"GET /api/v2/customer_data/?{field}{suffix}={value}&page_size=500&page=1" for suffix in SUFFIXES.values()
    ]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (CustomerDataQuery((Filter("won_deals_count", 1, "gte"),)), ["u0001", "u0002", "u0004"]),
        (
            CustomerDataQuery((Filter("won_deals_count", 0, "gt"), Filter("won_deals_count", 2, "lt"))),
            ["u0001", "u0004"],
        ),
        (CustomerDataQuery((Filter("won", False),), "unique_id", descending=True), ["u0003", "u0000"]),
        (CustomerDataQuery((Filter("last_update", date(2024, 2, 1), "gt"),)), []),
        (CustomerDataQuery((Filter("unique_id", "u0002", "ne"),), page_size=2), ["u0000", "u0001", "u0003", "u0004"]),
        (CustomerDataQuery((Filter("prospect", -1), Filter("unique_id", "u0004"))), ["u0004"]),
    ],
)
def test_filters_and_order_are_those_of_the_documents(
    account: Served, query: CustomerDataQuery, expected: list[str], version: int
) -> None:
    """All conditions hold together, in the wanted order, over as many pages as it takes."""
    filled(account, 5)
    assert names(account, query, version) == expected


def test_a_date_time_is_written_whole_in_v1(account: Served) -> None:
    """v1's last_update is a date-time (S001), v2's a date (S000)."""
    names(account, CustomerDataQuery((Filter("last_update", VALUES["last_update"], "gt"),)), version=1)
    assert "last_update__gt=2024-02-01T12:30:00.000Z" in account.calls[0]


def test_pages_are_counted_up_with_the_filters_on_each(account: Served) -> None:
    """Vainu's own next_page forgets filters and page_size (S000's sample): it is only asked whether there is one."""
    filled(account, 7)
    query = CustomerDataQuery((Filter("won_deals_count", 2, "lte"),), page_size=3)
    pages = account.use(lambda client: all_of(client.customer_data.pages(soon(), query)))
    assert [(page.number, len(page.results), page.total, page.is_last) for page in pages] == [
        (1, 3, 7, False),
        (2, 3, 7, False),
        (3, 1, 7, True),
    ]
    assert account.calls == [
        f"GET /api/v2/customer_data/?won_deals_count__lte=2&page_size=3&page={number}" for number in (1, 2, 3)
    ]


def test_a_list_is_taken_up_again_where_it_was_left(account: Served) -> None:
    """From any page on."""
    filled(account, 7)
    query = CustomerDataQuery(page_size=3)
    pages = account.use(lambda client: all_of(client.customer_data.pages(soon(), query, first=3)))
    assert [row.unique_id for page in pages for row in page.results] == ["u0006"]


def test_an_empty_account_has_one_empty_page(account: Served) -> None:
    """No objects is no error."""
    assert names(account, CustomerDataQuery()) == []


def test_1200_objects_come_in_three_pages(account: Served) -> None:
    """500 at once is the most that Vainu gives."""
    filled(account, 1_200)
    assert len(names(account, CustomerDataQuery())) == 1_200
    assert len(account.calls) == 3


def test_a_list_that_shrinks_while_it_is_read_just_ends(account: Served) -> None:
    """A page past the end is "not found" then."""
    filled(account, 4)

    async def act(client: Any) -> list[str]:
        seen = []
        async for each in client.customer_data.stream(soon(), CustomerDataQuery(page_size=2)):
            seen.append(each.unique_id)
            for left in list(account.state.records)[2:]:
                account.state.delete(left)
        return seen

    assert account.use(act) == ["u0000", "u0001"]


@pytest.mark.parametrize(
    "query",
    [
        CustomerDataQuery((Filter("notes", "x"),)),  # type: ignore[arg-type]  # wrong on purpose
        CustomerDataQuery((Filter("won", True, "near"),)),  # type: ignore[arg-type]  # wrong on purpose
        CustomerDataQuery((Filter("unique_id", " "),)),
        CustomerDataQuery((Filter("owner_email", None),)),
        CustomerDataQuery((Filter("won", True), Filter("won", False))),
        CustomerDataQuery(order_by="notes"),  # type: ignore[arg-type]  # wrong on purpose
        CustomerDataQuery(page_size=501),
        CustomerDataQuery(page_size=0),
    ],
)
def test_what_vainu_does_not_know_is_refused_unsent(account: Served, query: CustomerDataQuery) -> None:
    """A filter that is not heeded would list everything."""
    with pytest.raises(Refused, match="nothing was sent"):
        names(account, query)
    assert account.calls == []


def paged(pages: dict[str, Any], seen: list[str] | None = None) -> Starlette:
    async def listed(request: Request) -> Response:
        number = request.query_params["page"]
        if seen is not None:
            seen.append(number)
            if len(seen) == 1:
                return Response(status_code=429, headers={"Retry-After": "0"})
        return JSONResponse(pages[number])

    return Starlette(routes=[Route("/api/v2/customer_data/", listed)])


def test_a_request_to_slow_down_is_waited_out() -> None:
    """429 with Retry-After: the same page is asked for again, and nothing is lost."""
    seen: list[str] = []
    page = {"total_results": 1, "next_page": None, "results": [{"id": "a"}]}
    with serving(paged({"1": page}, seen)) as url:
        found = use(url, lambda client: all_of(client.customer_data.stream(soon())))
    assert ([each.id for each in found], seen) == (["a"], ["1", "1"])


def test_a_wait_longer_than_the_deadline_is_told_at_once(account: Served) -> None:
    """The caller decides what to do with the wait."""
    account.sim.journal.rules.append(FaultRule("429", seconds=60))
    with pytest.raises(Throttled) as caught:
        account.use(lambda client: all_of(client.customer_data.stream(soon(2))))
    assert caught.value.retry_after == 60


def test_the_same_page_again_and_again_is_left() -> None:
    """A list that does not heed `page` has no end."""
    page = {"total_results": 9, "next_page": "https://api.vainu.io/?page=2", "results": [{"id": "a"}]}
    with serving(paged({"1": page, "2": page})) as url, pytest.raises(UnexpectedReply, match="page 2"):
        use(url, lambda client: all_of(client.customer_data.stream(soon())))


def test_matched_and_unmatched_objects_are_listed_alike(account: Served) -> None:
    """v2's list writes v1's keys: prospect -1 is an object without a company."""

    async def act(client: Any) -> list[int | None]:
        await client.customer_data.create(VAINU, {"unique_id": "a"}, soon())
        await client.customer_data.create(SAMLINK, {"unique_id": "b"}, soon())
        account.state.create({"match_data": {"company_name": "Nobody Oy"}, "unique_id": "c"}, 2)
        query = CustomerDataQuery(order_by="unique_id")
        return [each.vid async for each in client.customer_data.stream(soon(), query)]

    assert account.use(act) == [463880794, 253870, None]
