"""What each source of the feed gives, from the simulator's demo customer and from servers with other habits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.contract import NotFound, Opening, Refused, RemoteError, SourceReply, UnexpectedReply
from adapters.crmcom.adapter import CrmcomAdapter, open_adapter
from adapters.crmcom.models import EVENT_KINDS, SOURCES, CrmcomSettings
from adapters.deadline import Deadline
from adapters.serving import serving

OK = {"code": "OK", "message": "", "description": None}


def soon() -> Deadline:
    return Deadline.after(10)


async def all_sources(adapter: CrmcomAdapter, record_id: str) -> dict[str, SourceReply]:
    replies = await asyncio.gather(*(adapter.activities(name, record_id, 200, soon()) for name in adapter.sources))
    return dict(zip(adapter.sources, replies, strict=True))


@pytest.fixture(scope="module")
def lively(start: Any, company: Any) -> Any:
    """A simulator with one lively customer, and that customer's feed."""
    server = start(zone=ZoneInfo("Europe/Helsinki"), now=lambda: 1_750_000_000.0)

    async def live(adapter: CrmcomAdapter) -> tuple[str, dict[str, SourceReply]]:
        record_id = await adapter.create(company(), soon())
        await adapter.add_details(record_id, company(), soon())
        return record_id, await all_sources(adapter, record_id)

    return server, *server.run(live)


@pytest.fixture
def customer(lively: Any) -> Iterator[Any]:
    """The same for each test; its faults end with it."""
    yield lively
    lively[0].control("DELETE", "/_faults")


def test_the_sources_are_the_contracts() -> None:
    """Names and order of CONTRACT section 6."""
    named = "communications leads achievements purchases referrals social_media web financial_achievements activities"
    assert " ".join(SOURCES) == named


def test_every_source_gives_events_with_unique_ids(customer: Any) -> None:
    """All nine have something to show; ids are `crmcom-<kind>-<id>`."""
    _server, _record_id, replies = customer
    assert all(reply.events for reply in replies.values())
    ids = [event.id for reply in replies.values() for event in reply.events]
    assert len(ids) == len(set(ids))
    kinds = {event_id.split("-")[1] for event_id in ids}
    assert kinds == {"communication", "lead", "activity", *EVENT_KINDS.values()}


def test_communications_take_their_type_from_the_medium(customer: Any) -> None:
    """EMAIL, PHONE and FACE_TO_FACE have types of their own, SMS and LETTER are activities; HTML becomes text."""
    events = customer[2]["communications"].events
    assert [event.type for event in events] == ["email", "call", "meeting", "activity", "activity"]
    assert events[0].text == "Hello,\nour offer is attached & valid for 30 days."
    assert events[0].user_email == "anna.admin@example.com"


def test_leads_are_deals(customer: Any) -> None:
    """States in any spelling; a cancelled lead is lost, and says so; values are numbers."""
    events = customer[2]["leads"].events
    assert [event.type for event in events] == ["won", "lost", "open", "lost"]
    assert [event.value for event in events] == [12000, 8000, 4500.5, None]
    assert [event.probability_percent for event in events] == [100, 0, 60, None]
    assert {event.currency for event in events} == {"EUR"}
    assert events[3].text == "Cancelled"


def test_customer_events_are_events_and_carry_no_value(customer: Any) -> None:
    """A deal's fields are for leads only."""
    for kind in EVENT_KINDS:
        (event,) = customer[2][kind].events
        assert (event.type, event.value, event.currency) == ("event", None, "")
    (purchase,) = customer[2]["purchases"].events
    assert (purchase.header, purchase.text) == ("Purchase RF01", "Total 240.0 EUR")


def test_an_unreadable_date_drops_one_event_only(customer: Any) -> None:
    """It is rejected with its reason; the other activity is there."""
    reply = customer[2]["activities"]
    assert [event.header for event in reply.events] == ["Prepare the demo"]
    assert [rejected.reason for rejected in reply.rejected] == ["unreadable"]


def test_times_are_read_in_the_firms_zone(customer: Any) -> None:
    """2025-06-15 15:06:40 UTC minus a day, written on Helsinki's clocks by the server."""
    (event,) = customer[2]["activities"].events
    assert event.timestamp == "2025-06-14T15:06:40.000Z"


def test_six_sources_look_the_account_up_once(customer: Any) -> None:
    """accounts_receivable/list is asked once per feed, not six times."""
    server, record_id, _replies = customer
    before = len(server.sent("accounts_receivable/list"))
    server.run(lambda adapter: all_sources(adapter, record_id))
    assert len(server.sent("accounts_receivable/list")) == before + 1


def test_the_accounts_of_a_customer_are_asked_at_the_same_time(server: Any, company: Any) -> None:
    """Three accounts on a server that takes 0.6 s an answer fit into 1.5 s; the events of all come."""

    async def feed(adapter: CrmcomAdapter) -> SourceReply:
        record_id = await adapter.create(company(), soon())
        accounts = [{"id": f"A{n}", "number": f"{n}", "account_owner": {"id": record_id}} for n in range(3)]
        server.state.tables["accounts_receivable"] += accounts
        server.state.tables["customer_events/purchases"] += [
            {"id": f"P{n}", "accounts_receivable": account, "performed_on": "2025-06-14T15:06:40"}
            for n, account in enumerate(accounts)
        ]
        await adapter.activities("web", record_id, 200, soon())
        server.fault("delay", "purchases/list", seconds=0.6)
        return await adapter.activities("purchases", record_id, 200, Deadline.after(1.5))

    assert [event.id for event in server.run(feed).events] == [f"crmcom-purchase-P{n}" for n in range(3)]


def test_a_customer_without_account_truly_has_no_customer_events(server: Any, company: Any) -> None:
    """Six empty sources, without a call to any of them."""

    async def feed(adapter: CrmcomAdapter) -> dict[str, SourceReply]:
        return await all_sources(adapter, await adapter.create(company(), soon()))

    assert all(reply == SourceReply() for reply in server.run(feed).values())
    assert server.sent("customer_events/") == []


def test_pages_are_read_until_a_short_one(server: Any, company: Any) -> None:
    """The newest may come last, so all are read; `max_rows` bounds it."""

    async def prepare(adapter: CrmcomAdapter) -> str:
        return await adapter.create(company(), soon())

    record_id = server.run(prepare)
    owner = {"id": record_id}
    server.state.tables["leads"] += [
        {"id": f"L{n}", "contact_information": owner, "life_cycle_state": "WON", "created_date": 1_600_000_000 + n}
        for n in range(20)
    ]
    for settings, expected in (({"page_size": 7}, 20), ({"page_size": 10}, 20), ({"page_size": 5, "max_rows": 9}, 10)):
        reply = server.run(lambda adapter: adapter.activities("leads", record_id, 5, soon()), **settings)
        assert len(reply.events) == expected


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("fault", ["html", "empty", "nonsense", "429", "500", "drop"])
def test_a_source_that_fails_is_never_empty(customer: Any, source: str, fault: str) -> None:
    """Each fault is an error of the contract's tree."""
    server, record_id, _replies = customer
    server.fault(fault, f"{source}/list")
    with pytest.raises(RemoteError):
        server.run(lambda adapter: adapter.activities(source, record_id, 200, soon()))


def test_an_unknown_customer_is_not_found(server: Any) -> None:
    """CRM.COM says so; the gateway answers 404."""
    with pytest.raises(NotFound):
        server.run(lambda adapter: adapter.activities("leads", "NONE", 200, soon()))


@contextmanager
def dialect(replies: dict[str, Any]) -> Iterator[str]:
    """A server that answers each method with fixed JSON, after a sign-in without quirks."""

    async def answer(request: Request) -> Response:
        method = request.path_params["method"]
        if method.startswith("authentication"):
            return JSONResponse({"status": {"code": "ok"}, "data": {"token": "T" * 32}})
        given = replies[method]
        return given if isinstance(given, Response) else JSONResponse(given)

    with serving(Starlette(routes=[Route("/r/{method:path}", answer, methods=["GET", "POST"])])) as url:
        yield f"{url}/r"


def ask(url: str, act: Any) -> Any:
    async def whole() -> Any:
        settings = {"base_url": url, "username": "u", "password": "secret-pw", "organisation": "o"}
        adapter = open_adapter(Opening(CrmcomSettings.model_validate(settings), ZoneInfo("Europe/Helsinki")))
        try:
            return await act(adapter)
        finally:
            await adapter.aclose()

    return asyncio.run(whole())


ROW = {"id": 7, "state": "won", "target_amount": "1 234,50", "actual_completion_date": 1_525_417_886_123}


@pytest.mark.parametrize(
    "reply",
    [
        {"status": OK, "data": [ROW]},
        {"data": {"leads_set": [ROW]}, "status": OK},
        {"data": {"leads": [ROW], "links": []}, "status": OK},
        {"data": {"result": [ROW], "count": 1}, "status": OK},
        {"leads_set": [ROW]},
    ],
)
def test_lists_are_read_in_every_spelling(reply: Any) -> None:
    """data as array, under the set's name, under any one name, and without the envelope; dates as epoch."""
    with dialect({"leads/list": reply}) as url:
        (event,) = ask(url, lambda adapter: adapter.activities("leads", "X", 10, soon())).events
    assert (event.id, event.type, event.value) == ("crmcom-lead-7", "won", 1234.5)
    assert event.timestamp == "2018-05-04T07:11:26.123Z"


@pytest.mark.parametrize("reply", [{"status": OK}, {"status": OK, "data": {}}, {"data": []}, [], "text", None])
def test_lists_of_unknown_shape_are_unexpected(reply: Any) -> None:
    """OK with nothing that could be the list is an UnexpectedReply."""
    with dialect({"leads/list": reply}) as url, pytest.raises(UnexpectedReply):
        ask(url, lambda adapter: adapter.activities("leads", "X", 10, soon()))


def test_rows_of_others_are_left_out_and_rows_without_date_use_the_log() -> None:
    """A server that ignores the filter shows nobody else's events; log_information dates what has no date."""
    rows = [
        {"id": "A", "media": "phone", "contact_information": {"id": "OTHER"}, "date": "2020-01-01"},
        {"id": "B", "media": "Face to face", "log_information": {"created_date": "2014-11-13T18:12:09"}},
        "no object",
    ]
    with dialect({"communications/list": {"status": OK, "data": rows}}) as url:
        reply = ask(url, lambda adapter: adapter.activities("communications", "X", 10, soon()))
    (event,) = reply.events
    assert (event.id, event.type, event.timestamp) == ("crmcom-communication-B", "meeting", "2014-11-13T16:12:09.000Z")
    assert [rejected.reason for rejected in reply.rejected] == ["shape"]


def test_a_server_that_ignores_paging_is_not_asked_for_ever() -> None:
    """Before R13 every page is the first one."""
    rows = [{"id": str(n), "state": "WON", "date": 1, "created_date": 1} for n in range(100)]
    with dialect({"leads/list": {"status": OK, "data": rows}}) as url:
        reply = ask(url, lambda adapter: adapter.activities("leads", "X", 10, soon()))
    assert len(reply.events) == 100


@pytest.mark.parametrize("source", ["activities", "purchases"])
def test_a_method_that_the_server_lacks_is_refused_not_empty(source: str) -> None:
    """An HTTP 404 on a list speaks of the method: neither "no such customer" nor "no events"."""
    gone = Response("<html>404</html>", 404)
    replies = {"activities/list": gone, "accounts_receivable/list": gone}
    with dialect(replies) as url, pytest.raises(Refused, match="does not know") as caught:
        ask(url, lambda adapter: adapter.activities(source, "X", 10, soon()))
    assert not isinstance(caught.value, NotFound)


def test_emails_set_in_replies_is_read(company: Any) -> None:
    """A client reads emails_set where the create body says email_set (upstream-apis 2.6): nothing is doubled."""
    record = {
        "id": "X",
        "company_name": "Vainu Oy",
        "notes": "there",
        "registration_number": "2822996-6",
        "vat_registration_number": "FI28229966",
        "emails_set": [{"email": "INFO@vainu.example"}],
        "phones_set": [{"number": "+358 (9) 548-050"}],
        "addresses_set": [{"street_name": "linnoitustie 9", "postal_code": "02600", "town_city": "Espoo"}],
    }
    update = JSONResponse({"status": {"code": "NOBODY_SHOULD_ASK"}})
    with dialect({"contact_information/show": record, "contact_information/update": update}) as url:
        ask(url, lambda adapter: adapter.update("X", company(), soon()))


def test_an_update_that_changes_nothing_is_a_success(company: Any) -> None:
    """CRM.COM's code for it, dotted and in capitals, is no failure."""
    code = "COM.CRM.EXCEPTION.CONTACTS.ATLEASTONEOFTHEFIELDSMUSTBEAMENDEDEXCEPTION"
    record = {"status": OK, "data": {"id": "X", "company_name": "Old"}}
    update = {"status": {"code": code, "message": "Nothing to do", "description": None}}
    with dialect({"contact_information/show": record, "contact_information/update": update}) as url:
        ask(url, lambda adapter: adapter.update("X", company(), soon()))


def test_http_401_is_a_dead_token_first(company: Any) -> None:
    """A proxy that answers 401 costs one sign-in, then the credentials are bad; never twice."""
    del company
    with dialect({"contact_information/show": Response("denied", 401)}) as url:

        async def ask_twice(adapter: CrmcomAdapter) -> list[str]:
            reasons = []
            for _attempt in range(2):
                with pytest.raises(RemoteError) as caught:
                    await adapter.exists("X", soon())
                reasons.append(caught.value.reason)
            return reasons

        assert ask(url, ask_twice) == ["credentials", "credentials"]
