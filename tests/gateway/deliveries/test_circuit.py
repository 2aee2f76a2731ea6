"""The circuit: after repeated failure nothing is sent for a while, then one call, and all again once that works."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import ConnectionCut, Refused, RemoteError, ServerFault, Throttled, TimedOut
from gateway.pace import Circuit

NOW = 1_700_000_000_000
DOWN, ALIVE = ServerFault("x"), Refused("no")


def opened(at: int = NOW) -> Circuit:
    circuit = Circuit()
    for _failure in range(5):
        assert circuit.wait_until(at) is None
        circuit.failed(DOWN, at)
    return circuit


def test_five_failures_in_a_row_open_it() -> None:
    """The fifth failure in a row opens it for two seconds; four do not, nor five with an answer between."""
    circuit = Circuit()
    for error in (DOWN, TimedOut("x"), ConnectionCut("x"), DOWN):
        circuit.failed(error, NOW)
    assert circuit.wait_until(NOW) is None

    circuit.failed(ALIVE, NOW)
    circuit.failed(DOWN, NOW)
    assert not circuit.is_open

    assert opened().wait_until(NOW) == NOW + 2_000


def test_a_refusal_is_an_answer() -> None:
    """A remote system that says no, or asks to slow down, works: it never opens the circuit."""
    circuit = Circuit()
    for _call in range(50):
        circuit.failed(ALIVE, NOW)
        circuit.failed(Throttled("x"), NOW)
    assert not circuit.is_open


def test_one_call_tries_and_closes_it() -> None:
    """When its time is over one call goes ahead, the others wait; if it works, all go ahead."""
    circuit = opened()
    assert circuit.lets_through(NOW + 2_000)
    assert circuit.wait_until(NOW + 2_000) is None
    assert not circuit.lets_through(NOW + 2_000)
    assert circuit.wait_until(NOW + 2_000) == NOW + 2_500

    circuit.worked()

    assert [circuit.wait_until(NOW + 2_000) for _call in range(3)] == [None] * 3


def test_each_trial_that_fails_doubles_the_wait() -> None:
    """Two seconds, four, eight … at most a minute; once closed it begins anew."""
    circuit, now, waits = opened(), NOW, []
    for _trial in range(8):
        assert circuit.open_until is not None
        waits.append(circuit.open_until - now)
        now = circuit.open_until
        assert circuit.wait_until(now) is None
        circuit.failed(DOWN, now)
    assert waits == [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]

    circuit.worked()
    for _failure in range(5):
        circuit.failed(DOWN, now)
    assert circuit.open_until == now + 2_000


def test_calls_that_were_under_way_are_one_fault() -> None:
    """Sixty calls that fail together, because the remote system went down once, open it for two seconds, no longer."""
    circuit = opened()
    for _call in range(60):
        circuit.failed(DOWN, NOW + 100)
    assert circuit.open_until == NOW + 2_000


def test_a_trial_that_is_given_up_may_be_made_again() -> None:
    """A drain cancels the trial: that says nothing, and the next call is the trial."""
    circuit = opened()
    assert circuit.wait_until(NOW + 2_000) is None
    circuit.abandoned()
    assert circuit.wait_until(NOW + 2_000) is None


@given(st.lists(st.tuples(st.sampled_from(["ask", "worked", "down", "alive", "gone"]), st.integers(0, 70_000))))
def test_it_never_stays_closed_to_all(steps: list[tuple[str, int]]) -> None:
    """Whatever happens, some call goes ahead within a minute after the last, and while open one at a time."""
    circuit, now, on_trial = Circuit(), NOW, False
    outcomes: dict[str, RemoteError] = {"down": DOWN, "alive": ALIVE}
    for step, ms in steps:
        now += ms
        if step == "ask":
            was_open = circuit.is_open
            goes = circuit.wait_until(now) is None
            assert not (goes and was_open and on_trial)
            on_trial = on_trial or (goes and was_open)
        elif step == "gone":
            circuit.abandoned()
            on_trial = False
        else:
            circuit.worked() if step == "worked" else circuit.failed(outcomes[step], now)
            on_trial = False
    circuit.abandoned()
    assert circuit.wait_until(now + 60_000) is None
