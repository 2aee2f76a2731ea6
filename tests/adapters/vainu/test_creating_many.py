"""Many customer data objects at once: one outcome a row, whatever became of the others."""

import asyncio
from typing import Any

import pytest

from adapters.contract import BadCredentials, ConnectionCut, ServerFault, TimedOut
from adapters.serving import serving
from adapters.simulation import FaultRule
from adapters.vainu import CustomerRow, MatchData, RowOutcome, VainuClient
from adapters.vainu.batch_imports import ImportUnfinished
from adapters.vainu.customer_data_v1 import ROWS_PER_IMPORT, CustomerDataV1
from adapters.vainu.customer_data_v2 import AT_ONCE
from adapters.vainu.refusals import ImportRunning, MatchParameterMissing
from adapters.vainu.samples import SampleCompany
from adapters.vainu.simulator import simulator
from tests.adapters.vainu.served import NOBODY, SAMLINK, VAINU, Served, all_of, soon, use


def row(match: MatchData, unique_id: str = "u") -> CustomerRow:
    return CustomerRow(match, {"unique_id": unique_id})


def create(account: Served, rows: list[CustomerRow], version: int, seconds: float = 10) -> list[RowOutcome]:
    outcomes = account.use(lambda client: all_of(client.customer_data.create_many(rows, soon(seconds))), version)
    assert sorted(each.index for each in outcomes) == list(range(len(rows)))
    return sorted(outcomes, key=lambda each: each.index)


def reasons(outcomes: list[RowOutcome]) -> list[str]:
    return [each.error.reason if each.error else "" for each in outcomes]


def made_up(count: int) -> list[SampleCompany]:
    prospect = {"country": "FI", "city": None}
    return [
        SampleCompany(
            f"c{number}",
            "made up",
            number,
            None,
            {**prospect, "business_id": f"{number:08}", "company_name": f"Company {number} Oy"},
        )
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_a_row_that_fails_leaves_the_others_alone(account: Served, version: int) -> None:
    """Each outcome tells the object made, or why none was, with the id to patch or the companies to choose from."""
    rows = [
        row(VAINU, "a"),
        row(MatchData("Vainu Finland Oy", country="FI"), "b"),
        row(MatchData(country="FI"), "c"),
        row(SAMLINK, "d"),
    ]
    first, second, third, fourth = create(account, rows, version)
    assert first.company is not None
    assert first.company.vid == 463880794
    assert (second.existing_id, second.id, second.error is None) == (first.id, "", False)
    assert isinstance(third.error, MatchParameterMissing)
    assert sorted(record.fields["unique_id"] for record in account.state.records.values()) == ["a", "d"]
    assert fourth.id in account.state.records
    assert [each.row for each in (first, second, third, fourth)] == rows


def test_v1_tells_the_candidates_of_a_row(account: Served) -> None:
    """The person in charge chooses; the sync reports them."""
    rows = [
        row(MatchData(normalize_name="vainu")),
        row(NOBODY),
        row(MatchData(business_id="324-123")),
        row(SAMLINK),
    ]
    outcomes = create(account, rows, 1)
    assert reasons(outcomes) == ["multiple_matches", "no_match", "invalid_business_id", ""]
    assert {each.vid for each in outcomes[0].candidates} == {605731521, 463880794, 339608722}
    assert outcomes[1].candidates == ()


def test_v2_keeps_what_matches_no_company(account: Served) -> None:
    """S000, "Unmatched customer data": an object without a company."""
    (outcome,) = create(account, [row(NOBODY)], 2)
    assert (outcome.id in account.state.records, outcome.company, outcome.error) == (True, None, None)


@pytest.mark.parametrize("version", [1, 2])
def test_no_rows_are_no_calls(account: Served, version: int) -> None:
    """Nothing is sent for nothing."""
    assert create(account, [], version) == []
    assert account.calls == []


def test_v2_sends_a_few_rows_at_a_time(account: Served) -> None:
    """Rows wait for each other, so that Vainu is not flooded; the outcomes keep the order of the rows."""
    account.sim.journal.rules.append(FaultRule("delay", seconds=0.1))

    async def act(client: VainuClient) -> tuple[list[int], int]:
        stream = client.customer_data.create_many([row(NOBODY)] * 20, soon())
        first = await anext(stream)
        sent = len(account.calls)
        return [first.index, *[each.index async for each in stream]], sent

    order, sent = account.use(act)
    assert order == list(range(20))
    assert sent <= AT_ONCE


def test_v2_stops_sending_when_nobody_listens() -> None:
    """A caller who leaves cancels what has not been sent yet."""
    # a server of its own: what it still works on when the caller has left must not reach into the next test
    sim = simulator()
    sim.journal.rules.append(FaultRule("delay", seconds=0.05))

    async def act(client: VainuClient) -> None:
        stream: Any = client.customer_data.create_many([row(NOBODY)] * 100, soon())
        await anext(stream)
        await stream.aclose()

    with serving(sim) as url:
        use(url, act)
    assert len(sim.journal.calls) <= AT_ONCE + 1


def test_a_lost_answer_is_one_rows_trouble(account: Served) -> None:
    """The row may have been made: its error says so, it is not sent again, and the others go on."""
    account.sim.journal.rules.append(FaultRule("lost_reply", match="Samlink", times=1))
    outcomes = create(account, [row(VAINU), row(SAMLINK), row(NOBODY)], 2)
    assert reasons(outcomes) == ["", "cut", ""]
    assert isinstance(outcomes[1].error, ConnectionCut)
    assert not outcomes[1].error.outcome_known
    assert len(account.state.records) == 3


def test_a_row_that_was_throttled_waits_and_is_sent_again(account: Served) -> None:
    """429 means that nothing happened: the row is made once."""
    account.sim.journal.rules.append(FaultRule("429", match="POST", times=1))
    outcomes = create(account, [row(VAINU), row(SAMLINK)], 2)
    assert reasons(outcomes) == ["", ""]
    assert len(account.state.records) == 2


@pytest.mark.parametrize("version", [1, 2])
def test_wrong_credentials_end_everything_at_once(account: Served, version: int) -> None:
    """They would be wrong for every other row too."""
    rows = [row(NOBODY)] * 50
    with pytest.raises(BadCredentials):
        use(
            account.url,
            lambda client: all_of(client.customer_data.create_many(rows, soon())),
            version,
            api_key="0" * 64,
        )
    assert len(account.calls) <= AT_ONCE + 1


def test_v1_imports_in_batches_one_after_the_other() -> None:
    """Whatever the number of rows, one import at a time; every row has the outcome of its own company."""
    count = ROWS_PER_IMPORT + 20
    rows = [row(MatchData(business_id=f"{number:07}-{number % 10}")) for number in range(count)]
    companies = made_up(count)
    rows = [
        row(MatchData(business_id=company.prospect["business_id"], country="FI"), f"u{company.vid}")
        for company in companies
    ]
    sim = simulator(companies=companies, rows_per_poll=400)
    with serving(sim) as url:
        account = Served(sim, url)
        outcomes = create(account, rows, 1)
        assert [each.company.vid for each in outcomes if each.company] == [company.vid for company in companies]
        assert [account.state.records[each.id].fields["unique_id"] for each in outcomes] == [
            f"u{company.vid}" for company in companies
        ]
        assert len([call for call in account.calls if call.startswith("POST")]) == 2


def test_v1_waits_for_the_import_of_somebody_else(account: Served) -> None:
    """One process at a time (S001, 409): as long as it runs, the rows wait, and then go in."""
    other = account.state.start_job([{"vid": 253870}])
    assert other is not None

    async def act(client: VainuClient) -> list[RowOutcome]:
        task = asyncio.create_task(all_of(client.customer_data.create_many([row(VAINU)], soon(10))))
        while not any(call.startswith("POST") for call in account.calls):  # noqa: ASYNC110 - the server is another thread
            await asyncio.sleep(0.01)
        account.state.advance(other)
        return await task

    assert reasons(account.use(act, 1)) == [""]


def test_v1_tells_that_another_import_runs(account: Served) -> None:
    """At the deadline the rows are told to come later; nothing of them happened."""
    account.state.start_job([{"vid": 253870}])
    (outcome,) = create(account, [row(VAINU)], 1, seconds=0.5)
    assert isinstance(outcome.error, ImportRunning)
    assert (outcome.error.retryable, outcome.error.outcome_known) == (True, True)
    assert account.state.records == {}


def test_two_imports_of_one_client_take_turns(account: Served) -> None:
    """Neither is refused by Vainu: the second begins when the first has ended."""

    async def act(client: VainuClient) -> list[list[RowOutcome]]:
        many = [client.customer_data.create_many([row(match)], soon(10)) for match in (VAINU, SAMLINK)]
        return await asyncio.gather(*map(all_of, many))

    one, other = account.use(act, 1)
    assert reasons(one + other) == ["", ""]
    assert len([call for call in account.calls if call.startswith("POST")]) == 2


def test_v1_tells_what_is_known_at_the_deadline(account: Served) -> None:
    """Rows that are done have their outcome; the others may still be made, and say under which job."""
    names = ["Vainu Finland Oy", "Oy Samlink Ab", "Nobody Oy", "Nobody else Oy", "Nobody at all Oy", "No Oy", "Oy"]
    outcomes = create(account, [row(MatchData(name, country="FI")) for name in names], 1, seconds=0.15)
    assert reasons(outcomes)[:3] == ["", "", "no_match"]
    unfinished = outcomes[-1].error
    assert isinstance(unfinished, ImportUnfinished)
    assert unfinished.job.job_id in account.state.jobs
    assert (unfinished.retryable, unfinished.outcome_known) == (True, False)


def test_v1_an_import_that_fails_in_the_middle_leaves_rows_to_send_again() -> None:
    """The state "failure": rows done have their outcome, the others are to be retried."""
    with serving(simulator(fails_after=1)) as url:
        rows = [row(VAINU), row(SAMLINK)]
        one, other = use(url, lambda client: all_of(client.customer_data.create_many(rows, soon())), 1)
    assert one.error is None
    assert isinstance(other.error, ServerFault)
    assert "failure" in other.error.detail


@pytest.mark.parametrize("fault", ["500", "cut", "drop", "html"])
def test_v1_a_look_that_fails_is_no_end(account: Served, fault: Any) -> None:
    """The import goes on whether or not anybody can look: the next look tells."""
    account.sim.journal.rules.append(FaultRule(fault, match="batch-import", times=2))
    assert reasons(create(account, [row(VAINU)], 1)) == [""]


def test_v1_an_import_whose_start_was_lost_is_not_started_again(account: Served) -> None:
    """It may run: what it makes is found as existing by the next try."""
    account.sim.journal.rules.append(FaultRule("lost_reply", match="POST", times=1))
    (outcome,) = create(account, [row(VAINU)], 1)
    assert isinstance(outcome.error, ConnectionCut)
    assert len([call for call in account.calls if call.startswith("POST")]) == 1


def test_v1_a_deadline_that_has_passed_is_told_row_by_row(account: Served) -> None:
    """No row is lost from the report."""
    outcomes = create(account, [row(VAINU), row(MatchData())], 1, seconds=0)
    assert isinstance(outcomes[0].error, TimedOut | ImportRunning)
    assert isinstance(outcomes[1].error, MatchParameterMissing)


def test_only_v1_has_imports(account: Served) -> None:
    """v2's batch is unknown."""

    async def act(client: VainuClient) -> bool:
        return isinstance(client.customer_data, CustomerDataV1)

    assert (account.use(act, 1), account.use(act, 2)) == (True, False)
