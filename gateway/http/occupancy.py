"""How many connections one process holds, and which of them go when another comes: never one that is being served.

Whoever opens thousands of connections and is silent on them, or sends nothing more on them after a request, holds a
file descriptor each; without a bound the process runs out of them, and nobody can call it any more.
"""

import heapq
import resource
from collections.abc import Iterable
from typing import Protocol

MOST = 12_288
"""Connections of one process, some 30 kB of memory each: ten thousand callers may wait for a slow CRM at once."""
_RESERVED = 256
"""Descriptors for the store, the remote systems and files."""
_AT_ONCE = 64
"""How many idle connections go when there is no room: to look for them costs a look at all."""


class Idling(Protocol):
    """A connection, as far as room is concerned."""

    def idle_since(self) -> float | None:
        """When it last became idle, on the event loop's clock; None while a request is being served."""
        ...

    def give_way(self) -> None:
        """Close it."""
        ...


def lift_limit() -> None:
    """Lift the process's limit of descriptors to what `MOST` connections need, as far as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + _RESERVED
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def most_connections() -> int:
    """How many connections this process may hold."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - _RESERVED))


def make_room(connections: Iterable[Idling]) -> bool:
    """Close those that have been idle for longest; False if all are being served."""
    since = ((each.idle_since(), number, each) for number, each in enumerate(connections))
    idle = [(at, number, each) for at, number, each in since if at is not None]
    for _at, _number, each in heapq.nsmallest(_AT_ONCE, idle):
        each.give_way()
    return bool(idle)
