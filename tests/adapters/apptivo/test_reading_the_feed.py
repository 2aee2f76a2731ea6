"""The activity feed: every source, every date format, on the simulator over real HTTP."""

from typing import Any

import pytest

from adapters.contract import Refused

SOURCES = ("tasks", "appointments", "followups", "calls", "notes", "emails", "opportunities", "newsfeed")


def _feed(bench: Any, pushed: Any, **settings: Any) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[Any]]]:
    import msgspec

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        return {source: await adapter.activities(source, record_id, 200, deadline) for source in adapter.sources}

    replies = bench.run(act, **settings)
    events = {source: msgspec.to_builtins(reply.events) for source, reply in replies.items()}
    return events, {source: reply.rejected for source, reply in replies.items()}


def test_the_sources_are_those_of_the_contract(bench):
    """Eight sources, named as CONTRACT section 6 prints them."""

    async def act(adapter, _deadline):
        return adapter.sources

    assert bench.run(act) == SOURCES


def test_activities_become_events_with_their_own_times(bench, pushed):
    """Due day for a task, clock time for an appointment and a call, a day without time for a whole-day fair."""
    events, _rejected = _feed(bench, pushed)
    assert [(event["type"], event["header"], event["timestamp"], event["hide_time"]) for event in events["tasks"]] == [
        ("task", "Send the offer", "2026-03-04T00:00:00.000Z", True)
    ]
    demo, fair = events["appointments"]
    assert (
        demo["type"],
        demo["timestamp"],
        demo["location"],
        demo["user_email"],
    ) == ("meeting", "2026-02-26T12:30:00.000Z", "Helsinki", "sales@example.com")
    assert "hide_time" not in demo
    assert (fair["timestamp"], fair["hide_time"]) == ("2026-03-22T00:00:00.000Z", True)
    assert [(event["type"], event["icon"]) for event in events["followups"]] == [("activity", "deadline")]
    assert [(event["type"], event["timestamp"], event["text"]) for event in events["calls"]] == [
        ("call", "2026-02-18T07:05:00.000Z", "Interested, wants a demo.")
    ]


def test_a_date_nobody_can_read_drops_that_event_only(bench, pushed):
    """The task without any readable date is rejected with its reason; its neighbour stays."""
    events, rejected = _feed(bench, pushed)
    (refused,) = rejected["tasks"]
    assert refused.reason == "unreadable"
    assert "Not Contacted" in refused.detail
    assert refused.id.startswith("apptivo-task-")
    assert len(events["tasks"]) == 1
    assert [row for source in SOURCES[1:] for row in rejected[source]] == []


def test_notes_and_emails_are_plain_text(bench, pushed):
    """HTML becomes text, and the two date formats of notes read alike."""
    events, _rejected = _feed(bench, pushed)
    first, second = events["notes"]
    assert first["text"] == "Met the CFO & agreed on a pilot.\n10 users"
    assert (first["timestamp"], second["timestamp"]) == ("2026-02-21T10:00:00.000Z", "2026-01-21T10:00:00.000Z")
    (email,) = events["emails"]
    assert (
        email["type"],
        email["header"],
        email["text"],
        email["user_email"],
    ) == ("email", "Your offer", "Dear Jane,\nas agreed, the offer.", "sales@example.com")


def test_opportunities_are_won_lost_or_open_with_their_value(bench, pushed):
    """Closed deals stand at their close date, open ones at their last change; probabilities may be text."""
    events, _rejected = _feed(bench, pushed)
    assert [
        (event["type"], event["value"], event["currency"], event["probability_percent"], event["timestamp"])
        for event in events["opportunities"]
    ] == [
        ("won", 2000, "EUR", 100, "2026-01-01T00:00:00.000Z"),
        ("lost", 500.5, "EUR", 0, "2026-01-16T00:00:00.000Z"),
        ("open", 12000, "EUR", 20, "2026-02-25T10:00:00.000Z"),
    ]


def test_the_news_feed_is_decoded_twice(bench, pushed):
    """collabObjectJSON is JSON inside a string; a note in it is a note, anything else an event."""
    events, _rejected = _feed(bench, pushed)
    assert [(event["type"], event.get("header"), event["timestamp"]) for event in events["newsfeed"]] == [
        ("event", "Status changed", "2026-02-22T12:00:00.000Z"),
        ("note", None, "2026-01-31T10:00:00.000Z"),
    ]


def test_ids_are_unique_and_carry_apptivos_own(bench, pushed):
    """`apptivo-<kind>-<id>`, no id twice in the whole feed."""
    events, _rejected = _feed(bench, pushed)
    ids = [event["id"] for source in SOURCES for event in events[source]]
    assert len(ids) == len(set(ids))
    tasks = [row["id"] for row in bench.state.tables["activities"] if row["subject"] == "Send the offer"]
    assert f"apptivo-task-{tasks[0]}" in ids


def test_the_firms_date_order_decides(bench, pushed, monkeypatch):
    """04/03 is 4 March to one firm and 3 April to another; a setting tells, never a guess."""
    monkeypatch.setattr(bench.state, "date_order", "MDY")
    events, _rejected = _feed(bench, pushed, date_order="MDY")
    assert events["tasks"][0]["timestamp"] == "2026-03-04T00:00:00.000Z"


def test_the_connections_zone_decides(bench, pushed):
    """No value carries an offset: the same clock time is another moment in another zone."""
    events, _rejected = _feed(bench, pushed, zone="America/New_York")
    assert events["appointments"][0]["timestamp"] == "2026-02-26T19:30:00.000Z"


def test_only_the_customers_own_rows_come(bench, pushed):
    """Another customer's feed does not leak in, although all sources hold rows of both."""

    async def act(adapter, deadline):
        first = await adapter.create(pushed("First Oy"), deadline)
        await adapter.create(pushed("Second Oy"), deadline)
        replies = [await adapter.activities(source, first, 200, deadline) for source in adapter.sources]
        return sum(len(reply.events) for reply in replies)

    assert bench.run(act) == 13


def test_more_rows_than_a_page_are_all_read(bench, pushed):
    """250 notes come on three pages."""

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        (note, *_rest) = bench.state.tables["notes"]
        for _number in range(250):
            bench.state.insert("notes", note)
        return await adapter.activities("notes", record_id, 300, deadline)

    assert len(bench.run(act).events) == 252
    assert len(bench.lines("getNotes")) == 3


def test_a_search_that_apptivo_refuses_is_asked_the_other_way(bench, pushed, monkeypatch):
    """Where getActivitiesByAdvancedSearch is refused, getAllActivities is asked, the action with a known reply."""
    from adapters.apptivo import simulator

    actions = {key: act for key, act in simulator._ACTIONS.items() if key[1] != "getActivitiesByAdvancedSearch"}
    monkeypatch.setattr(simulator, "_ACTIONS", actions)
    events, _rejected = _feed(bench, pushed)
    assert len(events["tasks"]) == 1
    assert len(events["appointments"]) == 2


def test_a_source_can_be_corrected_and_switched_off(bench, pushed):
    """What is guessed is a setting: another action for calls, and no e-mails at all."""
    actions = {"calls": {"action": "getAllActivities", "list_keys": ["callLogs"]}, "emails": {"action": ""}}
    events, _rejected = _feed(bench, pushed, actions=actions)
    assert "emails" not in events
    assert len(events["calls"]) == 1
    assert len(bench.lines("a=getAllActivities")) == 1


def test_an_unknown_source_is_refused(bench):
    """Nothing but a RemoteError leaves the adapter, whatever it is asked."""
    with pytest.raises(Refused, match="no source tickets"):
        bench.run(lambda adapter, deadline: adapter.activities("tickets", "1", 10, deadline))
