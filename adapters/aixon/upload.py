"""Bodies out: the first makes the cell, the later ones update it, and nothing is lost or doubled unseen.

What may be repeated, and why, is in NOTES.md, "Repeats".
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from adapters.aixon.cells import Cell, Creation, found
from adapters.aixon.client import UPLOAD_SECONDS, AixonClient
from adapters.aixon.spool import Body, KeptRow
from adapters.aixon.staging import Staging
from adapters.contract import RemoteError
from adapters.deadline import Deadline

LIST_SECONDS = 30.0
MOST_TRIES = 4
LONGEST_PAUSE = 60.0
LOOK_AFTER = 5.0
"""Seconds after a create without an answer before the list is asked: how soon a new cell is in it, nobody says (U)."""

State = Cell | Creation | None
"""What is remembered of the connection's cell: it is there; it may be there; there was none yet.

`msgspec.json.encode` writes it, `msgspec.json.decode(text, type=Cell | Creation)` reads it.
"""


class Journal(Protocol):
    """What the caller keeps durably, so that a run that was killed goes on where it stopped."""

    async def creating(self, creation: Creation) -> None:
        """Keep this in the state's place, on disk when this returns: the create goes out next."""
        ...

    async def taken(self, cell: Cell, rows: Iterator[KeptRow]) -> None:
        """Keep the cell in the state's place, and each row's digest by its uid: Aixon has queued them."""
        ...


@dataclass(slots=True)
class Sent:
    """What a run sent."""

    rows: int = 0
    bodies: int = 0
    size: int = 0
    """Bytes of all bodies."""
    cell: Cell | None = None


def pause_before(error: RemoteError, tries: int) -> float | None:
    """Seconds to wait before the same is tried again, after so many tries; None to give up."""
    if not error.retryable or tries >= MOST_TRIES:
        return None
    if error.retry_after is not None:
        # longer than this is for the next run
        return error.retry_after if error.retry_after <= LONGEST_PAUSE else None
    return float(2**tries) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, nothing secret


class Upload:
    """Sends one sealed staging. `description` is for a cell that has to be made."""

    def __init__(
        self,
        client: AixonClient,
        staging: Staging,
        state: State,
        journal: Journal,
        *,
        description: str,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._staging = staging
        self._cell = state if isinstance(state, Cell) else None
        self._creation = state if isinstance(state, Creation) else None
        self._journal = journal
        self._description = description
        self._pause = pause

    async def run(self) -> Sent:
        """Send every body. `RemoteError` where one cannot be sent: what `taken` heard of stays sent."""
        sent = Sent(cell=self._cell)
        bodies = self._staging.bodies()
        # to cut a body of 32 MB means to read an index of 150,000 rows, in which the event loop would stand still
        while (body := await asyncio.to_thread(next, bodies, None)) is not None:
            cell = await self._send(body)
            await self._journal.taken(cell, body.taken())
            sent = Sent(sent.rows + body.rows, sent.bodies + 1, sent.size + body.size, cell)
        return sent

    async def _send(self, body: Body) -> Cell:
        if self._cell is None and self._creation is not None:
            self._cell = await self._look_up(self._creation)
        if self._cell is None:
            self._cell, is_created = await self._create(body)
            if is_created:
                return self._cell
        cell, header = self._cell, self._staging.header
        # a PATCH carries exactly the cell's columns, so the first body that brings new ones is a PUT
        call = self._client.update if cell.header == header else self._client.overwrite
        await self._repeated(lambda: call(cell.id, body, self._staging.content_type, _upload_deadline()))
        self._cell = Cell(cell.id, header)
        return self._cell

    async def _repeated(self, call: Callable[[], Awaitable[None]]) -> None:
        """An update, tried again for a passing failure: S002 keeps one record a customuid, so twice is as once."""
        tries = 0
        while True:
            tries += 1
            try:
                return await call()
            except RemoteError as error:
                seconds = pause_before(error, tries)
                if seconds is None:
                    raise
            await self._pause(seconds)

    async def _create(self, body: Body) -> tuple[Cell, bool]:
        """The new cell, and whether Aixon said that it took the rows: a cell that was only found may lack them."""
        before = tuple(cell.id for cell in await self._client.list(_list_deadline()))
        creation = Creation(self._description, self._staging.header, before)
        await self._journal.creating(creation)
        tries, may_be_there = 0, False
        while True:
            tries += 1
            try:
                made = await self._client.create(
                    creation.description, body, self._staging.content_type, _upload_deadline()
                )
                return Cell(made, creation.header), True
            except RemoteError as error:
                seconds = pause_before(error, tries)
                may_be_there = may_be_there or not error.outcome_known
                if seconds is None and not may_be_there:
                    raise
                failure = error
            await self._pause(max(seconds or 0.0, LOOK_AFTER if may_be_there else 0.0))
            if may_be_there and (cell := await self._look_up(creation)) is not None:
                return cell, False
            if seconds is None:
                raise failure

    async def _look_up(self, creation: Creation) -> Cell | None:
        """The cell that a create without an answer made, if Aixon lists one."""
        resource = found(creation, await self._client.list(_list_deadline()))
        return None if resource is None else Cell(resource, creation.header)


def _list_deadline() -> Deadline:
    return Deadline.after(LIST_SECONDS)


def _upload_deadline() -> Deadline:
    return Deadline.after(UPLOAD_SECONDS)
