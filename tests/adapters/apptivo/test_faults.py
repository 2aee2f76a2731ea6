"""What goes wrong on the way: every fault as the right error, in time, without a secret."""

import time

import pytest

from adapters.contract import (
    BadCredentials,
    ConnectionCut,
    RemoteError,
    ServerFault,
    Throttled,
    TimedOut,
    UnexpectedReply,
    Unreachable,
)


def _check(adapter, deadline):
    return adapter.check(deadline)


def test_check_tells_what_the_account_can_do(bench):
    """One line: how much of customers and opportunities the keys can read, and the lengths of the firm's lists."""
    bench.state.add_customers(7)
    deals = len(bench.state.tables["opportunities"])
    lists = "statuses 2, industries 4, employee ranges 5"
    assert bench.run(_check).summary == f"Apptivo: customers 7, opportunities {deals}, {lists}"
    bench.fault("html", "/app/dao/v6/opportunities")
    refused = "opportunities cannot be listed (unexpected_reply)"
    assert bench.run(_check).summary == f"Apptivo: customers 7, {refused}, {lists}"


@pytest.mark.parametrize("key", ["api_key", "access_key"])
def test_a_wrong_key_is_told_although_apptivo_answers_200(bench, key):
    """Status FAILURE with "Key" in its reason means bad credentials; the key itself does not show."""
    with pytest.raises(BadCredentials) as raised:
        bench.run(_check, **{key: "wrong-secret-key"})
    assert "wrong-secret-key" not in raised.value.detail
    assert len(bench.lines("getConfigData")) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("500", ServerFault),
        ("503", ServerFault),
        ("429", Throttled),
        ("html", UnexpectedReply),
        ("empty", UnexpectedReply),
        ("nonsense", UnexpectedReply),
        ("cut", ConnectionCut),
        ("drop", ConnectionCut),
        ("lost_reply", ConnectionCut),
    ],
)
def test_each_fault_has_its_error(bench, fault, error):
    """Nothing but the contract's errors leaves the adapter."""
    bench.fault(fault, "getConfigData")
    with pytest.raises(error):
        bench.run(_check)


@pytest.mark.parametrize("fault", ["500", "html", "empty", "nonsense", "cut", "drop"])
def test_a_read_that_failed_once_is_repeated(bench, fault):
    """A throttled reply of Apptivo is just one without the expected key (phpmt): reads are asked once more."""
    bench.fault(fault, "getConfigData", times=1)
    assert bench.run(_check).summary.startswith("Apptivo: ")
    assert len(bench.lines("getConfigData")) == 2


def test_a_feed_source_that_is_nonsense_is_an_error_not_empty(bench, pushed):
    """An unknown shape is never an empty feed."""

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        bench.fault("nonsense", "getNotes")
        await adapter.activities("notes", record_id, 10, deadline)

    with pytest.raises(UnexpectedReply, match="expected a list under notes"):
        bench.run(act)


def test_the_deadline_ends_a_call(bench):
    """A server that hangs costs the budget and no more."""
    bench.fault("delay", "getConfigData", seconds=2)
    started = time.perf_counter()
    with pytest.raises(TimedOut):
        bench.run(_check, seconds=0.3)
    assert time.perf_counter() - started < 1.5


def test_a_server_that_is_not_there_is_unreachable(bench):
    """Nothing listens on the discard port of loopback: nothing was sent."""
    with pytest.raises(Unreachable):
        bench.run(_check, base_url="http://127.0.0.1:9")


def test_a_failed_update_may_be_sent_again(bench, pushed):
    """An update sends the whole object, so one whose connection broke is repeated."""

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        await adapter.update(record_id, pushed(document={"phone": "123456"}), deadline)

    bench.fault("drop", "a=update", times=1)
    bench.run(act)
    assert len(bench.lines("a=update")) == 2


def test_every_method_raises_only_remote_errors(bench, pushed):
    """With every call broken in every way, each method ends in a RemoteError."""
    acts = [
        lambda adapter, deadline: adapter.find(pushed(), deadline),
        lambda adapter, deadline: adapter.create(pushed(), deadline),
        lambda adapter, deadline: adapter.update("1", pushed(), deadline),
        lambda adapter, deadline: adapter.exists("1", deadline),
        lambda adapter, deadline: adapter.activities("newsfeed", "1", 5, deadline),
    ]
    for fault in ("html", "cut", "nonsense"):
        bench.fault(fault)
        for act in acts:
            with pytest.raises(RemoteError):
                bench.run(act, seconds=0.5)
        bench.app.journal.rules.clear()


def test_calls_are_observed_by_app_and_action(bench):
    """Metrics and health hear of every call under a fixed name."""
    bench.run(lambda adapter, deadline: adapter.exists("1", deadline))
    assert [(call.system, call.action) for call in bench.calls] == [("apptivo", "customers.getById")]
