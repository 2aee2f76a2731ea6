"""How sibling processes tell each other what they have counted: over a socket each to the supervisor, in memory.

Every process tells its figures once a second, and when it is scraped; the answer to a scrape is what all have told.
So no scrape tells less than one before it: what a process has told stays true when it dies, within the last second.
One line of JSON a message; the supervisor answers those that ask.
"""

import asyncio
import contextlib
import socket
import threading
import time
from dataclasses import dataclass, field

import msgspec

from gateway.metrics.series import Figures, Snapshot, flat, join

TELL_SECONDS = 1.0
TELL_SECONDS_MOST = 5.0
_ANSWER_SECONDS = 2.0
"""How long the supervisor may take to answer; it looks things up in memory."""
_LONGEST_LINE = 256 * 1024 * 1024


class ExchangeBroken(Exception):
    """The supervisor does not tell what the siblings have counted; a part of it would look like a restart."""


class Told(msgspec.Struct):
    """What a process tells; with a number in `asks` it wants a `Joined` of that number back."""

    snapshot: Snapshot
    asks: int = 0


class Joined(msgspec.Struct):
    """What all processes have told."""

    snapshot: Snapshot
    workers: int
    restarts: int
    started: float
    """Unix seconds, of the supervisor's start."""
    asked: int = 0
    """The number of the question that this answers."""


@dataclass(slots=True)
class Line:
    """The line to one process."""

    theirs: socket.socket
    """The end for the process that is about to start; the caller closes it once that has it."""
    heard_at: float | None = None
    """When the process last told anything, on the monotonic clock; None before the first time."""


@dataclass(slots=True)
class Switchboard:
    """The supervisor's end: keeps what each process told last, and joins it. A thread for each process."""

    restarts: int = 0
    started: float = field(default_factory=time.time)
    _told: dict[int, Snapshot] = field(default_factory=dict)
    _dead: dict[str, Figures] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def connect(self) -> Line:
        """A new line."""
        ours, theirs = socket.socketpair()
        line = Line(theirs)
        threading.Thread(target=self._listen, args=(ours, line), name="metrics", daemon=True).start()
        return line

    def _listen(self, ours: socket.socket, line: Line) -> None:
        key = id(ours)
        with ours, ours.makefile("rwb") as stream, contextlib.suppress(OSError, msgspec.DecodeError):
            for message in stream:
                line.heard_at = time.monotonic()
                told = msgspec.json.decode(message, type=Told)
                with self._lock:
                    self._told[key] = told.snapshot
                    answer = self._joined(told.asks) if told.asks else None
                if answer is not None:
                    stream.write(msgspec.json.encode(answer) + b"\n")
                    stream.flush()
        # of a process that has left nobody expects to hear
        line.heard_at = None
        with self._lock:
            join(self._dead, self._told.pop(key, {}), is_alive=False)

    def _joined(self, asked: int) -> Joined:
        joined: dict[str, Figures] = {}
        join(joined, flat(self._dead))
        for snapshot in self._told.values():
            join(joined, snapshot)
        return Joined(flat(joined), len(self._told), self.restarts, self.started, asked)


class Siblings:
    """A worker process's end."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asking = asyncio.Lock()
        self._asked = 0

    async def open(self) -> None:
        """Take up the line; on the event loop that uses it."""
        self._reader, self._writer = await asyncio.open_connection(sock=self._line, limit=_LONGEST_LINE)

    @property
    def is_cut(self) -> bool:
        """Whether the supervisor has closed the line: it is no more."""
        return self._reader is not None and self._reader.at_eof()

    def tell(self, snapshot: Snapshot) -> None:
        """Tell what was counted; skipped while the supervisor has not read what it was told before."""
        if self._writer is not None and not self._writer.transport.get_write_buffer_size():
            self._writer.write(msgspec.json.encode(Told(snapshot)) + b"\n")

    async def joined(self, snapshot: Snapshot) -> Joined:
        """What all processes counted, with what this one has until now; `ExchangeBroken` if nobody tells."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS), self._asking:
                return await self._ask(snapshot)
        except (OSError, TimeoutError, ValueError, msgspec.DecodeError):
            raise ExchangeBroken from None

    async def _ask(self, snapshot: Snapshot) -> Joined:
        if self._reader is None or self._writer is None:
            raise ConnectionError
        self._asked += 1
        self._writer.write(msgspec.json.encode(Told(snapshot, self._asked)) + b"\n")
        await self._writer.drain()
        while True:
            answer = msgspec.json.decode(await self._reader.readline(), type=Joined)
            # that to a question before may have come too late
            if answer.asked == self._asked:
                return answer
