"""Replays by operators: some by their ids, or all that match a filter; each is counted first if wanted, and audited."""

import contextlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from adapters.deadline import Deadline
from gateway.clock import Clock
from gateway.ids import ID_DIGITS
from gateway.operator.auditing import Actor, Auditing, entry
from gateway.operator.deliveries import LOOK_SECONDS, Deliveries, filter_of
from gateway.operator.errors import BadQuery
from gateway.operator.lines import delivery_lines
from gateway.operator.models import DeliveryLine, ReplayOutcome
from gateway.operator.queries import DeliveryQuery, query_string
from gateway.pushed import BodyFault
from gateway.replays import of_dead_letters, replay_matching
from gateway.store import Store, StoreUnavailable, audit, ledger
from gateway.store.ledger import REPLAYABLE, Entry, Filter
from gateway.worker import Worker

MOST_NAMED = 1_000
"""How many deliveries one request may name."""
SHOWN = 50
ACTION = "replay"
REFERENCE_PATTERN = f"^([0-9]{{1,19}}|(exp|whk|evt)_[{ID_DIGITS}]{{26}})$"
"""What names deliveries: a number, or the id of an export, a webhook or customer events."""
_LONGEST_TARGET = 280


@dataclass(frozen=True, slots=True)
class Replaying:
    """Replays deliveries."""

    store: Store
    worker: Worker
    clock: Clock
    deliveries: Deliveries
    auditing: Auditing

    async def named(self, references: Collection[str], actor: Actor, dry_run: bool) -> ReplayOutcome:
        """Replay these; those that are pending or running are left as they are. `BadQuery` for what is no id."""
        _check_references(references)
        now = self.clock()

        def work(connection: Connection) -> ReplayOutcome:
            found = {each: ledger.replay_ids_of(connection, each) for each in references}
            ids = {delivery_id for each in found.values() for delivery_id in each}
            missing = [each for each, those in found.items() if not those]
            entries = ledger.entries(connection, ids) if dry_run else ledger.replay(connection, ids, now)
            if not dry_run:
                # with the replay or not at all
                audit.append(connection, entry(actor, ACTION, _target(references), "done", _said(entries)), now)
            replayed = [each for each in entries if each.state in REPLAYABLE]
            shown = self._lines(connection, replayed)
            left = self._lines(connection, [each for each in entries if each.state not in REPLAYABLE])
            return ReplayOutcome(dry_run, len(replayed), shown, left, tuple(missing), None)

        by = Deadline.after(LOOK_SECONDS)
        outcome = await (self.store.read(work, by) if dry_run else self.store.write(work, deadline=by))
        if not dry_run:
            self.worker.wake()
        return outcome

    async def matching(
        self, query: DeliveryQuery, actor: Actor, *, everything: bool, up_to: int | None, dry_run: bool
    ) -> ReplayOutcome:
        """Replay all that a query wants, dead letters unless it names states."""
        _check_query(query, everything)

        def look(connection: Connection) -> tuple[Filter, int, tuple[DeliveryLine, ...]]:
            last = ledger.newest_id(connection) if up_to is None else up_to
            wanted = replace(of_dead_letters(filter_of(connection, query)), up_to=last)
            number = sum(ledger.count(connection, wanted).values())
            return wanted, number, self._lines(connection, ledger.search(connection, wanted, SHOWN).entries)

        wanted, number, first = await self.store.read(look, Deadline.after(LOOK_SECONDS))
        if not dry_run:
            number = await self._replay(query, wanted, actor)
        return ReplayOutcome(dry_run, number, first, (), (), wanted.up_to)

    async def _replay(self, query: DeliveryQuery, wanted: Filter, actor: Actor) -> int:
        target = query_string(replace(query, cursor=None)) or "every dead letter"
        await self.auditing.append(entry(actor, ACTION, target, "begun"))
        try:
            number = await replay_matching(self.store, wanted, self.clock)
        except StoreUnavailable as error:
            with contextlib.suppress(StoreUnavailable):
                await self.auditing.append(entry(actor, ACTION, target, "failed", str(error)))
            raise
        self.worker.wake()
        await self.auditing.append(entry(actor, ACTION, target, "done", f"{number} replayed"))
        return number

    def _lines(self, connection: Connection, entries: Sequence[Entry]) -> tuple[DeliveryLine, ...]:
        return delivery_lines(connection, entries[:SHOWN], self.deliveries.redaction())


def _target(references: Collection[str]) -> str:
    text = f"deliver{'y' if len(references) == 1 else 'ies'} {', '.join(references)}"
    return text if len(text) <= _LONGEST_TARGET else f"{text[:_LONGEST_TARGET]}…"


def _said(entries: Sequence[Entry]) -> str:
    replayed = sum(each.state in REPLAYABLE for each in entries)
    left = len(entries) - replayed
    return f"{replayed} replayed" + (f", {left} left as they were" if left else "")


def _check_references(references: Collection[str]) -> None:
    faults = []
    for number, each in enumerate(references):
        if not re.fullmatch(REFERENCE_PATTERN.strip("^$"), each):
            message = "expected a delivery's number, a webhook's whk_…, an export's exp_… or customer events' evt_…"
            faults.append(BodyFault(f"deliveries[{number}]", message))
    if not references:
        faults.append(BodyFault("deliveries", "expected at least one"))
    if len(references) > MOST_NAMED:
        faults.append(BodyFault("deliveries", f"expected at most {MOST_NAMED:,}; name a filter instead"))
    if faults:
        raise BadQuery(faults[:20])


def _check_query(query: DeliveryQuery, everything: bool) -> None:
    """An empty filter is more often a slip than a wish, and what is not finished cannot be replayed."""
    states = {str(state) for state in query.state}
    unfinished = sorted(states - set(map(str, REPLAYABLE)))
    if unfinished:
        known = ", ".join(REPLAYABLE)
        raise BadQuery([BodyFault("filter.state", f"{unfinished[0]} cannot be replayed; expected {known}")])
    narrowed = replace(query, state=(), limit=DeliveryQuery().limit, cursor=None) != DeliveryQuery()
    if everything or narrowed:
        return
    if states - {"dead"}:
        message = f"that is every delivery that is {' or '.join(sorted(states))}; narrow it, or send all: true"
        raise BadQuery([BodyFault("filter", message)])
    if not states:
        raise BadQuery([BodyFault("filter", "narrow it, or send all: true for every dead letter")])
