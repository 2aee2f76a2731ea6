"""Rows go in few calls; those that fail for a passing reason go again alone; nothing is in CRM.COM twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.gateway.events.conftest import BULK, Shop
from tests.harness import wait_until


def test_rows_that_fail_for_a_moment_are_tried_again_alone(shop: Shop) -> None:
    """The others are done by the first call; the second holds the failed row only."""
    shop.break_rows('"POS-2"', code="InternalServerErrorException")
    answer = shop.post([shop.purchase(n) for n in range(1, 4)])
    assert answer.status_code == 200, answer.text
    assert {row["request_unique_identifier"] for row in answer.json()["processed"]} == {"1", "2", "3"}
    assert len(shop.calls()) == 2
    assert shop.there() == Counter(["POS-1", "POS-2", "POS-3"])


def test_a_lost_reply_doubles_nothing(shop: Shop) -> None:
    """CRM.COM made the events and its answer was lost: they are found by their reference numbers."""
    shop.upstream.fault("crmcom", "lost_reply", match=BULK, times=1)
    answer = shop.post([shop.purchase(n) for n in range(20)])
    assert len(answer.json()["processed"]) == 20
    assert shop.there() == Counter(f"POS-{n}" for n in range(20))


def test_rows_that_an_answer_forgets_are_asked_for_before_they_go_again(shop: Shop) -> None:
    """CRM.COM says nothing of a row: it is looked up, and sent once more because it is not there."""
    shop.break_rows('"POS-1"', silent=True)
    answer = shop.post([shop.purchase(1), shop.purchase(2)])
    assert len(answer.json()["processed"]) == 2
    assert shop.there() == Counter(["POS-1", "POS-2"])
    assert any("purchases/list" in call["line"] for call in shop.upstream.calls("crmcom"))


def test_a_throttled_call_waits_as_long_as_it_was_told(hasty_shop: Shop) -> None:
    """`Retry-After` of the CRM holds for every row of the call; what they wait for is told meanwhile."""
    hasty_shop.upstream.fault("crmcom", "429", match=BULK, times=1, seconds=2)
    answer = hasty_shop.post([hasty_shop.purchase(n) for n in range(3)])
    assert answer.status_code == 202, answer.text
    pending = wait_until(lambda: hasty_shop.get(answer.json()["id"]).json()["pending"], "rows wait")
    assert [(row["attempts"], row["error_code"]) for row in pending] == [(1, "throttled")] * 3
    assert len(hasty_shop.finished(answer.json()["id"])["processed"]) == 3
    assert len(hasty_shop.calls()) == 2


def test_a_slow_crm_is_answered_202(hasty_shop: Shop) -> None:
    """Accepted when the budget is over; the GET tells that the row waits, and later that it is done."""
    hasty_shop.upstream.fault("crmcom", "delay", match=BULK, times=1, seconds=2)
    answer = hasty_shop.post([hasty_shop.purchase(1)])
    assert answer.status_code == 202, answer.text
    told = answer.json()
    assert told == {"id": told["id"], "status": "accepted"}
    assert hasty_shop.get(told["id"]).json() == {
        "id": told["id"],
        "processed": [],
        "failed": [],
        "status": "accepted",
        "pending": [{"request_unique_identifier": "1", "attempts": 0}],
    }
    assert len(hasty_shop.finished(told["id"])["processed"]) == 1
    assert hasty_shop.there() == Counter(["POS-1"])


def test_rows_of_many_requests_go_in_one_call(hasty_shop: Shop) -> None:
    """What comes in while a call is under way goes in the next, whoever sent it; each request is told its own."""
    hasty_shop.upstream.fault("crmcom", "delay", match=BULK, times=1, seconds=2)
    first = hasty_shop.post([hasty_shop.purchase(0)])
    with ThreadPoolExecutor(4) as callers:
        others = list(callers.map(lambda n: hasty_shop.post([hasty_shop.purchase(n)]), range(1, 5)))
    for number, answer in enumerate([first, *others]):
        assert answer.status_code == 202, answer.text
        [row] = hasty_shop.finished(answer.json()["id"])["processed"]
        assert row["request_unique_identifier"] == str(number)
    assert len(hasty_shop.calls()) == 2
    assert hasty_shop.there() == Counter(f"POS-{n}" for n in range(5))


def test_two_requests_may_use_the_same_identifiers(hasty_shop: Shop) -> None:
    """`request_unique_identifier` is the caller's: another's equal ones are other rows, with outcomes of their own."""
    hasty_shop.upstream.fault("crmcom", "delay", match=BULK, times=1, seconds=1)
    hasty_shop.post([hasty_shop.purchase(0)])
    rows = [[hasty_shop.purchase(7, reference_number="POS-a")], [hasty_shop.purchase(7, "ACR99")]]
    with ThreadPoolExecutor(2) as callers:
        good, bad = [answer.json()["id"] for answer in callers.map(hasty_shop.post, rows)]
    assert [row["request_unique_identifier"] for row in hasty_shop.finished(good)["processed"]] == ["7"]
    assert [row["error_code"] for row in hasty_shop.finished(bad)["failed"]] == ["NotFoundAPIValueException"]
    assert hasty_shop.there() == Counter(["POS-0", "POS-a"])


def test_whatever_breaks_a_call_no_event_is_lost_or_doubled(shop: Shop) -> None:
    """Cut, dropped, refused for now or answered with nonsense: the rows are done by the next attempt, once each."""
    faults = ("drop", "429", "500", "503", "html", "empty", "nonsense", "cut", "lost_reply")
    for number, fault in enumerate(faults):
        shop.upstream.fault("crmcom", fault, match=BULK, times=1)
        answer = shop.post([shop.purchase(10 * number), shop.purchase(10 * number + 1)])
        told = shop.finished(answer.json()["id"])
        assert (len(told["processed"]), told["failed"]) == (2, []), fault
    assert shop.there() == Counter(f"POS-{10 * number + n}" for number in range(len(faults)) for n in range(2))


def test_every_kind_has_its_own_calls(shop: Shop) -> None:
    """Achievements that cannot be pushed now hold up no purchases; both are done in the end."""
    shop.upstream.fault("crmcom", "429", match="bulk/achievements/create", seconds=1, times=1)
    achievement = {
        "request_unique_identifier": "1",
        "accounts_receivable_identifier": {"number": shop.account},
        "performed_by_unit_identifier": {"name": "Admin Unit"},
        "performed_on": "2016-06-22T15:00:00",
        "classification_identifier": {"name": "Visit"},
    }
    with ThreadPoolExecutor(2) as callers:
        slow = callers.submit(shop.post, [achievement], "achievements")
        assert len(shop.post([shop.purchase(1)]).json()["processed"]) == 1
        answer = slow.result().json()
    assert len(shop.finished(answer["id"], "achievements")["processed"]) == 1
