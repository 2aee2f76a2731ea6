"""Runs of the customer sync: a list, one with its progress, and a new one in the background."""

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from adapters.deadline import Deadline
from adapters.precedence import Precedence
from gateway.clock import moment
from gateway.operator import cursors
from gateway.operator.auditing import Actor, Auditing, entry
from gateway.operator.connections import Connections
from gateway.operator.errors import Conflict, NoSuch
from gateway.operator.lines import at
from gateway.operator.models import Page
from gateway.operator.queries import SyncQuery
from gateway.operator.redacted import Redaction
from gateway.operator.status import SyncLine
from gateway.store import Store, sync_runs
from gateway.store.sync_runs import SyncRun, SyncRunning
from gateway.sync.order import CannotSync, Order
from gateway.sync.progress import Counts
from gateway.sync.schedule import Schedule

_SECONDS = 5.0
_LARGEST = 2**63 - 1
ACTION = "sync.start"


@dataclass(frozen=True, slots=True)
class SyncRuns:
    """Looks at runs and begins them."""

    store: Store
    connections: Connections
    schedule: Schedule
    auditing: Auditing
    precedence: Precedence

    async def page(self, query: SyncQuery) -> Page[SyncLine]:
        """Runs, newest first; `BadQuery` for a bad cursor."""
        before = None if query.cursor is None else cursors.read_sync(query.cursor)

        def look(connection: Connection) -> list[SyncRun]:
            return sync_runs.page(connection, query.limit + 1, before, query.connection)

        found = await self.store.read(look, Deadline.after(_SECONDS))
        shown = found[: query.limit]
        after = cursors.of_sync(shown[-1].id) if len(found) > query.limit else None
        return Page(tuple(map(self._line, shown)), after, None)

    async def one(self, run_id: int) -> SyncLine:
        """A run as it stands; `NoSuch`."""
        by = Deadline.after(_SECONDS)
        found = None if run_id > _LARGEST else await self.store.read(lambda c: sync_runs.by_id(c, run_id), by)
        if found is None:
            raise NoSuch("no_such_sync", "no sync with this number is kept")
        return self._line(found)

    async def start(self, order: Order, actor: Actor) -> SyncLine:
        """Begin a run, which goes on in this process; `NoSuch`, `Conflict`."""
        live = self.connections.live(order.connection)
        target = _target(order)
        await self.auditing.append(entry(actor, ACTION, target, "begun"))
        try:
            # nobody waits for a sync: its calls give way, as those of a scheduled one do
            with self.precedence.giving_way():
                run_id = await self.schedule.begin(live, order)
        except CannotSync as error:
            await self.auditing.append(entry(actor, ACTION, target, "refused", str(error)))
            raise Conflict("cannot_sync", str(error)) from None
        except SyncRunning as error:
            await self.auditing.append(entry(actor, ACTION, target, "refused", str(error)))
            raise Conflict("sync_running", f"{error}: run {error.run.id}; wait for its end") from None
        await self.auditing.append(entry(actor, ACTION, target, "done", f"run {run_id}"))
        return await self.one(run_id)

    def _line(self, run: SyncRun) -> SyncLine:
        counts = msgspec.to_builtins(msgspec.json.decode(run.counts, type=Counts))
        redaction = Redaction(self.connections.runtime.settings)
        state: Any = run.state
        return SyncLine(
            id=run.id,
            connection=run.connection,
            target=run.target,
            state=state,
            dry_run=run.dry_run,
            since=at(run.since),
            phase=run.phase,
            counts=counts,
            total=run.total,
            percent=_percent(run, counts["customers"]),
            detail=redaction.optional(run.detail),
            started_at=moment(run.started_at),
            updated_at=moment(run.updated_at),
            ended_at=at(run.ended_at),
        )


def _percent(run: SyncRun, customers: int) -> float | None:
    if run.state == "done":
        return 100.0
    return None if not run.total else min(100.0, round(100 * customers / run.total, 1))


def _target(order: Order) -> str:
    options = [
        word for word, is_on in (("dry run", order.dry_run), ("delete", order.delete), ("full", order.full)) if is_on
    ]
    return f"{order.connection} to {order.target}" + (f" ({', '.join(options)})" if options else "")
