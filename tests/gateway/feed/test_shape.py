"""What a feed looks like on the wire (CONTRACT section 6)."""

import json
import re
from typing import Any, get_args

import pytest

from adapters.contract import EventType, Icon
from adapters.vainu.samples import samples
from tests.harness import wait_until

FIELDS = [
    *("id", "timestamp", "type", "header", "text", "icon", "user_email", "location", "hide_time"),
    *("value", "currency", "probability_percent"),
]
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_KINDS = {
    "acme": ("task", "appointment", "followup", "call", "note", "email", "opportunity", "newsfeed"),
    "globex": (
        *("communication", "lead", "achievement", "purchase", "referral", "social_media", "web"),
        *("financial_achievement", "activity"),
    ),
}
both = pytest.mark.parametrize("connection", ["acme", "globex"])


@pytest.fixture(scope="module")
def pushed(running_scene: Any) -> dict[str, str]:
    """The unique_id of a company that Vainu pushed to each CRM, where the simulators give it a lively feed."""
    body = samples()["samlink"].push_body()
    found = {name: running_scene.gateway.push(name, body).json()["unique_id"] for name in ("acme", "globex")}
    events = running_scene.simulators["crmcom"].state.tables["customer_events/web"]
    # the account receivable, on which customer events hang, follows the answer to the push
    wait_until(lambda: events, "the account receivable is made")
    return found


@both
def test_a_feed_is_a_bare_array_of_known_fields_in_order(scene: Any, pushed: dict[str, str], connection: str) -> None:
    """The raw bytes hold one array; each event has its fields in the contract's order, and no empty one."""
    reply = scene.feed(connection, pushed[connection])
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.content[:1] == b"["
    assert b"null" not in reply.content
    events = json.loads(reply.content, object_pairs_hook=lambda pairs: pairs)
    assert len(events) >= 10
    for pairs in events:
        names = [name for name, _value in pairs]
        assert names == [name for name in FIELDS if name in names]
        assert {"id", "timestamp", "type"} <= set(names)
        assert all(value not in ("", None, False, [], {}) for _name, value in pairs if _name != "probability_percent")


@both
def test_every_value_is_of_its_kind(scene: Any, pushed: dict[str, str], connection: str) -> None:
    """Types and icons come from Vainu's lists, times are UTC with milliseconds, money belongs to deals."""
    for event in scene.feed(connection, pushed[connection]).json():
        assert _TIMESTAMP.fullmatch(event["timestamp"])
        assert event["type"] in get_args(EventType)
        assert event.get("icon", "note") in get_args(Icon)
        assert event.get("hide_time", True) is True
        deal = {"value", "currency", "probability_percent"} & event.keys()
        assert not deal or event["type"] in ("won", "lost", "open")
        assert all(type(event[name]) in (int, float) for name in deal - {"currency"})
        assert re.fullmatch("[A-Z]{3}", event.get("currency", "EUR"))
        for name in ("header", "text", "user_email", "location"):
            text = event.get(name, "-")
            assert len(text) <= 10_000
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]|<\w", text)


@both
def test_a_feed_is_newest_first_and_the_same_on_every_call(scene: Any, pushed: dict[str, str], connection: str) -> None:
    """Sorted by time, descending, then id, ascending; ids are unique and do not change."""
    first, second = (scene.feed(connection, pushed[connection]) for _ in range(2))
    events = first.json()
    by_id = sorted(events, key=lambda event: event["id"])
    assert events == sorted(by_id, key=lambda event: event["timestamp"], reverse=True)
    assert len({event["id"] for event in events}) == len(events)
    assert first.content == second.content


@both
def test_ids_tell_source_kind_and_the_crms_id(scene: Any, pushed: dict[str, str], connection: str) -> None:
    """`<source>-<kind>-<CRM's id>`; every source of the CRM has its kind."""
    simulator = scene.simulator(connection)
    held = {str(row.get("id")) for table in simulator.state.tables.values() for row in table}
    kinds = set()
    prefix = {"acme": "apptivo", "globex": "crmcom"}[connection]
    for event in scene.feed(connection, pushed[connection]).json():
        source, kind, crm_id = event["id"].split("-", 2)
        assert source == prefix
        assert crm_id in held
        kinds.add(kind)
    assert kinds == set(_KINDS[connection])


def test_ties_are_broken_by_id_ascending(scene: Any) -> None:
    """Events of one moment stand in the order of their ids, whatever source they are from."""
    stamp = "2026-03-05 10:00:00"
    customer = scene.customer(
        "acme",
        notes=[{"noteText": n, "creationDate": stamp} for n in "abc"],
        emails=[{"subject": "e", "sentDate": stamp}],
        tasks=[{"subject": "t", "endDate": stamp}, {"subject": "later", "endDate": "2026-03-05 10:00:01"}],
    )
    ids = [event["id"] for event in scene.feed("acme", customer).json()]
    assert ids[0].startswith("apptivo-task-")
    assert ids[1:] == sorted(ids[1:])
    assert [each.split("-")[1] for each in ids[1:]] == ["email", "note", "note", "note", "task"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<p>Hello&nbsp;<b>you</b> &amp; me</p><script>alert(1)</script>", "Hello you & me"),
        ("a\x00b\x07c\x7f\x9b", "abc"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<a href='javascript:x()'>click</a>", "click"),
        ("  \u00e4\u20ac\U0001f600  ", "\u00e4\u20ac\U0001f600"),
        ("x" * 12_000, "x" * 10_000),
    ],
)
@both
def test_a_crms_text_is_shown_as_plain_text(scene: Any, connection: str, written: str, shown: str) -> None:
    """HTML becomes text, control characters go, at most 10,000 characters remain."""
    if connection == "acme":
        customer = scene.customer("acme", notes=[{"noteText": written, "creationDate": "2026-03-05 10:00:00"}])
    else:
        row = {"subject": "s", "media": "EMAIL", "notes": written, "log_information": {"created_date": "2026-03-05"}}
        customer = scene.customer("globex", communications=[row])
    reply = scene.feed(connection, customer)
    (event,) = reply.json()
    assert event["text"] == shown


def test_deals_carry_value_currency_and_probability_as_numbers(scene: Any) -> None:
    """Apptivo's "100.00" and "12000.00" become numbers; a deal without them has none."""
    rows = [
        {"salesStageName": "Closed Won", "probability": "100.00", "amount": "12000.00", "currencyCode": "EUR"},
        {"salesStageName": "Closed Lost", "probability": 0, "amount": 500.5, "currencyCode": "usd"},
        {"salesStageName": "Proposal", "probability": "20.00", "amount": "", "currencyCode": None},
        {"salesStageName": "Proposal", "probability": "often", "amount": "much", "currencyCode": "E"},
    ]
    days = [{**row, "closeDate": f"0{9 - n}/03/2026"} for n, row in enumerate(rows)]
    won, lost, open_, odd = scene.feed("acme", scene.customer("acme", opportunities=days)).json()
    deal = ("type", "value", "currency", "probability_percent")
    assert [won.get(name) for name in deal] == ["won", 12000, "EUR", 100]
    assert [lost.get(name) for name in deal] == ["lost", 500.5, "USD", 0]
    assert [open_.get(name) for name in deal] == ["open", None, None, 20]
    assert [odd.get(name) for name in deal] == ["open", None, None, None]


def test_a_crmcom_lead_is_a_deal_by_its_state(scene: Any) -> None:
    """Won, lost, cancelled and in progress, however the state is spelt."""
    states = ["WON", "Lost", "in_progress", "Pending", "CANCELLED"]
    rows = [
        {"name": state, "life_cycle_state": state, "target_amount": "10.50", "probability_to_win": "5"}
        | {"log_information": {"created_date": "2026-03-05T10:00:00"}}
        for state in states
    ]
    events = scene.feed("globex", scene.customer("globex", leads=rows)).json()
    assert {event["header"]: event["type"] for event in events} == dict(
        zip(states, ("won", "lost", "open", "open", "lost"), strict=True)
    )
    assert all((event["value"], event["probability_percent"]) == (10.5, 5) for event in events)


def test_a_date_alone_hides_the_time(scene: Any) -> None:
    """The day starts at midnight UTC and `hide_time` is true; with a time of day the field is absent."""
    customer = scene.customer(
        "acme",
        tasks=[{"subject": "day", "endDate": "07/03/2026"}, {"subject": "time", "endDate": "2026-03-06 10:00:00"}],
    )
    day, time = scene.feed("acme", customer).json()
    assert (day["timestamp"], day["hide_time"]) == ("2026-03-07T00:00:00.000Z", True)
    assert (time["timestamp"], "hide_time" in time) == ("2026-03-06T08:00:00.000Z", False)


@pytest.mark.parametrize(
    ("connection", "row", "timestamp"),
    [
        ("acme", {"endDate": "2026-01-15 10:00:00"}, "2026-01-15T08:00:00.000Z"),
        ("acme", {"endDate": "2026-07-15 10:00:00"}, "2026-07-15T07:00:00.000Z"),
        ("acme", {"endDate": "2026-03-29 03:30:00"}, "2026-03-29T01:30:00.000Z"),
        ("acme", {"endDate": "2026-10-25 03:30:00"}, "2026-10-25T00:30:00.000Z"),
        ("acme", {"endDate": "Oct 07, 2026 05:44:26 PM"}, "2026-10-07T14:44:26.000Z"),
        ("acme", {"endDate": "2026-10-07T17:44:26.9999+05:30"}, "2026-10-07T12:14:26.999Z"),
        ("acme", {"endDate": 1525417886123}, "2018-05-04T07:11:26.123Z"),
        ("acme", {"endDate": "1525417886"}, "2018-05-04T07:11:26.000Z"),
        ("acme-ny", {"endDate": "2026-03-08 02:30:00"}, "2026-03-08T07:30:00.000Z"),
        ("acme-ny", {"endDate": "2026-11-01 01:30:00"}, "2026-11-01T05:30:00.000Z"),
        ("acme-ny", {"endDate": "07/10/2026"}, "2026-07-10T00:00:00.000Z"),
        ("acme", {"endDate": "07/10/2026"}, "2026-10-07T00:00:00.000Z"),
    ],
)
def test_times_without_an_offset_are_of_the_connections_zone(
    scene: Any, connection: str, row: dict[str, Any], timestamp: str
) -> None:
    """Clock changes included: a time that occurs twice is the first, one that is skipped moves forward."""
    (event,) = scene.feed(connection, scene.customer(connection, tasks=[{"subject": "x", **row}])).json()
    assert event["timestamp"] == timestamp


@pytest.mark.parametrize(
    ("local", "timestamp"),
    [("2026-03-29T03:30:00", "2026-03-29T01:30:00.000Z"), ("2026-10-25T03:30:00", "2026-10-25T00:30:00.000Z")],
)
def test_crmcoms_local_times_are_of_the_connections_zone(scene: Any, local: str, timestamp: str) -> None:
    """As for Apptivo."""
    (event,) = scene.feed("globex", scene.customer("globex", purchases=[{"performed_on": local}])).json()
    assert event["timestamp"] == timestamp


@both
def test_a_refused_timestamp_costs_one_event_and_is_counted(scene: Any, connection: str) -> None:
    """The rest of the feed stays; the header says how many are missing."""
    times = ["2026-03-05T10:00:00", "Not Contacted", "", None, True, "2026-02-30", "10000-01-01", {"day": 1}]
    if connection == "acme":
        customer = scene.customer("acme", notes=[{"noteText": "n", "creationDate": time} for time in times])
    else:
        customer = scene.customer("globex", purchases=[{"performed_on": time} for time in times])
    reply = scene.feed(connection, customer)
    assert len(reply.json()) == 1
    assert reply.headers["Gateway-Rejected-Events"] == "7"
    assert "Gateway-Partial" not in reply.headers


@both
def test_a_feed_without_refusals_has_no_such_header(scene: Any, connection: str) -> None:
    """The header is there only where something is missing."""
    assert "Gateway-Rejected-Events" not in scene.feed(connection, scene.one_of_each(connection)).headers
