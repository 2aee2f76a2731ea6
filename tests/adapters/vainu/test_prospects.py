"""Prospects: one company and its parts, and lists by filters (S001)."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.contract import NotFound, Refused, UnexpectedReply
from adapters.serving import serving
from adapters.vainu import VainuClient
from adapters.vainu.prospect_models import LeadCompany, read_lead, read_prospect
from adapters.vainu.prospect_query import ProspectFilter, ProspectQuery
from adapters.vainu.prospects import key_of
from adapters.vainu.samples import samples
from tests.adapters.vainu.served import Served, all_of, answering, soon, use

FINLAND = ProspectFilter("country", "FI", "exact")


def found(account: Served, *filters: ProspectFilter, **query: Any) -> list[str]:
    asked = ProspectQuery(filters, **query)
    rows = account.use(lambda client: client.prospects.filter(asked, soon()))
    return [each.company_name for each in rows]


def test_the_whole_of_a_prospect_is_typed(account: Served) -> None:
    """S001's sample: numbers that come as text are numbers, dates stay as written, nothing is lost."""
    prospect = account.use(lambda client: client.prospects.all("FI09704098", soon()))
    assert (prospect.company_name, prospect.turn_over, prospect.staff_number) == ("Oy Samlink Ab", 93116557.0, 399)
    assert (prospect.registration_date, prospect.link, prospect.industry_code_5) == (
        "1994-6-8",
        "www.samlink.fi",
        62010,
    )
    assert prospect.turnover_estimate is None
    year = prospect.financial_statements[0]
    assert (year.year, year.turn_over_eur, year.staff_number) == (2014, 11111000.0, 111)
    assert year.account_period_end == "2014-12-31"
    assert [(each.title, each.phone) for each in prospect.contacts] == [("CTO", ""), ("CEO", "+123123123123")]
    assert prospect.prospect_addresses[0].visiting_city == "HELSINKI"
    assert prospect.document["mother"] is None


def test_the_parts_of_a_prospect_are_typed(account: Served) -> None:
    """Basic information, leads, contacts, financial statements, each by its own call."""

    async def act(client: VainuClient) -> None:
        basic = await client.prospects.basic("0970409-8", soon(), country="FI")
        assert (basic.company_name, basic.contacts) == ("Oy Samlink Ab", ())
        (lead,) = await client.prospects.leads("FI09704098", soon())
        assert (bool(lead.title), len(lead.added), len(lead.prospects)) == (True, 19, 1)
        contacts = await client.prospects.contacts("FI09704098", soon())
        assert {each.prospect for each in contacts} == {"Oy Samlink Ab"}
        years = await client.prospects.financial_statements("FI09704098", soon())
        assert [each.year for each in years] == [2014, 2012]

    account.use(act)
    assert [call.partition("/api/v1/")[2] for call in account.calls] == [
        "prospect/FI09704098/",
        "prospect/FI09704098/leads/",
        "prospect/FI09704098/contacts/",
        "prospect/FI09704098/financial_statements/",
    ]


def test_an_unknown_prospect_is_not_found(account: Served) -> None:
    """404 (S001: "Check business id")."""
    with pytest.raises(NotFound):
        account.use(lambda client: client.prospects.basic("FI00000000", soon()))


@pytest.mark.parametrize(
    ("business_id", "country", "key"),
    [
        ("FI09704098", None, "FI09704098"),
        ("0970409-8", "FI", "FI09704098"),
        ("FI 0970409-8", "fi", "FI09704098"),
        ("1234567-1", None, "12345671"),
        ("US_DE6240535", None, "US_DE6240535"),
        ("US_DE6240535", "US", "US_DE6240535"),
        ("556677-8899", "SE", "SE5566778899"),
    ],
)
def test_a_business_id_is_written_as_the_paths_want_it(business_id: str, country: str | None, key: str) -> None:
    """Without dashes, and with the country before it."""
    assert key_of(business_id, country) == key


@pytest.mark.parametrize("business_id", ["", "-", "../x", "filter", "all", "é1", None, "1" * 65])
def test_what_can_be_no_business_id_is_refused_unsent(account: Served, business_id: Any) -> None:
    """It could end in another path."""
    if business_id in ("../x", "é1"):
        assert key_of(business_id + "1", None).isalnum()
        return
    with pytest.raises(Refused, match="nothing was sent"):
        account.use(lambda client: client.prospects.all(business_id, soon()))
    assert account.calls == []


@pytest.mark.parametrize(
    ("condition", "parameter"),
    [
        (ProspectFilter("company_name", "Vainu"), "company_name=Vainu"),
        (ProspectFilter("company_name", "Nokia Oyj", "exact"), "company_name__exact=Nokia+Oyj"),
        (ProspectFilter("turn_over", 50000, "gte"), "turn_over__gte=50000"),
        (ProspectFilter("turn_over", 50000.5, "gt"), "turn_over__gt=50000.5"),
        (ProspectFilter("staff_number", 5, "lte"), "staff_number__lte=5"),
        (ProspectFilter("staff_number", 5, "lt"), "staff_number__lt=5"),
        (ProspectFilter("visiting_postal", "905", "startswith"), "visiting_postal__startswith=905"),
        (ProspectFilter("visiting_postal", ["90500", "90510"], "in"), "visiting_postal__in=90500,90510"),
        (ProspectFilter("staff_number", None, "ne"), "staff_number__ne=null"),
        (ProspectFilter("visiting_postal", "50000-51019"), "visiting_postal=50000-51019"),
        (ProspectFilter("business_ids", ["09704098", "03575029"]), "business_ids=09704098,03575029"),
        (ProspectFilter("region", "FI-18", "exact"), "region__exact=FI-18"),
        (ProspectFilter("nstatus", "active"), "nstatus=active"),
        (
            ProspectFilter("basic_modified", datetime(2016, 4, 20, 16, tzinfo=UTC), "gt"),
            "basic_modified__gt=2016-04-20T16:00:00",
        ),
        (ProspectFilter("registration_date", date(2016, 4, 20), "gte"), "registration_date__gte=2016-04-20"),
    ],
)
def test_every_type_of_filter_is_written_as_in_the_document(
    account: Served, condition: ProspectFilter, parameter: str
) -> None:
    """S001's own examples, and the types it has none of."""
    found(account, condition)
    (call,) = account.calls
    assert call.replace("%2C", ",").replace("%3A", ":") == (
        f"GET /api/v1/prospects/filter/?{parameter}&limit=100&offset=0"
    )


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([ProspectFilter("company_name", "samlink")], ["Oy Samlink Ab"]),
        ([ProspectFilter("company_name", "VAINU INC.", "exact")], ["VAINU INC.", "VAINU INC."]),
        ([ProspectFilter("turn_over", 90_000_000, "gte"), FINLAND], ["Oy Samlink Ab"]),
        ([ProspectFilter("business_ids", ["0970409-8", "28229966"])], ["Oy Samlink Ab", "Vainu Finland Oy"]),
        ([ProspectFilter("industry_codes", "620", "startswith"), FINLAND], ["Oy Samlink Ab"]),
        ([ProspectFilter("visiting_postal", "02000-02999"), FINLAND], ["Oy Samlink Ab"]),
        ([ProspectFilter("phone", None, "ne"), FINLAND], ["Oy Samlink Ab"]),
        ([ProspectFilter("country", "FI", "ne"), ProspectFilter("company_name", "inc")], ["VAINU INC.", "VAINU INC."]),
        ([ProspectFilter("country", ["FI", "XX"], "in")], ["Oy Samlink Ab", "Vainu Finland Oy"]),
        ([ProspectFilter("nstatus", "inactive")], []),
    ],
)
def test_filters_find_what_they_say(account: Served, filters: list[ProspectFilter], names: list[str]) -> None:
    """All conditions hold together."""
    assert sorted(found(account, *filters)) == sorted(names)


@pytest.mark.parametrize(("minus", "first"), [(True, "Vainu Finland Oy"), (False, "Oy Samlink Ab")])
def test_the_order_is_asked_for_as_the_document_writes_it(account: Served, minus: bool, first: str) -> None:
    """S001's text: a leading `-` is ascending, missing values first; without it they come last."""
    assert found(account, FINLAND, order="turn_over", minus=minus)[0] == first


def test_counts_come_alone_or_with_the_rows(account: Served) -> None:
    """`count=true` and `count=include`."""
    query = ProspectQuery((FINLAND,))

    async def act(client: VainuClient) -> tuple[int, int, int]:
        total, rows = await client.prospects.filter_and_count(query, soon(), limit=1)
        return await client.prospects.count(query, soon()), total, len(rows)

    assert account.use(act) == (2, 2, 1)


def test_a_list_is_streamed_to_its_end(account: Served) -> None:
    """By limit and offset; the end is where nothing comes any more, however few came before."""
    rows = account.use(lambda client: all_of(client.prospects.stream(ProspectQuery(), soon(), at_once=4)))
    assert [each.business_id for each in rows] == [each.prospect["business_id"] for each in samples().values()]
    assert [call.partition("?")[2] for call in account.calls] == [
        "limit=4&offset=0",
        "limit=4&offset=4",
        "limit=4&offset=6",
    ]


def test_many_business_ids_go_as_a_payload(account: Served) -> None:
    """Too long for an address: "Parameters can be GET parameters or POST payload" (S001)."""
    ids = [f"{number:08}" for number in range(1_000)] + ["09704098"]
    assert found(account, ProspectFilter("business_ids", ids)) == ["Oy Samlink Ab"]
    assert account.calls == ["POST /api/v1/prospects/filter/"]


@pytest.mark.parametrize(
    "query",
    [
        ProspectQuery((ProspectFilter("owner", "x"),)),  # type: ignore[arg-type]  # wrong on purpose
        ProspectQuery((ProspectFilter("city", "x", "near"),)),  # type: ignore[arg-type]  # wrong on purpose
        ProspectQuery((ProspectFilter("city", ["a", "b"]),)),
        ProspectQuery((ProspectFilter("city", ["a,b"], "in"),)),
        ProspectQuery((ProspectFilter("city", [], "in"),)),
        ProspectQuery((ProspectFilter("city", None),)),
        ProspectQuery((ProspectFilter("city", ""),)),
        ProspectQuery((FINLAND, FINLAND)),
        ProspectQuery(order="owner"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
def test_what_the_document_does_not_know_is_refused_unsent(account: Served, query: ProspectQuery) -> None:
    """A parameter that is not heeded would list everybody."""
    with pytest.raises(Refused, match="nothing was sent"):
        account.use(lambda client: client.prospects.filter(query, soon()))
    assert account.calls == []


def test_a_list_that_does_not_heed_the_offset_is_left() -> None:
    """It has no end."""
    with serving(answering([{"business_id": "1", "company_name": "a"}])) as url, pytest.raises(UnexpectedReply):
        use(url, lambda client: all_of(client.prospects.stream(ProspectQuery(), soon())))


@pytest.mark.parametrize("answer", [{}, ["x"], [{"hello": "world"}], {"results": None}, "x", None], ids=str)
@pytest.mark.parametrize("call", ["filter", "count", "all", "leads"])
def test_an_unknown_shape_is_never_an_empty_list(call: str, answer: Any) -> None:
    """200 with something else is an unexpected reply."""
    subject = "FI09704098" if call in ("all", "leads") else ProspectQuery()

    async def reply(_request: Request) -> Response:
        return JSONResponse(answer)

    with serving(Starlette(routes=[Route("/{path:path}", reply)])) as url, pytest.raises(UnexpectedReply):
        use(url, lambda client: getattr(client.prospects, call)(subject, soon(1)))


FILTERED = {
    "business_id": "25578642",
    "status": "active",
    "registration_date": "2013-8-7",
    "company_name": "Vainu. io Software Oy",
    "link": "vainu.io",
    "phone": "+358 40 8341005",
    "industry_code_2": 62,
    "industry_code": "62010",
    "municipality": "HELSINKI",
    "currency_code": "SEK",
    "turn_over": "604000.0",
    "turn_over_local": None,
    "turn_over_is_estimate": False,
    "development_of_turnover": "2007.0",
    "staff_number": "12",
    "linkedin_id": "3803996",
    "technologies": ["Apache", "Google analytics", None],
}
"""Copied in form from S001's samples of GET /prospects/filter/ and /prospect/{id}/, shortened."""
LEAD = {
    "id": 1231234,
    "prospects": [{"business_id": "01080233", "company_name": "Finnair Oyj"}],
    "datetime": "2015-12-04T13:18:43.611",
    "title": "Positiivinen tulosjulkistus Finnairilta",
    "link": "http://www.linkki.fi/liidi/",
    "tags": ["Tulosjulkistus - positiivinen"],
    "vainu_link": "https://app.vainu.io/vainu/prospect/1214074",
}
"""Copied in form from S001's sample of GET /target_group/{id}/leads/."""


def test_the_documents_own_rows_are_read() -> None:
    """A prospect of a list, and a lead of a target group."""
    read = read_prospect(FILTERED)
    assert (read.turn_over, read.staff_number, read.turn_over_is_estimate) == (604000.0, 12, False)
    assert (read.linkedin_id, read.municipality, read.profit) == ("3803996", "HELSINKI", None)
    assert read.technologies == ("Apache", "Google analytics")
    lead = read_lead(LEAD)
    assert (lead.id, lead.added, lead.tags) == (1231234, LEAD["datetime"], ("Tulosjulkistus - positiivinen",))
    assert lead.prospects == (LeadCompany("01080233", "Finnair Oyj"),)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (895766, 895766.0),
        ("1e3", 1000.0),
        *((garbage, None) for garbage in ("", "many", "nan", True, [1], "1_0", 10**400)),
    ],
)
def test_numbers_are_read_in_every_spelling_and_garbage_as_none(value: Any, number: float | None) -> None:
    """Text in v1, numbers in webhooks; what is no number is left to `document`."""
    read = read_prospect({"company_name": "x", "turn_over": value, "linkedin_id": 7, "new_field": 1})
    assert (read.turn_over, read.linkedin_id, read.document["new_field"]) == (number, "7", 1)
