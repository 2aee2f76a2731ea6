"""What Vainu refused for good is remembered: told again with its reason and candidates, and not sent again."""

import sqlite3
import tomllib
from contextlib import closing
from typing import Any

import pytest

from adapters.vainu import simulated_account
from adapters.vainu.simulated_account import VainuState
from adapters.vainu.simulated_matching import MatchRefused, match_in_v2
from adapters.vainu.simulator import FAKE_API_KEY
from gateway.clock import now_ms
from gateway.sync.order import Order
from tests.gateway.sync.conftest import World
from tests.harness import running_gateway, wait_until

DAY_MS = 86_400_000


@pytest.fixture
def v1(world: World) -> World:
    """With v1 of Vainu's API, which refuses customers that no company or several fit."""
    world.configure(vainu={"api_version": 1})
    return world


def calls(world: World) -> int:
    return len(world.upstream.calls("vainu"))


def told(customers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The customers of a report by their ids, and without the time."""
    return sorted(
        ({key: value for key, value in each.items() if key != "since"} for each in customers),
        key=lambda each: str(each["record_id"]),
    )


def correct(world: World, record_id: str, business_id: str) -> None:
    """Somebody corrects a customer in Apptivo."""
    (row,) = (row for row in world.crm.tables["customers"] if row["id"] == record_id)
    row["customAttributes"][0]["customAttributeValue"] = business_id


def test_a_second_sync_sends_nothing_and_tells_the_same(v1: World) -> None:
    """The same customers failed, for the same reasons, with the same candidates, and since when; exit 1 again."""
    v1.customer("VAINU INC.", country="US")
    v1.customer("Nobody Knows Oy")
    v1.customer("Oy Samlink Ab", "0970409-8")
    code, customers, summary = v1.report()
    failed = [each for each in customers if each["outcome"] == "failed"]
    assert (code, summary["failed"], summary["remembered"]) == (1, 2, 0)
    assert {each["reason"] for each in failed} == {"multiple_matches", "no_match"}
    assert all("since" not in each for each in failed)
    before = calls(v1)
    for _again in range(2):
        code, again, summary = v1.report()
        assert (code, summary["failed"], summary["remembered"], summary["unchanged"]) == (1, 2, 2, 1)
        assert told(again) == told(failed)
        assert all(each["since"].endswith("Z") for each in again)
    dry = v1.summary("--dry-run")
    assert (dry["code"], dry["failed"], dry["remembered"], dry["created"]) == (1, 2, 2, 0)
    shown = v1.sync().stdout
    assert shown.count("UTC, not sent again)") == 2
    assert "2 of the failed were refused as they are now, and not sent again; --full sends them" in shown
    assert "could be: vid 605731521 VAINU INC." in shown
    assert calls(v1) == before


def test_pages_of_unmatched_customers_are_imported_once(v1: World) -> None:
    """Of 250 customers that no company fits, each page is an import in the first sync, and none in the second."""
    v1.crm.add_customers(250)
    assert v1.patiently(Order("acme"))[0].failed == 250
    before = calls(v1)
    counts, _heard = v1.patiently(Order("acme"))
    assert (counts.customers, counts.failed, counts.remembered) == (250, 250, 250)
    assert calls(v1) == before


def test_a_customer_that_changed_is_sent(v1: World) -> None:
    """It alone; once Vainu takes it, nothing is remembered of it, also when it is as it was again."""
    customer = v1.customer("Our Friends of Software")
    v1.customer("Nobody Knows Oy")
    assert v1.patiently(Order("acme"))[0].failed == 2
    v1.upstream.http.post("/apptivo/_webhook", json={"customer": customer, "set": {"description": "new"}})
    writes = len(v1.writes())
    counts, heard = v1.patiently(Order("acme"))
    assert (counts.failed, counts.remembered) == (2, 1)
    assert {each.record_id for each in heard.rows if each.since is None} == {customer}
    assert len(v1.writes()) == writes + 1
    correct(v1, customer, "0970409-8")
    counts, _heard = v1.patiently(Order("acme"))
    assert (counts.created, counts.failed, counts.remembered) == (1, 1, 1)
    correct(v1, customer, "")
    counts, _heard = v1.patiently(Order("acme"))
    assert (counts.updated, counts.failed, counts.remembered) == (1, 1, 1)


def test_full_sends_refused_customers(v1: World) -> None:
    """--full asks Vainu again, and a dry run of it says that it would."""
    v1.customer("Nobody Knows Oy")
    assert v1.summary()["failed"] == 1
    dry = v1.summary("--dry-run", "--full")
    assert (dry["created"], dry["failed"]) == (1, 0)
    writes = len(v1.writes())
    full = v1.summary("--full")
    assert (full["failed"], full["remembered"], len(v1.writes())) == (1, 0, writes + 1)


def test_an_old_refusal_is_tried_again(v1: World) -> None:
    """A week later the same is sent once more, and the refusal remembered anew; so is one from a clock gone wrong."""
    v1.customer("Nobody Knows Oy")
    now = now_ms()
    remembered = []
    for days in (0, 6.9, 7.1, 13.9, 14.2, 13):
        counts, _heard = v1.patiently(Order("acme"), lambda days=days: now + round(days * DAY_MS))  # type: ignore[misc]  # mypy infers no lambda with defaults
        assert counts.failed == 1
        remembered.append(counts.remembered)
    assert remembered == [0, 1, 0, 1, 0, 0]


def test_what_v2_refuses_is_remembered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single create too, whether Vainu says so in words that are known here or in others; a secret is not kept."""

    def refusing(body: Any, known: Any) -> Any:
        if "Invalid" in str(body):
            raise MatchRefused(400, "INVALID_BUSINESSID", body)
        if "Strange" in str(body):
            raise MatchRefused(400, f"no {FAKE_API_KEY} for you", body)
        return match_in_v2(body, known)

    monkeypatch.setattr(simulated_account, "match_in_v2", refusing)
    world.customer("Invalid Oy")
    world.customer("Strange Oy")
    world.customer("Good Oy")
    counts, first = world.patiently(Order("acme"))
    assert (counts.created, counts.failed, counts.remembered) == (1, 2, 0)
    before = calls(world)
    counts, second = world.patiently(Order("acme"))
    assert (counts.unchanged, counts.failed, counts.remembered, calls(world)) == (1, 2, 2, before)
    failed = {each.reason: each.detail for each in first.rows if each.outcome == "failed"}
    assert failed.keys() == {"invalid_business_id", "refused"}
    assert {each.reason: each.detail for each in second.rows} == failed
    stored = b"".join(each.read_bytes() for each in world.folder.glob("gateway.db*"))
    assert b"invalid_business_id" in stored
    assert FAKE_API_KEY.encode() not in stored


def test_a_fault_that_passes_is_not_remembered(world: World) -> None:
    """A customer that Vainu choked on is sent by the next sync."""
    world.customer("Chokes Oy")
    world.upstream.fault("vainu", "500", match="Chokes Oy")
    assert world.patiently(Order("acme"))[0].failed == 1
    world.upstream.heal("vainu")
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed) == (1, 0)


def test_an_import_that_is_refused_as_a_whole_is_not_remembered(v1: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """At which of its customers Vainu takes offence is not known: the next sync sends them all."""

    def refusing(_state: VainuState, _rows: Any) -> Any:
        raise ValueError("no import of these rows")

    v1.customer("Oy Samlink Ab", "0970409-8")
    v1.customer("Norrsken Exempelverktyg AB", country="SE")
    with monkeypatch.context() as patched:
        patched.setattr(VainuState, "start_job", refusing)
        counts, heard = v1.patiently(Order("acme"))
    assert (counts.failed, {each.reason for each in heard.rows}) == (2, {"refused"})
    counts, _heard = v1.patiently(Order("acme"))
    assert (counts.created, counts.failed) == (2, 0)


def test_a_company_that_another_customer_has(world: World) -> None:
    """That refusal stands as long as the other is that company: told without a call, sent once the other moves away."""
    pair = {world.customer("Oy Samlink Ab", "0970409-8"), world.customer("Samlink, made twice", "FI09704098")}
    assert world.patiently(Order("acme"))[0].failed == 1
    before = calls(world)
    counts, heard = world.patiently(Order("acme"))
    assert (counts.failed, counts.remembered, counts.unchanged, calls(world)) == (1, 1, 1, before)
    refused = heard.rows[0].record_id
    (holder,) = pair - {refused}
    correct(world, holder, "2822996-6")
    # the two are on one page: the first sync moves the other, the second has the room
    world.patiently(Order("acme"))
    counts, _heard = world.patiently(Order("acme"))
    assert (counts.created, counts.failed) == (1, 0)


def test_a_customer_whose_customer_data_is_made_by_a_webhook(v1: World) -> None:
    """What a webhook's work has told Vainu of is refused no more, also once the customer is as it was again."""
    customer = v1.customer("Nobody Knows Oy")
    assert v1.patiently(Order("acme"))[0].failed == 1
    v1.configure(vainu={"api_version": 1}, webhooks={"api_keys": ["hook"]})
    correct(v1, customer, "0970409-8")
    pushed = v1.upstream.http.post("/apptivo/_webhook", json={"customer": customer, "deals": {"won": 3}}).json()["body"]
    with running_gateway(tomllib.loads(v1.config.read_text(encoding="utf-8"))) as gateway:
        gateway.http.post("/crm/acme/webhooks", json=pushed, headers={"API-Key": "hook"}).raise_for_status()
        wait_until(v1.customer_data, "Vainu is told")
    assert v1.patiently(Order("acme"))[0].unchanged == 1
    assert refusals(v1) == 0


def refusals(world: World) -> int:
    with closing(sqlite3.connect(world.folder / "gateway.db")) as store:
        found: int = store.execute("SELECT count(*) FROM sync_refusals").fetchone()[0]
    return found


def test_a_customer_that_the_crm_deleted(v1: World) -> None:
    """It is gone for good: nothing is remembered of it."""
    v1.customer("Oy Samlink Ab", "0970409-8")
    customer = v1.customer("Nobody Knows Oy")
    assert v1.patiently(Order("acme"))[0].failed == 1
    assert refusals(v1) == 1
    v1.delete_customers(customer)
    counts, _heard = v1.patiently(Order("acme"))
    assert (counts.failed, counts.gone, refusals(v1)) == (0, 1, 0)
