"""Customer events are pushed in bulk: every row has its own outcome, and none is there twice (S004)."""

from collections import Counter
from typing import Any

import pytest

from adapters.contract import BulkEvents, RowOutcome
from adapters.deadline import Deadline


def soon(seconds: float = 10) -> Deadline:
    return Deadline.after(seconds)


def purchase(number: int, account: str, **changes: Any) -> dict[str, Any]:
    product = {"product_identifier": {"code": "Bronze"}, "net_amount": 50, "vat_amount": 10, "total_amount": 60}
    return {
        "request_unique_identifier": str(number),
        "accounts_receivable_identifier": {"number": account},
        "performed_by_unit_identifier": {"name": "Admin Unit"},
        "performed_on": "2016-06-22T15:00:00",
        "reference_number": f"RF{number}",
        "external_system_reference_number": f"POS-{number}",
        "products_set": [product],
        **changes,
    }


@pytest.fixture
def account(server: Any, company: Any) -> str:
    """The number of an account that is there."""

    async def make(adapter: Any) -> None:
        record_id = await adapter.create(company(), soon())
        await adapter.add_details(record_id, company(), soon())

    server.run(make)
    return str(server.rows("accounts_receivable")[0]["number"])


def push(
    server: Any, rows: list[Any], kind: str = "purchases", seconds: float = 10, **options: Any
) -> list[RowOutcome]:
    async def act(adapter: Any) -> list[RowOutcome]:
        assert isinstance(adapter, BulkEvents)
        outcomes: list[RowOutcome] = await adapter.push_events(kind, rows, soon(seconds), **options)
        return outcomes

    found: list[RowOutcome] = server.run(act)
    assert [outcome.request_unique_identifier for outcome in found] == [
        row["request_unique_identifier"] for row in rows
    ]
    return found


def there(server: Any) -> Counter[str]:
    """The purchases on the server, by the row they were made of."""
    return Counter(row["external_system_reference_number"] for row in server.rows("customer_events/purchases"))


def test_2500_rows_with_7_bad_ones(server: Any, account: str) -> None:
    """Three calls; each bad row has CRM.COM's code and text and is no matter for a retry; the others are done."""
    bad = {3, 400, 999, 1000, 1500, 2001, 2499}
    rows = [purchase(n, f"ACR99{n}" if n in bad else account) for n in range(2500)]
    outcomes = push(server, rows)
    assert {n for n, outcome in enumerate(outcomes) if not outcome.is_done} == bad
    assert outcomes[3] == RowOutcome(
        "3",
        False,
        error_code="NotFoundAPIValueException",
        error_description="Error:Account (ACR993) Not Found. - Description:The specified API value was not found.",
    )
    assert outcomes[0].id
    assert outcomes[0].number == "1"
    assert len(server.sent("bulk/purchases/create")) == 3
    assert there(server) == Counter(f"POS-{n}" for n in range(2500) if n not in bad)


@pytest.mark.parametrize(
    ("code", "is_retryable"),
    [
        ("InternalServerErrorException", True),
        ("COM.CRM.EXCEPTION.DEADLOCKEXCEPTION", True),
        ("TooManyRequestsException", True),
        ("ServiceUnavailableException", True),
        ("InvalidAPIValueException", False),
        ("AccountBlockedException", False),
    ],
)
def test_passing_and_lasting_refusals_are_told_apart(server: Any, account: str, code: str, is_retryable: bool) -> None:
    """By CRM.COM's code; only the row it was about is hit."""
    server.control("POST", "/_row_faults", code=code, description="no luck", match='"RF1"')
    hit, spared = push(server, [purchase(1, account), purchase(2, account)])
    assert (hit.error_code, hit.is_retryable, hit.is_outcome_known) == (code, is_retryable, True)
    assert "no luck" in hit.error_description
    assert spared.is_done


def test_rows_of_many_requests_may_share_identifiers(server: Any, account: str) -> None:
    """Identifiers are unique in a call: the same ones go in calls of their own; outcomes stay with their rows."""
    rows = [
        purchase(1, account),
        purchase(1, "ACR999", external_system_reference_number="POS-1b"),
        purchase(2, account),
    ]
    first, second, third = push(server, rows)
    assert (first.is_done, second.is_done, third.is_done) == (True, False, True)
    assert len(server.sent("bulk/purchases/create")) == 2


def test_the_intended_currency_goes_with_the_call(server: Any, account: str) -> None:
    """Rows of different currencies go in different calls, each of which names its own beside the set."""
    rows = [
        purchase(1, account, intended_currency_identifier={"code": "EUR"}),
        purchase(2, account, intended_currency_identifier={"code": "SEK"}),
        purchase(3, account),
    ]
    assert all(outcome.is_done for outcome in push(server, rows))
    lines = [call["line"] for call in server.sent("bulk/purchases/create")]
    assert ["EUR" in lines[0], "SEK" in lines[1], "currency" in lines[2]] == [True, True, False]
    assert "intended_currency_identifier" not in server.rows("customer_events/purchases")[0]


@pytest.mark.parametrize("fault", ["lost_reply", "cut"])
def test_a_lost_answer_is_looked_up(server: Any, account: str, fault: str) -> None:
    """The work was done though its answer was not heard: the rows are found at once, and there once."""
    server.fault(fault, "bulk/purchases/create", times=1)
    outcomes = push(server, [purchase(n, account) for n in range(5)])
    assert all(outcome.is_done and outcome.id for outcome in outcomes)
    assert there(server) == Counter(f"POS-{n}" for n in range(5))


def test_what_a_lost_call_did_not_do_is_not_sent_again_unasked(server: Any, account: str) -> None:
    """A call that broke may still be at work: its rows are not known, and a later repeat asks first."""
    rows = [purchase(n, account) for n in range(3)]
    server.fault("500", "bulk/purchases/create", times=1)
    outcomes = push(server, rows)
    assert [(o.is_done, o.is_retryable, o.is_outcome_known) for o in outcomes] == [(False, True, False)] * 3
    assert {o.error_code for o in outcomes} == {"server_fault"}
    assert all(outcome.is_done for outcome in push(server, rows, is_repeat=True))
    assert there(server) == Counter(f"POS-{n}" for n in range(3))


def test_a_repeat_sends_only_what_is_missing(server: Any, account: str) -> None:
    """After a crash nobody knows what was sent: what is there is done, with its id, and only the rest goes out."""
    rows = [purchase(n, account) for n in range(6)]
    before = push(server, rows[:4])
    again = push(server, rows, is_repeat=True)
    assert [outcome.id for outcome in again[:4]] == [outcome.id for outcome in before]
    assert all(outcome.is_done for outcome in again)
    assert there(server) == Counter(f"POS-{n}" for n in range(6))


def test_two_rows_of_one_number_are_two_events(server: Any, account: str) -> None:
    """An event that is there stands for one row only, and not for one of another day."""
    twins = [purchase(n, account, external_system_reference_number="POS-X") for n in range(2)]
    push(server, twins[:1])
    assert all(outcome.is_done for outcome in push(server, twins, is_repeat=True))
    later = purchase(9, account, external_system_reference_number="POS-X", performed_on="2016-06-23T15:00:00")
    assert push(server, [later], is_repeat=True)[0].is_done
    assert there(server) == Counter({"POS-X": 3})


def test_a_repeat_that_cannot_ask_does_not_send(server: Any, account: str) -> None:
    """Where CRM.COM cannot say what it has, nothing is sent: for now, or for good where it has no such list."""
    server.fault("503", "purchases/list")
    (waits,) = push(server, [purchase(1, account)], is_repeat=True)
    assert (waits.error_code, waits.is_retryable, waits.is_outcome_known) == ("cannot_look_up", True, False)
    server.control("DELETE", "/_faults")
    (lasts,) = push(server, [purchase(1, account, accounts_receivable_identifier={"odd": "x"})], is_repeat=True)
    assert (lasts.error_code, lasts.is_retryable) == ("cannot_look_up", False)
    assert there(server) == Counter()


def test_a_repeat_for_an_account_that_is_not_there_is_refused_as_ever(server: Any) -> None:
    """No account, no event: the row goes out, and CRM.COM says what is wrong with it."""
    (outcome,) = push(server, [purchase(1, "ACR999")], is_repeat=True)
    assert outcome.error_code == "NotFoundAPIValueException"


def test_a_row_that_the_answer_forgets_is_not_known(server: Any, account: str) -> None:
    """It may be there or not: never done, never lost."""
    server.control("POST", "/_row_faults", match='"RF1"', silent=True)
    forgotten, done = push(server, [purchase(1, account), purchase(2, account)])
    assert (forgotten.error_code, forgotten.is_retryable, forgotten.is_outcome_known) == ("not_in_reply", True, False)
    assert done.is_done


def test_a_dead_token_is_renewed_once_for_all(server: Any, account: str) -> None:
    """Nothing was done under the old one, so the call goes again; nothing is there twice."""

    async def act(adapter: Any) -> list[RowOutcome]:
        await adapter.push_events("purchases", [purchase(1, account)], soon())
        server.control("POST", "/_expire")
        before = server.state.sign_ins
        outcomes: list[RowOutcome] = await adapter.push_events(
            "purchases", [purchase(n, account) for n in range(2, 1500)], soon()
        )
        assert server.state.sign_ins == before + 1
        return outcomes

    assert all(outcome.is_done for outcome in server.run(act))
    assert there(server) == Counter(f"POS-{n}" for n in range(1, 1500))


def test_after_a_throttled_call_the_rest_waits(server: Any, account: str) -> None:
    """Nothing happened, so all rows may simply go again; no further call is made now."""
    server.fault("429", "bulk/purchases/create", times=1)
    outcomes = push(server, [purchase(n, account) for n in range(1500)])
    assert Counter(o.error_code for o in outcomes) == {"throttled": 1000, "not_sent": 500}
    assert all(o.is_retryable and o.is_outcome_known for o in outcomes)
    assert len(server.sent("bulk/purchases/create")) == 1


def test_one_row_that_breaks_its_call_takes_no_other_with_it(server: Any, account: str) -> None:
    """Where CRM.COM refuses the whole call for one row, halves find that row; the others are done."""
    server.control("POST", "/_row_faults", code="InvalidJSONException", match='"RF77"', whole_call=True)
    rows = [purchase(n, account) for n in range(200)]
    outcomes = push(server, rows)
    assert [n for n, outcome in enumerate(outcomes) if not outcome.is_done] == [77]
    assert (outcomes[77].error_code, outcomes[77].is_retryable) == ("refused", False)
    assert there(server) == Counter(f"POS-{n}" for n in range(200) if n != 77)


def test_wrong_credentials_hit_every_row(server: Any, account: str) -> None:
    """One sign-in, no splitting: nobody retries what a person must mend."""

    async def act(adapter: Any) -> list[RowOutcome]:
        outcomes: list[RowOutcome] = await adapter.push_events(
            "purchases", [purchase(n, account) for n in range(3)], soon()
        )
        return outcomes

    outcomes = server.run(act, password="not-the-password")
    assert {(o.error_code, o.is_retryable, o.is_outcome_known) for o in outcomes} == {("credentials", False, True)}
    assert not any("not-the-password" in o.error_description for o in outcomes)


def test_no_time_is_no_call(server: Any, account: str) -> None:
    """With a deadline that has passed every row may go later."""
    outcomes = push(server, [purchase(n, account) for n in range(3)], seconds=0)
    assert {(o.is_done, o.is_retryable) for o in outcomes} == {(False, True)}
    assert there(server) == Counter()
