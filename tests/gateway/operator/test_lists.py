"""Lists of deliveries, webhooks, exports and dead letters: filters, pages, and what comes in while one turns them."""

from typing import Any

from tests.gateway.operator.conftest import Desk, walk


def paged(desk: Desk, path: str, **parameters: Any) -> list[list[Any]]:
    """The ids of every page."""
    return [
        [item["id"] for item in page["items"]]
        for page in walk(lambda cursor: desk.get(path, **parameters, **({"cursor": cursor} if cursor else {})))
    ]


def test_pages_hold_everything_once_newest_first(desk: Desk) -> None:
    """Seven webhooks in pages of three, the last of them short, and no cursor after it."""
    sent = [desk.hook("globex", {"event": number}) for number in range(7)]

    pages = [
        [item["event_id"] for item in page["items"]]
        for page in walk(lambda cursor: desk.get("webhooks", limit=3, **({"cursor": cursor} if cursor else {})))
    ]
    assert pages == [sent[6:3:-1], sent[3:0:-1], sent[0:1]]


def test_a_cursor_is_not_shifted_by_what_comes_in(desk: Desk) -> None:
    """What arrives between two pages is on neither, and nothing comes twice or is left out."""
    sent = [desk.hook("globex", {"event": number}) for number in range(6)]
    first = desk.get("webhooks", limit=2)
    for number in range(6, 11):
        desk.hook("globex", {"event": number})

    rest = [
        item["event_id"]
        for page in walk(lambda cursor: desk.get("webhooks", limit=2, cursor=cursor or first["next_cursor"]))
        for item in page["items"]
    ]
    assert [*(item["event_id"] for item in first["items"]), *rest] == sent[::-1]


def test_exports_are_paged_and_are_not_shifted_either(desk: Desk) -> None:
    """Exports page by page, while others come in."""
    ids = [desk.push("acme", company_name=f"Company {number} Oy")["export_id"] for number in range(3)]
    first = desk.get("exports", limit=2)
    desk.push("acme", company_name="Late Oy")

    rest = desk.get("exports", limit=2, cursor=first["next_cursor"])
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None


def test_filters_narrow_and_go_together(desk: Desk) -> None:
    """State, kind, connection, reason and time, each alone and with others, in deliveries and in exports."""
    before = desk.get("overview")["at"]
    dead_id = desk.dead("Dead Oy")[0]
    done_id = desk.push("globex", company_name="Done Oy")["export_id"]
    hook_id = desk.hook("globex", {"event": 1})

    def exports(**parameters: Any) -> list[str]:
        return [item["id"] for item in desk.get("exports", **parameters)["items"]]

    def kinds(path: str = "deliveries", **parameters: Any) -> set[str]:
        return {item["kind"] for item in desk.get(path, **parameters)["items"]}

    assert exports() == [done_id, dead_id]
    assert exports(state="dead") == exports(connection="acme") == exports(reason="server_fault") == [dead_id]
    assert exports(state=["done", "dead"], since=before) == [done_id, dead_id]
    assert exports(state="dead", connection="globex") == exports(until=before) == []
    assert kinds(state="ignored") == kinds(kind="crm_webhook") == kinds("webhooks") == {"crm_webhook"}
    assert kinds(state="dead") == kinds("dead-letters") == kinds(reason="server_fault") == {"export"}
    assert kinds("dead-letters", connection="globex") == kinds(until=before) == set()
    assert [item["event_id"] for item in desk.get("webhooks", connection="globex")["items"]] == [hook_id]


def test_what_waits_is_found_by_its_state(desk: Desk) -> None:
    """A delivery that waits for its next attempt is pending, with the time of that and the last failure."""
    desk.upstream.fault("crmcom", "503", match="contact_information")
    answer = desk.gateway.push("globex", {"company_name": "Slow Oy"})
    assert answer.json()["status"] == "accepted", answer.text

    (line,) = desk.get("deliveries", state="pending", connection="globex")["items"]
    assert (line["state"], line["kind"], line["replayable"]) == ("pending", "export", False)
    assert line["due_at"] is not None
    (export,) = desk.get("exports", state=["pending", "running"])["items"]
    assert (export["status"], export["finished_at"]) == ("accepted", None)


def test_an_empty_store_has_empty_lists(desk: Desk) -> None:
    """Nothing is no error."""
    for path in ("deliveries", "webhooks", "exports", "dead-letters", "syncs", "audit"):
        assert desk.get(path) == {"items": [], "next_cursor": None, "searched_until": None}


BAD: list[tuple[str, dict[str, Any], list[str]]] = [
    ("deliveries", {"state": "lost"}, ["state"]),
    ("deliveries", {"limit": "0"}, ["limit"]),
    ("deliveries", {"limit": "201"}, ["limit"]),
    ("deliveries", {"since": "yesterday", "until": "never", "limit": "x"}, ["limit", "since", "until"]),
    ("deliveries", {"cursor": "d123"}, ["cursor"]),
    ("deliveries", {"cursor": "s0000000000000001"}, ["cursor"]),
    ("deliveries", {"connection": ["acme", "globex"]}, ["connection"]),
    ("deliveries", {"q": "a" * 301}, ["q"]),
    ("exports", {"cursor": "x" + "0" * 15 + "g" + "0" * 26}, ["cursor"]),
    ("syncs", {"cursor": "d" + "0" * 32}, ["cursor"]),
    ("audit", {"cursor": "1"}, ["cursor"]),
    ("history", {"job": "coffee"}, ["job"]),
    ("deliveries", {"conection": "acme", "state": "lost"}, ["conection", "state"]),
    ("dead-letters", {"state": "done"}, ["state"]),
    ("webhooks", {"kind": "export"}, ["kind"]),
]


def test_a_bad_parameter_is_422_with_its_path(sqlite_desk: Desk) -> None:
    """Every fault at once, each with the parameter's name."""
    for path, parameters, at_fault in BAD:
        answer = sqlite_desk.ask(path, params=parameters)
        assert answer.status_code == 422
        assert sorted(fault["path"] for fault in answer.json()["errors"]) == at_fault


def test_blank_parameters_count_as_none(sqlite_desk: Desk) -> None:
    """As a form sends them of fields that were left blank."""
    hook_id = sqlite_desk.hook("globex", {"event": 1})
    found = sqlite_desk.get("deliveries", state="", connection="", since="", q="", limit="", cursor="")
    assert [item["event_id"] for item in found["items"]] == [hook_id]
