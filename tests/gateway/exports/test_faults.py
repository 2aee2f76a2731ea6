"""Faults of the CRM in the middle of an export: never a second record, and the work goes on."""

from pathlib import Path
from typing import Any

import pytest

from tests.gateway.exports.conftest import (
    CREATES,
    SEARCHES,
    SYSTEMS,
    Stage,
    customers,
    finished,
    new_company,
    quick_export,
    record_id,
)
from tests.gateway.exports.test_existing_records import made_by_hand
from tests.harness import Upstream, configuration, running_gateway


def creates(upstream: Upstream, connection: str) -> int:
    """How many calls to make a customer the CRM has had."""
    calls = upstream.calls(SYSTEMS[connection])
    return sum(CREATES[connection] in call["line"] and "customerData" in call["line"] for call in calls) or sum(
        CREATES[connection] in call["line"] and '"COMPANY"' in call["line"] for call in calls
    )


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("lost_reply", 1),
        ("cut", 1),
        ("drop", 2),
        ("500", 2),
        ("503", 2),
        ("html", 2),
        ("empty", 2),
        ("nonsense", 2),
    ],
)
def test_a_create_that_fails_once(upstream: Upstream, tmp_path: Path, connection: str, fault: str, sent: int) -> None:
    """Whatever befalls the first create, one record results, within the budget: made again only where none was made."""
    company = new_company()
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export(budget_ms=8_000))) as gateway:
        upstream.fault(SYSTEMS[connection], fault, match=CREATES[connection], times=1)

        answer = gateway.push(connection, company)

        assert (answer.status_code, answer.json()["status"]) == (201, "created"), answer.text
        [row] = customers(upstream, connection, company["company_name"])
        assert answer.json()["unique_id"] == record_id(connection, row)
        assert creates(upstream, connection) == sent
        assert gateway.standing(connection, answer.json()["export_id"])["attempts"] == 2


@pytest.mark.parametrize("fault", ["drop", "500", "html", "429", "empty"])
def test_a_search_that_fails_is_no_licence_to_create(stage: Stage, connection: str, fault: str) -> None:
    """While the CRM cannot be searched nothing is created; once it can be, the record made by hand is found."""
    company = new_company()
    by_hand = made_by_hand(stage, connection, company["company_name"])
    before = creates(stage.upstream, connection)
    times = 1 if fault == "429" else 2
    stage.upstream.fault(SYSTEMS[connection], fault, match=SEARCHES[connection], times=times, seconds=1)

    answer = stage.gateway.push(connection, company)

    assert (answer.status_code, answer.json()["status"]) == (200, "updated"), answer.text
    assert answer.json()["unique_id"] == by_hand
    assert creates(stage.upstream, connection) == before


def test_the_crm_asks_us_to_slow_down(upstream: Upstream, tmp_path: Path) -> None:
    """429 with Retry-After: no call before the time asked for, not even for a repeat; then one record."""
    company = new_company()
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export())) as gateway:
        upstream.fault("apptivo", "429", seconds=2, times=1, match=SEARCHES["acme"])
        accepted = gateway.push("acme", company).json()
        searches = _searches(upstream)

        repeat = gateway.push("acme", company).json()

        assert (accepted["status"], repeat["status"]) == ("accepted", "accepted")
        assert accepted["unique_id"] == repeat["unique_id"]
        assert _searches(upstream) == searches
        assert finished(gateway, "acme", accepted["export_id"])["status"] == "created"
        assert len(customers(upstream, "acme", company["company_name"])) == 1


def _searches(upstream: Upstream) -> int:
    return sum(SEARCHES["acme"] in call["line"] for call in upstream.calls("apptivo"))


def test_a_crm_that_is_down_is_waited_for(upstream: Upstream, tmp_path: Path, connection: str) -> None:
    """While every call fails the answer is "accepted"; when the CRM is back a repeat does the work at once, once."""
    company = new_company()
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export(budget_ms=1_500))) as gateway:
        upstream.fault(SYSTEMS[connection], "drop")
        accepted = gateway.push(connection, company).json()
        upstream.heal(SYSTEMS[connection])

        repeat = gateway.push(connection, {**company, "staff_number": 5})

        assert (accepted["status"], accepted["unique_id"][:3]) == ("accepted", "gw_")
        assert repeat.json()["status"] == "updated", repeat.text
        assert finished(gateway, connection, accepted["export_id"])["status"] == "created"
        assert len(customers(upstream, connection, company["company_name"])) == 1


def test_an_update_whose_answer_is_lost_is_repeated(upstream: Upstream, tmp_path: Path) -> None:
    """An update is safe to repeat: after a lost answer there is one record with one phone number."""
    company = new_company()
    changed: dict[str, Any] = {**company, "phone": "09 333 333"}
    with running_gateway(configuration(upstream.url, tmp_path, **quick_export(budget_ms=8_000))) as gateway:
        gateway.push("acme", company)
        upstream.fault("apptivo", "lost_reply", match="a=update", times=2)

        answer = gateway.push("acme", changed)

        assert (answer.status_code, answer.json()["status"]) == (200, "updated")
        [row] = customers(upstream, "acme", company["company_name"])
        assert [each["phoneNumber"] for each in row["phoneNumbers"]] == ["09 333 333"]


def test_a_lost_create_does_not_lose_the_next_push(upstream: Upstream, tmp_path: Path) -> None:
    """A push after a create whose answer was lost brings its own content to the record that is found."""
    company = new_company()
    document = configuration(upstream.url, tmp_path, **quick_export(when_slow="fail", budget_ms=1_000))
    with running_gateway(document) as gateway:
        upstream.fault("apptivo", "lost_reply", match="a=save", times=1)
        upstream.fault("apptivo", "drop", match=SEARCHES["acme"], skip=1)
        assert gateway.push("acme", company).status_code in (502, 504)
        upstream.heal("apptivo")

        answer = gateway.push("acme", {**company, "phone": "09 444 444"})

        assert answer.status_code in (200, 201), answer.text
        [row] = customers(upstream, "acme", company["company_name"])
        assert [each["phoneNumber"] for each in row["phoneNumbers"]] == ["09 444 444"]
