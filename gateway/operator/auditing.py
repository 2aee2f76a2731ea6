"""The audit log as operators use it: who did what, to what, from where, and how it ended."""

from dataclasses import dataclass

from sqlalchemy import Connection

from adapters.deadline import Deadline
from gateway.clock import Clock
from gateway.operator import cursors
from gateway.operator.lines import audit_line
from gateway.operator.models import Page
from gateway.operator.queries import AuditQuery
from gateway.operator.status import AuditLine
from gateway.store import Store, audit
from gateway.store.audit import NewEntry

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something."""

    who: str
    """`token` and the token's name, an e-mail address of OIDC, or `unknown`."""
    address: str
    """Where the request came from (`gateway.http.inbound.address_of`)."""


def entry(actor: Actor, action: str, target: str = "", outcome: str = "done", detail: str = "") -> NewEntry:
    """What is appended for something that was done."""
    return NewEntry(actor.who, action, target, actor.address, outcome, detail)


@dataclass(frozen=True, slots=True)
class Auditing:
    """Appends to the log and reads it."""

    store: Store
    clock: Clock

    async def append(self, new: NewEntry) -> None:
        """Keep an entry, durably, before this returns; `StoreUnavailable`."""
        now = self.clock()
        await self.store.write(lambda c: audit.append(c, new, now), deadline=Deadline.after(_SECONDS))

    async def page(self, query: AuditQuery) -> Page[AuditLine]:
        """The log, newest first; `BadQuery` for a bad cursor."""
        before = None if query.cursor is None else cursors.read_audit(query.cursor)

        def look(connection: Connection) -> list[audit.Entry]:
            return audit.page(connection, query.limit + 1, before, query.who, query.action)

        found = await self.store.read(look, Deadline.after(_SECONDS))
        shown = found[: query.limit]
        after = cursors.of_audit(shown[-1].id) if len(found) > query.limit else None
        return Page(tuple(map(audit_line, shown)), after, None)
