"""Apptivos that spell things otherwise: other list keys, other dates, filters that do not filter."""

import json
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.contract import NotFound, UnexpectedReply
from adapters.serving import serving


class _Answers(dict[str, Any]):
    """An app that answers each action with fixed JSON, or with what a function makes of the parameters."""

    def app(self) -> Starlette:
        """The routes, below a prefix as behind a proxy."""
        return Starlette(routes=[Route("/below/{path:path}", self._answer, methods=["POST"])])

    async def _answer(self, request: Request) -> Response:
        given = {**request.query_params, **dict(parse_qsl((await request.body()).decode()))}
        reply = self.get(given["a"], {"status": "FAILURE", "reason": "Invalid action"})
        content = json.dumps(reply(given) if callable(reply) else reply)
        return Response(content, media_type="application/json")


@pytest.fixture(scope="module")
def _served():
    answers = _Answers()
    with serving(answers.app()) as url:
        yield answers, f"{url}/below"


@pytest.fixture
def answered(_served, bench_on):
    answers, url = _served

    def make(given: dict[str, Any]) -> Any:
        answers.clear()
        answers.update(given)
        return bench_on(url)

    return make


def _events(bench: Any, source: str, **settings: Any) -> list[dict[str, Any]]:
    reply = bench.run(lambda adapter, deadline: adapter.activities(source, "42", 100, deadline), **settings)
    return msgspec.to_builtins(reply.events)


@pytest.mark.parametrize("key", ["tasks", "data", "aaData", "taskList"])
def test_tasks_come_under_any_key(answered, key):
    """The list may be under its own name, data, aaData, or be the only one; countOfRecords may be missing."""
    bench = answered({"getActivitiesByAdvancedSearch": {key: [{"id": 1, "subject": "x", "endDate": 1525417886123}]}})
    assert [event["timestamp"] for event in _events(bench, "tasks")] == ["2018-05-04T07:11:26.123Z"]


@pytest.mark.parametrize(
    ("parts", "timestamp"),
    [
        (
            {"startDate": "07/10/2017", "startTimeHour": "5", "startTimeMinute": "30", "startTimeMeridian": "PM"},
            "14:30",
        ),
        ({"startDate": "2017-10-07 00:00:00", "startTimeHour": 17, "startTimeMinute": 30}, "14:30"),
        ({"startDate": "Oct 07, 2017", "startTimeHour": 12, "startTimeMinute": 0, "startTimeMeridian": 0}, "21:00"),
        ({"startDate": "2017-10-07 17:30:00", "startTimeHour": 9, "startTimeMeridian": 0}, "14:30"),
        ({"startDate": "Oct 07, 2017 05:30:00 PM"}, "14:30"),
        ({"startDate": "07/10/2017", "startTimeHour": 99}, "00:00"),
        ({"startDate": "", "endDate": None, "creationDate": "2017-10-07T17:30:00"}, "14:30"),
        ({"startDate": "Not Contacted", "creationDate": "1507386600"}, "14:30"),
    ],
)
def test_an_appointments_time_is_read_in_every_spelling(answered, parts, timestamp):
    """Date and time may lie together or apart, hours on 12 or 24; the first readable field counts."""
    bench = answered({"getActivitiesByAdvancedSearch": {"events": [{"id": 1, **parts}], "countOfRecords": 1}})
    (event,) = _events(bench, "appointments")
    assert timestamp == event["timestamp"][11:16]


def test_rows_of_other_customers_are_left_out_although_apptivo_did_not(answered):
    """Where the filter does not filter, only rows that name our customer stay; without proof of that, all stay."""
    ours = {"id": 1, "endDate": "2018-05-04", "associatedObjects": [{"objectId": 3, "objectRefId": 42}]}
    theirs = {**ours, "id": 2, "associatedObjects": [{"objectId": "3", "objectRefId": "43"}]}
    nobodys = {"id": 3, "endDate": "2018-05-04", "associatedObjects": [{"objectId": 2, "objectRefId": 42}]}
    other_type = {**ours, "id": 4, "activityType": "Follow Up"}
    bench = answered({"getActivitiesByAdvancedSearch": {"data": [ours, theirs, nobodys, other_type]}})
    assert [event["id"] for event in _events(bench, "tasks")] == ["apptivo-task-1"]
    bench = answered({"getActivitiesByAdvancedSearch": {"data": [ours, nobodys]}})
    assert [event["id"] for event in _events(bench, "tasks")] == ["apptivo-task-1", "apptivo-task-3"]


def test_rows_that_are_no_objects_are_rejected(answered):
    """A row of text drops itself, not the feed."""
    bench = answered({"getNotes": {"data": ["x", {"id": 1, "creationDate": "2018-05-04", "noteText": "kept"}]}})
    reply = bench.run(lambda adapter, deadline: adapter.activities("notes", "42", 100, deadline))
    assert ([row.reason for row in reply.rejected], [event.text for event in reply.events]) == (["shape"], ["kept"])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"salesStageName": " closed WON ", "probability": "5.00"}, ("won", 5)),
        ({"salesStageName": "Signed", "probability": "100.00"}, ("won", 100)),
        ({"salesStageName": "Signed", "probability": 0}, ("lost", 0)),
        ({"salesStageName": "Signed", "probability": ""}, ("open", None)),
        ({"salesStageName": None, "probability": 50}, ("open", 50)),
    ],
)
def test_a_firm_that_names_no_stages_is_read_by_probability(answered, row, expected):
    """Default stage names first, then 100 is won and 0 is lost, anything else open."""
    rows = [{"opportunityId": 7, "closeDate": "07/10/2017", "opportunityCustomerId": "42", "amount": "1,000.50", **row}]
    (event,) = _events(answered({"getAllByAdvancedSearch": {"data": rows, "countOfRecords": "1"}}), "opportunities")
    assert expected == (event["type"], event.get("probability_percent"))
    assert (event["id"], event["value"]) == ("apptivo-opportunity-7", 1000.5)


def test_a_firm_that_names_its_stages_is_never_guessed_at(answered):
    """With a stage list of its own, a probability of 100 or 0 decides nothing."""
    rows = [
        {"id": number, "closeDate": "07/10/2017", "salesStageName": stage, "probability": probability}
        for number, (stage, probability) in enumerate([("Signed", 10), ("Proposal", 100), ("New", 0)], start=1)
    ]
    bench = answered({"getAllByAdvancedSearch": {"data": rows, "countOfRecords": 3}})
    assert [event["type"] for event in _events(bench, "opportunities", won_stages=["signed"])] == [
        "won",
        "open",
        "open",
    ]


def test_opportunities_of_other_customers_are_left_out(answered):
    """The filter on opportunityCustomerId is checked again."""
    rows = [{"id": n, "closeDate": "07/10/2017", "opportunityCustomerId": owner} for n, owner in ((1, 42), (2, "43"))]
    bench = answered({"getAllByAdvancedSearch": {"data": rows, "countOfRecords": 2}})
    assert [event["id"] for event in _events(bench, "opportunities")] == ["apptivo-opportunity-1"]


@pytest.mark.parametrize(
    ("collaboration", "event_type", "text"),
    [
        ('{"noteText": "<b>hi</b>"}', "note", "hi"),
        ({"noteText": "hi"}, "note", "hi"),
        ("just words", "event", "just words"),
        ('"quoted"', "event", "quoted"),
        ("[1]", "event", None),
        (None, "event", None),
    ],
)
def test_news_is_read_however_it_is_encoded(answered, collaboration, event_type, text):
    """JSON in a string, an object, plain words: none of them is an error."""
    rows = [{"wallEntryId": 5, "datePosted": "1525417886123", "collabObjectJSON": collaboration}]
    (event,) = _events(answered({"getWallMessagesBySelectedEmployeeIds": {"wallEntries": rows}}), "newsfeed")
    assert (event_type, text, "2018-05-04T07:11:26.123Z") == (event["type"], event.get("text"), event["timestamp"])


def test_news_without_an_id_keeps_the_same_one(answered):
    """An id is made from the content, the same on every call."""
    rows = [{"datePosted": 1525417886, "collabObjectJSON": "{}"}]
    bench = answered({"getWallMessagesBySelectedEmployeeIds": {"wallEntries": rows}})
    assert _events(bench, "newsfeed") == _events(bench, "newsfeed")


def test_a_server_that_ignores_paging_doubles_nothing(answered):
    """The same page again and again is one page."""
    rows = [{"id": number, "creationDate": "2018-05-04", "noteText": "x"} for number in range(1, 101)]
    assert len(_events(answered({"getNotes": {"notes": rows, "countOfRecords": 250}}), "notes")) == 100
    assert len(_events(answered({"getNotes": {"notes": rows}}), "notes")) == 100


def test_pages_shorter_than_asked_for_are_followed_by_the_count(answered):
    """A server that caps its pages at 20 rows is read to the end, since countOfRecords says how many there are."""
    rows = [{"id": number, "creationDate": "2018-05-04", "noteText": "x"} for number in range(1, 51)]

    def page(given: dict[str, str]) -> dict[str, Any]:
        start = int(given["startIndex"])
        return {"data": rows[start : start + 20], "countOfRecords": 50}

    assert len(_events(answered({"getNotes": page}), "notes")) == 50


@pytest.mark.parametrize(
    "reply",
    [{"customer": {"customerId": 7}}, {"data": {"id": "7"}}, {"responseObject": {"customer": {"customerId": "7"}}},
     {"id": "7", "customerName": "x"}],
)  # fmt: skip
def test_create_reads_the_id_in_every_wrapping(answered, pushed, reply):
    """Each wrapping that phpmt knows gives the same id."""
    bench = answered({"save": reply})
    assert bench.run(lambda adapter, deadline: adapter.create(pushed(), deadline)) == "7"


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (None, False),
        ({"data": None}, False),
        ({"customer": None}, False),
        ({"data": [], "countOfRecords": 0}, False),
        ({"status": "FAILURE", "reason": "Customer does not exist"}, False),
        ({"id": "42", "customerName": "x"}, True),
        ({"data": {"customerId": 42}}, True),
    ],
)
def test_exists_understands_every_way_to_say_no(answered, reply, found):
    """Null, empty and a failure whose reason says so all mean that the customer is gone."""
    bench = answered({"getById": reply})
    assert bench.run(lambda adapter, deadline: adapter.exists("42", deadline)) is found


@pytest.mark.parametrize("reply", [{}, {"hello": "world"}, [], "none"])
def test_exists_does_not_take_nonsense_for_no(answered, reply):
    """A reply without an id leaves open whether the customer exists."""
    with pytest.raises(UnexpectedReply):
        answered({"getById": reply}).run(lambda adapter, deadline: adapter.exists("42", deadline))


def test_a_found_customer_without_an_id_stops_the_search(answered, pushed):
    """The right name without a customerId must not lead to a second customer."""
    bench = answered({"getAllByAdvancedSearch": {"data": [{"customerName": "Oy Samlink Ab"}], "countOfRecords": 1}})
    with pytest.raises(UnexpectedReply):
        bench.run(lambda adapter, deadline: adapter.find(pushed(), deadline))


def test_an_update_of_a_vanished_customer_is_not_found(answered, pushed):
    """Gone between reading and writing is still NotFound."""
    gone = {"status": "FAILURE", "reason": "Customer not found"}
    bench = answered({"getById": {"id": "42", "customerName": "x"}, "update": gone})
    with pytest.raises(NotFound):
        bench.run(lambda adapter, deadline: adapter.update("42", pushed(), deadline))


def test_text_that_no_form_can_carry_survives_an_update(answered, pushed):
    """Half a surrogate pair in a customer's text goes back as it came."""
    sent: list[dict[str, Any]] = []

    def update(given: dict[str, str]) -> dict[str, Any]:
        sent.append(json.loads(given["customerData"]))
        return {"customer": {"customerId": 42}}

    bench = answered({"getById": {"id": "42", "customerName": "x", "ownership": "\ud83d"}, "update": update})
    bench.run(lambda adapter, deadline: adapter.update("42", pushed(), deadline))
    assert sent[0]["ownership"] == "\ud83d"


NOTHING = {"status": "FAILURE", "reason": "No records found"}


def test_a_search_that_fails_for_want_of_records_is_empty(answered, pushed):
    """An Apptivo that calls an empty search a failure has no such customer: the export goes on to create it."""
    bench = answered({"getAllByAdvancedSearch": NOTHING, "getAllBySearchText": NOTHING})
    assert list(bench.run(lambda adapter, deadline: adapter.find(pushed(), deadline))) == []


@pytest.mark.parametrize("source", ["tasks", "notes", "opportunities"])
def test_a_list_that_fails_for_want_of_records_is_empty(answered, source):
    """In a feed, too, no records are no events and no failure."""
    lists = ("getActivitiesByAdvancedSearch", "getNotes", "getAllByAdvancedSearch")
    bench = answered(dict.fromkeys(lists, NOTHING))
    assert _events(bench, source) == []
