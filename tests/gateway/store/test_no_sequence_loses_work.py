"""Whatever happens in whatever order to the real store, no work is lost and none is done twice.

A model of a few lines stands beside the store: what was acknowledged, who holds what, what ended. Each step is done to
both, and after each step both must say the same.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, delete, func, select

from gateway.store import DeliveryState, claims, deliveries, inbox, ledger, retention
from gateway.store.claims import Lease
from gateway.store.deliveries import Delivery, Ending, NewDelivery
from gateway.store.inbox import InboundEvent
from gateway.store.tables import WAITS_ITS_TURN
from gateway.store.tables import attempts as attempts_table
from gateway.store.tables import deliveries as deliveries_table
from tests.gateway.store.conftest import Bench

NAME, KIND, FOLLOW_UP = "acme", "crm_webhook", "follow_up"
LEASE_MS, SECOND = 6_000, 1_000
KEYS, WORKERS = ("1", "2"), ("a", "b")
PENDING, RUNNING, DONE, DEAD, IGNORED = DeliveryState
FINISHED = (DONE, DEAD, IGNORED)


@dataclass
class Row:
    """What the model knows of a delivery."""

    key: str
    state: DeliveryState = PENDING
    due: int = 0
    attempts: int = 0
    owner: str | None = None
    lease_until: int = 0
    finished_at: int | None = None


@dataclass
class Held:
    """What a worker has in its hands: the delivery as it was claimed, and what waited behind it then."""

    worker: str
    delivery: Delivery
    newest: int


@dataclass
class Model:
    """The truth, as far as senders and workers were told."""

    rows: dict[int, Row] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    """Acknowledged webhooks: their delivery."""
    completed: int = 0
    """Ends that were recorded as done: as many follow-ups there must be."""
    removed: set[int] = field(default_factory=set)

    def of_key(self, key: str) -> list[int]:
        return sorted(i for i, row in self.rows.items() if row.key == key and row.state not in FINISHED)

    def claimable(self, now: int) -> set[int]:
        found = set()
        for key in {row.key for row in self.rows.values()}:
            unfinished = self.of_key(key)
            is_free = all(self.rows[i].state == PENDING for i in unfinished)
            if unfinished and is_free and self.rows[unfinished[0]].due <= now:
                found.add(unfinished[0])
        return found


class Crash(Exception):
    """The process ends before the commit."""


class Machine(RuleBasedStateMachine):
    """Senders, two workers that die and stall, operators and the sweep, on one store."""

    bench: ClassVar[Bench]

    @initialize()
    def begin(self) -> None:
        self.model, self.held, self.now, self.number = Model(), [], 1_700_000_000_000, 0
        self.bench.write(_empty)

    @rule(key=st.sampled_from(KEYS), repeat=st.booleans(), crash=st.booleans())
    def keep(self, key: str, repeat: bool, crash: bool) -> None:
        """A webhook comes, perhaps once more, perhaps with a crash before it is on disk."""
        if repeat and self.model.events:
            name = min(self.model.events)
        else:
            self.number += 1
            name = f"event-{self.number:04}"
        kept = self._write(lambda c: inbox.keep(c, [[self._event(key, name)]])[0], crash)
        if kept is None:
            return
        known = name in self.model.events
        assert kept.duplicate is known, "a sender is told that it is a repeat if and only if it was acknowledged"
        if not known:
            self.model.events[name] = self._newest()
            due = WAITS_ITS_TURN if self.model.of_key(_order(key)) else self.now
            self.model.rows[self._newest()] = Row(_order(key), due=due)

    def _event(self, key: str, name: str) -> InboundEvent:
        self.number += 1
        event_id = f"whk_{self.number}"
        return InboundEvent(event_id, NAME, KIND, _order(key), key, b"{}", f"id:{name}", False, self.now)

    @rule(worker=st.sampled_from(WORKERS), limit=st.integers(1, 4))
    def claim(self, worker: str, limit: int) -> None:
        """A worker claims: the oldest of each key, never what another holds."""
        expected = self.model.claimable(self.now)
        lease, now = Lease(worker, self.now + LEASE_MS), self.now
        claimed = self.bench.write(lambda c: claims.claim(c, lease, now, NAME, KIND, limit))
        ids = {delivery.id for delivery in claimed}
        assert ids <= expected
        assert len(ids) == min(limit, len(expected)), "what can be claimed is"
        for delivery in claimed:
            row = self.model.rows[delivery.id]
            row.state, row.owner, row.lease_until = RUNNING, worker, lease.until
            newest = self.bench.read(lambda c, d=delivery: deliveries.newest_waiting(c, d))
            self.held.append(Held(worker, delivery, newest))

    @precondition(lambda self: self.held)
    @rule(
        pick=st.integers(0, 5),
        state=st.sampled_from([PENDING, DONE, DONE, DEAD, IGNORED]),
        counts=st.booleans(),
        wait=st.sampled_from([0, SECOND, 60 * SECOND]),
        crash=st.booleans(),
    )
    def finish(self, pick: int, state: DeliveryState, counts: bool, wait: int, crash: bool) -> None:
        """A worker records an end, in time or after its lease was lost, perhaps with a crash before the commit."""
        held = self.held.pop(pick % len(self.held))
        delivery, now = held.delivery, self.now
        counts = counts or state != PENDING
        ending = Ending(state, "ok" if state == DONE else "timeout", due_at=now + wait, counts=counts)

        def record(connection: Connection) -> bool:
            recorded = deliveries.finish(connection, delivery, held.worker, ending, now, now) is not None
            if recorded and state == DONE:
                deliveries.fold(connection, delivery, held.newest, now)
                deliveries.add(connection, _follow_up(), now)
            if recorded and state in FINISHED:
                claims.give_turn(connection, delivery.order_key, now)
            return recorded

        recorded = self._write(record, crash)
        if recorded is None:
            return
        row = self.model.rows.get(delivery.id)
        is_ours = row is not None and row.state == RUNNING and row.owner == held.worker
        assert recorded is (is_ours and row.attempts == delivery.attempts)
        if recorded:
            self._ended(delivery, row, state, counts, held.newest, wait)

    def _ended(self, delivery: Delivery, row: Row, state: DeliveryState, counts: bool, newest: int, wait: int) -> None:
        row.state, row.owner, row.due = state, None, self.now + wait
        row.attempts += counts
        row.finished_at = self.now if state in FINISHED else None
        if state == DONE:
            self.model.completed += 1
            for i in self.model.of_key(row.key):
                other = self.model.rows[i]
                if other.state == PENDING and delivery.id < i <= newest:
                    other.state, other.finished_at = DONE, self.now
        left = self.model.of_key(row.key)
        if state in FINISHED and left and self.model.rows[left[0]].due == WAITS_ITS_TURN:
            self.model.rows[left[0]].due = self.now

    @rule(worker=st.sampled_from(WORKERS))
    def renew(self, worker: str) -> None:
        """A worker prolongs what it still holds; what another has taken over stays the other's."""
        mine = [held.delivery.id for held in self.held if held.worker == worker]
        lease = Lease(worker, self.now + LEASE_MS)
        self.bench.write(lambda c: claims.renew(c, lease, mine))
        for i in mine:
            row = self.model.rows.get(i)
            if row is not None and row.state == RUNNING and row.owner == worker:
                row.lease_until = lease.until

    @rule(worker=st.sampled_from(WORKERS), drains=st.booleans())
    def leave(self, worker: str, drains: bool) -> None:
        """A worker dies, and another of its machine gives back what it held; or it drains, and does so itself."""
        mine, now = [held.delivery.id for held in self.held if held.worker == worker], self.now
        self.held = [held for held in self.held if held.worker != worker]
        if not drains:
            self.take_over([worker])
            return
        self.bench.write(lambda c: claims.release(c, worker, mine, now))
        for i in mine:
            row = self.model.rows.get(i)
            if row is not None and row.state == RUNNING and row.owner == worker:
                row.state, row.owner, row.due = PENDING, None, now

    @precondition(lambda self: self.held)
    @rule(worker=st.sampled_from(WORKERS))
    def stall(self, worker: str) -> None:
        """A worker stands still for longer than its lease, and another takes over."""
        self.time_passes(LEASE_MS + 1)
        self.take_over([])
        self.claim(worker, 4)

    @rule(gone=st.lists(st.sampled_from(WORKERS), max_size=1))
    def take_over(self, gone: list[str]) -> None:
        """What nobody works on any more is given back: leases that ran out, and those of a process that is no more."""
        now = self.now
        self.bench.write(lambda c: claims.release_abandoned(c, gone, now, now, ()))
        for row in self.model.rows.values():
            if row.state == RUNNING and (row.owner in gone or row.lease_until < now):
                row.state, row.owner, row.due = PENDING, None, now

    @rule(ms=st.sampled_from([1, SECOND, LEASE_MS + 1, 3_600 * SECOND]))
    def time_passes(self, ms: int) -> None:
        """A moment, a second, a lease, an hour."""
        self.now += ms

    @rule(picks=st.sets(st.integers(0, 5), max_size=3))
    def replay_some(self, picks: set[int]) -> None:
        """An operator replays deliveries in any state, and one that does not exist."""
        known, now = sorted(self.model.rows), self.now
        ids = {known[pick] for pick in picks if pick < len(known)} | {10**9}
        self.bench.write(lambda c: ledger.replay(c, ids, now))
        self._replayed(ids)

    @rule(reason=st.sampled_from([None, "timeout"]))
    def replay_dead_letters(self, reason: str | None) -> None:
        """An operator replays all dead letters."""
        wanted, now = ledger.Filter((DEAD,), NAME, reason=reason), self.now
        last = self.bench.read(ledger.newest_id)
        found = self.bench.write(lambda c: ledger.replay_next(c, wanted, 0, last, 1_000, now))
        dead = {i for i, row in self.model.rows.items() if row.state == DEAD}
        assert {entry.id for entry in found} == dead
        self._replayed(dead)

    def _replayed(self, ids: Collection[int]) -> None:
        for i in ids:
            row = self.model.rows.get(i)
            if row is not None and row.state in FINISHED:
                row.state, row.due, row.finished_at = PENDING, self.now, None

    @rule(key=st.sampled_from(KEYS))
    def hasten(self, key: str) -> None:
        """A push about the same record makes what waits due."""
        now = self.now
        self.bench.write(lambda c: deliveries.hasten(c, _order(key), now))
        for row in self.model.rows.values():
            if row.key == _order(key) and row.state == PENDING:
                row.due = min(row.due, now)

    @rule(age=st.sampled_from([0, SECOND, 3_600 * SECOND]))
    def sweep(self, age: int) -> None:
        """Retention removes what is done or ignored and old, and nothing else."""
        before = self.now - age
        for state in retention.REMOVABLE:
            self.bench.write(lambda c, s=state: retention.remove(c, s, before, (-1, -1), 1_000))
        old = {
            i
            for i, row in self.model.rows.items()
            if row.state in retention.REMOVABLE and row.finished_at is not None and row.finished_at < before
        }
        for i in old:
            del self.model.rows[i]
        self.model.removed |= old
        self.model.events = {name: i for name, i in self.model.events.items() if i not in old}

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        """Each acknowledged piece of work is there, in its state, with its attempts; one runs per record at most."""
        if not hasattr(self, "model"):
            return
        found, tried, follow_ups = self.bench.read(_look)
        assert self.bench.read(claims.stranded_keys) == [], "what waits for its turn has somebody to give it"
        assert {i: (row.state, row.attempts, row.owner) for i, row in self.model.rows.items()} == found
        assert {i: row.attempts for i, row in self.model.rows.items() if row.attempts} == tried
        assert follow_ups == self.model.completed, "what follows from an end is there once for each end"
        running = [row.key for row in self.model.rows.values() if row.state == RUNNING]
        assert len(running) == len(set(running))

    def teardown(self) -> None:
        """In the end everything that was acknowledged can be brought to its end."""
        if not hasattr(self, "model"):
            return
        self.held = []
        for _turn in range(len(self.model.rows) + 1):
            self.now += 3_600 * SECOND
            lease, now = Lease("last", self.now + LEASE_MS), self.now
            self.bench.write(lambda c, n=now: claims.release_abandoned(c, (), n, n, ()))
            for delivery in self.bench.write(lambda c, le=lease, n=now: claims.claim(c, le, n, NAME, KIND, 100)):
                ending = Ending(DONE, "ok")
                assert self.bench.write(lambda c, d=delivery, e=ending, n=now: deliveries.finish(c, d, "last", e, n, n))
                self.bench.write(lambda c, d=delivery, n=now: claims.give_turn(c, d.order_key, n))
        assert set(self.model.events.values()) <= self.model.rows.keys()
        states = {state for state, _attempts, _owner in self.bench.read(_look)[0].values()}
        assert states <= set(FINISHED)

    def _newest(self) -> int:
        return self.bench.read(ledger.newest_id)

    def _write(self, work: Any, crash: bool) -> Any:
        """The result of a transaction, or None if the process died before its commit."""

        def doomed(connection: Connection) -> None:
            work(connection)
            raise Crash

        if not crash:
            return self.bench.write(work)
        with pytest.raises(Crash):
            self.bench.write(doomed)
        return None


def _order(key: str) -> str:
    return f"{NAME}:{KIND}:{key}"


def _follow_up() -> NewDelivery:
    # of a connection that nobody claims for: it is only counted
    return NewDelivery("globex", FOLLOW_UP, "globex:follow_up", "", b"")


def _empty(connection: Connection) -> None:
    connection.execute(delete(attempts_table))
    connection.execute(delete(deliveries_table))


def _look(connection: Connection) -> tuple[dict[int, tuple[DeliveryState, int, str | None]], dict[int, int], int]:
    table = deliveries_table.c
    columns = (table.id, table.state, table.attempts, table.lease_owner)
    found = {
        i: (DeliveryState(state), attempts, owner)
        for i, state, attempts, owner in connection.execute(select(*columns).where(table.kind == KIND))
    }
    counted = select(attempts_table.c.delivery_id, func.count()).group_by(attempts_table.c.delivery_id)
    tried = {row[0]: row[1] for row in connection.execute(counted)}
    follow_ups = connection.execute(select(func.count()).where(table.kind == FOLLOW_UP)).scalar_one()
    return found, tried, follow_ups


@pytest.mark.timeout(180)
def test_no_sequence_of_steps_loses_or_doubles_work(bench: Bench, url: str) -> None:
    """Keep, claim, crash, lose a lease, retry, finish, fold, replay, release, sweep: in any order, on either store."""

    class OnThisStore(Machine):
        pass

    OnThisStore.bench = bench
    examples = 40 if url.startswith("sqlite") else 12
    run_state_machine_as_test(
        OnThisStore,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
