"""`gateway events push`: a file of customer events, through the store, to the CRM.

The rows are kept before any is sent, as those of a request are. This process pushes them itself, beside the gateways
that run on the same store; what it leaves behind they finish. The same file again goes on where it was left: rows
that were kept are not kept again.
"""

import asyncio
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from adapters.deadline import Deadline
from adapters.plain_text import one_line
from gateway import logs
from gateway.attempts import Attempts
from gateway.batches import Batches
from gateway.clock import now_ms
from gateway.commands.configuration import load_settings, require_connection
from gateway.commands.event_file import EventFile, read_file
from gateway.commands.failures import WorkFailed, WrongUse
from gateway.commands.output import console
from gateway.event_work import IDENTIFIER, EventWork, bulk_events, delivery_kind
from gateway.events import Events, Report, new_row
from gateway.ids import new_id
from gateway.runtime import LiveConnection, Runtime
from gateway.settings import Settings
from gateway.storage import store_of
from gateway.store import DeliveryState, Store, StoreUnavailable, events
from gateway.store.events import NewEvents
from gateway.worker import Worker

_KEPT_AT_ONCE = 500
"""Rows of one commit: others who write wait only that long."""
_TOLD_EVERY_SECONDS = 2.0
_DRAIN_SECONDS = 5.0
_FAILURES_SHOWN = 50
"""On a terminal; a file or a pipe gets all."""


@dataclass(frozen=True, slots=True)
class Push:
    """What is to be done."""

    connection: str
    kind: str
    file: EventFile
    again: bool
    """Push rows once more that were pushed before."""
    wait: float | None
    """Seconds to wait for the rows to be finished; None is as long as it takes."""


def run(config: str | None, push: Push, report: str | None) -> int:
    """Push a file; 1 if a row failed, or is not finished in time."""
    logs.configure(json=False, level=logs.ERROR)
    _path, settings = load_settings(config)
    require_connection(settings, push.connection)
    if report is not None and not Path(report).absolute().parent.is_dir():
        # before the work, not after it
        raise WrongUse(f"--report {report}: its folder does not exist")
    try:
        found = asyncio.run(_push(settings, push))
    except StoreUnavailable as error:
        raise WorkFailed(str(error)) from None
    except KeyboardInterrupt:
        raise WorkFailed(
            "interrupted; a gateway that runs on the same store finishes what was kept, and so does this command "
            "with the same file"
        ) from None
    if report is not None:
        _write(report, push, found)
    _tell(found)
    return 1 if found.failed or found.pending else 0


async def _push(settings: Settings, push: Push) -> Report:
    # the rows of this connection only: the rest is the service's
    only = settings.model_copy(update={"connections": {push.connection: settings.connections[push.connection]}})
    runtime = Runtime(only)
    try:
        rows = _checked(runtime.connections[push.connection], push)
        store = store_of(settings.storage)
        await asyncio.to_thread(store.open)
        try:
            return await _worked_on(store, runtime, push, rows)
        finally:
            await asyncio.to_thread(store.close)
    finally:
        await runtime.close()


def _checked(live: LiveConnection, push: Push) -> Sequence[Mapping[str, Any]]:
    """The rows, fit to be kept; `WrongUse` with every fault of every one."""
    adapter = bulk_events(live, push.kind)
    if adapter is None:
        known = ", ".join(getattr(live.adapter, "event_kinds", ())) or "none"
        raise WrongUse(f'"{live.name}" takes no customer events of the kind "{push.kind}"; its CRM takes {known}')
    key = new_id("push", now_ms()) if push.again else f"{push.connection}:{_digest(push)}"
    read = adapter.read_event_body(push.kind, push.file.body, key)
    if read.faults:
        raise WrongUse("\n".join([*map(push.file.told, read.faults), "nothing was kept, nothing was sent"]))
    return read.rows


def _digest(push: Push) -> str:
    return hashlib.sha256(push.file.raw).hexdigest()


async def _worked_on(store: Store, runtime: Runtime, push: Push, rows: Sequence[Mapping[str, Any]]) -> Report:
    batches = Batches(store, EventWork(), now_ms, lambda _connection, _kind, _outcomes: None)
    worker = Worker(store, runtime, Attempts(runtime, {}), batches=batches)
    use = Events(store, worker, batches, now_ms)
    request_id = await _keep(store, push, rows)
    working = asyncio.create_task(worker.run())
    try:
        await _wait(use, store, push, request_id)
    finally:
        await worker.drain(_DRAIN_SECONDS)
        working.cancel()
        await asyncio.wait([working])
    return await use.report(push.connection, push.kind, request_id) or Report(request_id, [], [], [])


async def _keep(store: Store, push: Push, rows: Sequence[Mapping[str, Any]]) -> str:
    """Keep the rows that are not kept yet; the id of the request that they are."""
    name, kind = push.connection, delivery_kind(push.kind)
    request_id = new_id("evt", now_ms())
    prefix = f"file:{request_id if push.again else _digest(push)}"
    new = 0
    for first in range(0, len(rows), _KEPT_AT_ONCE):
        # whoever kept the first row has named the request: an earlier push of the file, or one beside us
        known = await store.read(lambda c: events.request_of(c, name, kind, f"{prefix}:0"))
        request_id = known or request_id
        some = [
            new_row(row, f"{prefix}:{place}") for place, row in enumerate(rows[first : first + _KEPT_AT_ONCE], first)
        ]
        new += await store.write_many(events.keep, NewEvents(request_id, name, kind, some, first), "events.keep")
    if new < len(rows):
        sys.stderr.write(
            f"{len(rows) - new:,} of {len(rows):,} rows were pushed before and are not pushed again; --again does\n"
        )
    return request_id


async def _wait(use: Events, store: Store, push: Push, request_id: str) -> None:
    """Wait until every row is finished, and tell how it goes, on stderr."""
    until = None if push.wait is None else Deadline.after(push.wait)
    out = Console(stderr=True, highlight=False)
    told = ""
    with out.status("") as status:
        while until is None or until.remaining() > 0:
            tick = _TOLD_EVERY_SECONDS if until is None else until.earlier(_TOLD_EVERY_SECONDS)
            if await use.ended(push.connection, push.kind, request_id, Deadline.after(tick)):
                return
            counts = await store.read(
                lambda c: events.counts_of(c, push.connection, delivery_kind(push.kind), request_id)
            )
            line = _progress(counts)
            status.update(line)
            if not out.is_terminal and line != told:
                out.print(line)
            told = line


def _progress(counts: Mapping[DeliveryState, int]) -> str:
    done, dead = counts.get(DeliveryState.DONE, 0), counts.get(DeliveryState.DEAD, 0)
    return f"{done:,} of {sum(counts.values()):,} rows done, {dead:,} failed"


def _tell(found: Report) -> None:
    out = console()
    shown = found.failed[:_FAILURES_SHOWN] if out.is_terminal else found.failed
    for row in shown:
        # on one line each, and nothing in it steers the terminal
        said = (one_line(row.get(name), 1_000) for name in (IDENTIFIER, "error_code", "error_description"))
        out.print(Text.assemble(("failed  ", "red"), "  ".join(said)), soft_wrap=True)
    if len(found.failed) > len(shown):
        out.print(f"and {len(found.failed) - len(shown):,} more; --report FILE holds all of them")
    rows = len(found.processed) + len(found.failed) + len(found.pending)
    out.print(
        f"{len(found.processed):,} of {rows:,} rows done, {len(found.failed):,} failed, {len(found.pending):,} wait",
        soft_wrap=True,
    )
    if found.failed:
        out.print(f"they are dead letters; gateway deliveries show {found.request_id} says what to do", soft_wrap=True)
    if found.pending:
        out.print("a gateway that runs on the same store finishes those that wait", soft_wrap=True)


def _write(report: str, push: Push, found: Report) -> None:
    told = {
        "connection": push.connection,
        "kind": push.kind,
        "id": found.request_id,
        "processed": found.processed,
        "failed": found.failed,
        "pending": found.pending,
    }
    try:
        Path(report).write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    except OSError as error:
        raise WorkFailed(f"--report {report}: {error.strerror}; the rows were pushed") from None


def push_of(connection: str, kind: str, file: str, again: bool, wait: float | None) -> Push:
    """What the command line means; `WrongUse` if the file cannot be read."""
    return Push(connection, kind, read_file(file), again, wait)
