"""Who holds a lease: a name that tells, to a process on the same machine, whether its holder still lives.

A killed process cannot give its leases back. Where its name shows that it is gone, nobody has to wait until they run
out; a holder on another machine, or in another container, is never judged.
"""

import hashlib
import os
import secrets
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


def new_owner() -> str:
    """A name for this process, unlike any other, of at most 64 characters."""
    return f"{socket.gethostname()[:20]}-{_machine()}-{os.getpid()}-{_started(os.getpid())}-{secrets.token_hex(3)}"


def is_gone(owner: str) -> bool:
    """Whether the process of this name surely runs no more; False wherever that cannot be known."""
    holder = _read(owner)
    if holder is None or not holder.machine or holder.machine != _machine():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        # it lives, and is somebody else's; or it is another process by now, which cannot be told from here
        pass
    now = _started(holder.pid)
    return bool(now) and now != holder.started


@dataclass(frozen=True, slots=True)
class _Holder:
    machine: str
    pid: int
    started: str


def _read(owner: str) -> _Holder | None:
    _host, *rest = owner.rsplit("-", 4)
    if len(rest) != 4 or not rest[1].isdecimal():
        return None
    machine, pid, started, _token = rest
    return _Holder(machine, int(pid), started)


@cache
def _machine() -> str:
    """Where process ids mean the same: a boot of a Linux kernel and a PID namespace in it; "" where that is unknown."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:12]


def _started(pid: int) -> str:
    """When a process started, in ticks since boot: process ids come again (proc(5), `stat`).

    "over" if it only waits to be buried, "" if that is unknown.
    """
    try:
        # the name, in brackets, may hold anything
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "over" if fields[0] in "ZX" else fields[19]
