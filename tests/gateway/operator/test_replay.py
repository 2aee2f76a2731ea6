"""Replays by operators: one, some, all that match; counted first, done once, written down."""

from typing import Any

from tests.gateway.operator.conftest import Desk
from tests.harness import OPERATOR, wait_until


def states(desk: Desk) -> dict[int, str]:
    """The state of every delivery."""
    return {each["id"]: each["state"] for each in desk.get("deliveries", limit=200)["items"]}


def all_done(desk: Desk, ids: list[int]) -> None:
    wait_until(lambda: {states(desk)[each] for each in ids} == {"done"}, "the replays are done")


def ids_of(outcome: dict[str, Any]) -> list[int]:
    return sorted(each["id"] for each in outcome["deliveries"])


def test_a_dry_run_counts_exactly_what_is_replayed(desk: Desk) -> None:
    """By filter: the dry run changes nothing and names the same deliveries; what comes later is left out by `up_to`."""
    desk.dead("One Oy", "Two Oy", "Three Oy")
    order = {"filter": {"connection": "acme", "reason": "server_fault"}}
    before = states(desk)

    counted = desk.post("deliveries/replay", {**order, "dry_run": True})
    assert (counted["count"], counted["dry_run"], states(desk)) == (3, True, before)
    assert ids_of(counted) == sorted(before)
    desk.dead("Late Oy")
    done = desk.post("deliveries/replay", {**order, "up_to": counted["up_to"]})
    assert (done["count"], ids_of(done)) == (3, ids_of(counted))
    all_done(desk, ids_of(done))
    assert list(states(desk).values()).count("dead") == 1, "the late one"
    names = [row["customerName"] for row in desk.upstream.records("apptivo")["customers"]]
    assert sorted(names) == ["One Oy", "Three Oy", "Two Oy"]


def test_those_named_are_replayed_and_the_others_told(desk: Desk) -> None:
    """By number and by an export's id; what is not there is named, what is not finished is left."""
    export_ids = desk.dead("One Oy", "Two Oy")
    desk.upstream.fault("crmcom", "503", match="contact_information")
    desk.gateway.push("globex", {"company_name": "Waiting Oy"})
    numbers = sorted(states(desk))
    waiting = next(number for number, state in states(desk).items() if state == "pending")
    order = {"deliveries": [numbers[0], export_ids[1], waiting, 4711, "whk_" + "0" * 26]}

    counted = desk.post("deliveries/replay", {**order, "dry_run": True})
    done = desk.post("deliveries/replay", order)
    for outcome in (counted, done):
        assert (outcome["count"], ids_of(outcome)) == (2, numbers[:2])
        assert [each["id"] for each in outcome["left"]] == [waiting]
        assert outcome["missing"] == ["4711", "whk_" + "0" * 26]
    all_done(desk, numbers[:2])
    assert states(desk)[waiting] == "pending"


def test_one_is_replayed_under_its_own_address(desk: Desk) -> None:
    """Its timeline then shows the replay and the second attempt."""
    desk.dead("Dead Oy")
    (line,) = desk.get("dead-letters")["items"]

    assert desk.post(f"deliveries/{line['id']}/replay", {"dry_run": True})["count"] == 1
    assert desk.post(f"deliveries/{line['id']}/replay", {})["count"] == 1
    all_done(desk, [line["id"]])
    timeline = desk.get(f"deliveries/{line['id']}")["timeline"]
    assert [each["what"] for each in timeline] == ["received", "attempt", "replayed", "attempt", "finished"]
    assert [each["outcome"] for each in timeline if each["what"] == "attempt"] == ["server_fault", "ok"]
    assert desk.send("deliveries/4711/replay", {}).status_code == 404


def test_a_search_says_which_too(desk: Desk) -> None:
    """What the list's search finds can be replayed by it."""
    desk.dead("One Oy", "Two Oy")

    assert desk.post("deliveries/replay", {"filter": {"q": "two"}, "dry_run": True})["count"] == 1
    assert desk.post("deliveries/replay", {"filter": {"q": "nobody"}})["count"] == 0
    assert desk.post("deliveries/replay", {"filter": {}, "all": True, "dry_run": True})["count"] == 2
    assert desk.post("deliveries/replay", {"filter": {"state": ["done"]}, "all": True})["count"] == 0


def test_every_replay_is_in_the_audit_log(desk: Desk) -> None:
    """Who, what, from where, how many; a dry run and a refused order are none."""
    desk.dead("One Oy", "Two Oy")
    numbers = sorted(states(desk))
    desk.post("deliveries/replay", {"filter": {"connection": "acme"}, "dry_run": True})
    desk.send("deliveries/replay", {"filter": {}})
    desk.post("deliveries/replay", {"deliveries": [numbers[0]]})
    desk.post("deliveries/replay", {"filter": {"connection": "acme", "reason": "server_fault"}})

    log = desk.get("audit")["items"]
    assert [(each["action"], each["target"], each["outcome"], each["detail"]) for each in log] == [
        ("replay", "connection=acme&reason=server_fault", "done", "1 replayed"),
        ("replay", "connection=acme&reason=server_fault", "begun", ""),
        ("replay", f"delivery {numbers[0]}", "done", "1 replayed"),
    ]
    assert {each["address"] for each in log} == {"127.0.0.1"}
    (who,) = {each["who"] for each in log}
    assert who.startswith("token ")
    assert OPERATOR["Authorization"].split()[1] not in who
    assert desk.get("audit", who=who, action="replay", limit=2)["next_cursor"] is not None
    assert desk.get("audit", action="sync.start")["items"] == []


BAD: list[tuple[Any, list[str]]] = [
    ({}, ["$"]),
    ([], ["$"]),
    ("x", ["$"]),
    ({"filter": {}}, ["filter"]),
    ({"filter": {"state": ["done"]}}, ["filter"]),
    ({"filter": {"state": ["running"], "connection": "acme"}}, ["filter.state"]),
    ({"filter": {"state": ["lost"], "since": "never", "limit": "3"}}, ["filter.limit", "filter.since", "filter.state"]),
    ({"filter": {"connection": ""}}, ["filter.connection"]),
    ({"filter": {"connection": 7}}, ["filter.connection"]),
    ({"filter": "acme"}, ["filter"]),
    ({"deliveries": []}, ["deliveries"]),
    ({"deliveries": 7}, ["deliveries"]),
    ({"deliveries": [1, "x", None]}, ["deliveries[2]"]),
    ({"deliveries": [1, "x", -3]}, ["deliveries[1]", "deliveries[2]"]),
    ({"deliveries": list(range(1_001))}, ["deliveries"]),
    ({"deliveries": [1], "filter": {"connection": "acme"}}, ["$"]),
    ({"deliveries": [1], "all": True}, ["all"]),
    ({"deliveries": [1], "dry_run": "yes", "else": 1}, ["dry_run", "else"]),
    ({"filter": {"connection": "acme"}, "up_to": -1}, ["up_to"]),
]


def test_a_bad_order_is_422_with_every_path(sqlite_desk: Desk) -> None:
    """An order that is not understood changes nothing, and says where it goes wrong."""
    sqlite_desk.dead("Dead Oy")
    before = states(sqlite_desk)
    for body, paths in BAD:
        answer = sqlite_desk.send("deliveries/replay", body)
        assert answer.status_code == 422, body
        assert sorted(fault["path"] for fault in answer.json()["errors"]) == paths, body
    assert states(sqlite_desk) == before
    assert sqlite_desk.get("audit")["items"] == []
