"""The names of lease holders: a dead one is recognised on its own machine, and nobody else is judged."""

import os
import subprocess
import sys

from gateway.owner import is_gone, new_owner


def owner_of(code: str = "") -> tuple[str, "subprocess.Popen[str]"]:
    """The name of a process of its own, which runs on until its input ends."""
    program = f"from gateway.owner import new_owner; print(new_owner(), flush=True); {code or 'input()'}"
    process = subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True)
    assert process.stdout is not None
    return process.stdout.readline().strip(), process


def test_one_that_was_killed() -> None:
    """Alive it is not gone; killed it is, whether or not it has been buried."""
    owner, process = owner_of()
    with process:
        assert not is_gone(owner)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(owner), "dead, and its parent has not looked yet"
        process.wait()
        assert is_gone(owner)


def test_a_process_id_that_came_again() -> None:
    """The id of a living process with another start is a dead one's name."""
    host, machine, pid, started, token = new_owner().rsplit("-", 4)
    assert not is_gone("-".join((host, machine, pid, started, token)))
    assert is_gone("-".join((host, machine, pid, str(int(started) - 1), token)))


def test_others_are_not_judged() -> None:
    """Another machine's process, and a name of another form, are never called gone."""
    host, _machine, _pid, started, token = new_owner().rsplit("-", 4)
    assert not is_gone("-".join((host, "0123456789ab", "999999999", started, token)))
    assert not is_gone("-".join((host, "", "999999999", started, token)))
    assert not is_gone("gateway-4711-deadbeef")


def test_names_differ_and_fit() -> None:
    """No two names are alike, and each fits its column of 64 characters."""
    names = {new_owner() for _ in range(100)}
    assert len(names) == 100
    assert max(map(len, names)) <= 64
