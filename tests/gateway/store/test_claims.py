"""Claims and leases: one worker a record, oldest first, and an end counts only for who holds the delivery."""

import pytest
from sqlalchemy import Connection

from gateway.store import DeliveryState, WriteRefused, claims, deliveries, inbox, ledger, retention
from gateway.store.claims import Lease
from gateway.store.deliveries import Delivery, Ending, NewDelivery
from gateway.store.inbox import BODY_WINDOW_MS, InboundEvent
from tests.gateway.store.conftest import Bench

NOW, LEASE_MS = 1_700_000_000_000, 6_000
DONE, FAILED = Ending(DeliveryState.DONE, "ok"), Ending(DeliveryState.PENDING, "timeout", due_at=NOW)
DEAD = Ending(DeliveryState.DEAD, "refused", "no")


def add(bench: Bench, key: str = "1", connection: str = "acme", kind: str = "export", due: int = NOW) -> int:
    new = NewDelivery(connection, kind, f"{connection}:{key}", key, b"{}", due_at=due)
    return bench.write(lambda c: deliveries.add(c, new, NOW))


def claim(
    bench: Bench, worker: str = "a", at: int = NOW, limit: int = 10, only: tuple[str, str] | None = None
) -> list[Delivery]:
    """As a worker does: what nobody works on any more is given back, then each kind of each connection is claimed."""
    bench.write(lambda c: claims.release_abandoned(c, (), at, at, ()))
    wanted = [(due.connection, due.kind) for due in bench.read(lambda c: claims.due_work(c, at))]
    found: list[Delivery] = []
    for name, kind in wanted if only is None else [only]:
        found += bench.write(lambda c, n=name, k=kind: claims.claim(c, Lease(worker, at + LEASE_MS), at, n, k, limit))
    return found


def ids(claimed: list[Delivery]) -> list[int]:
    return [delivery.id for delivery in claimed]


def finish(bench: Bench, delivery: Delivery, ending: Ending = DONE, at: int = NOW) -> bool:
    worker = str(delivery.lease_owner)
    return bench.write(lambda c: deliveries.finish(c, delivery, worker, ending, at, at)) is not None


def state(bench: Bench, delivery_id: int) -> tuple[DeliveryState, int]:
    found = bench.read(lambda c: deliveries.by_id(c, delivery_id))
    assert found is not None
    return found.state, found.attempts


def test_what_is_told_of_a_delivery_is_what_is_kept(bench: Bench) -> None:
    """One that is added as claimed, and one whose attempt has ended, are told to the caller as a reader finds them."""
    new = NewDelivery("acme", "export", "acme:1", "1", b"{}", content_key="k", expires_at=NOW + 9)
    begun = bench.write(lambda c: deliveries.add_running(c, new, NOW, "a", NOW + LEASE_MS))
    assert bench.read(lambda c: deliveries.by_id(c, begun.id)) == begun
    assert bench.read(claims.holders) == {"a": NOW + LEASE_MS}

    ending = Ending(DeliveryState.DEAD, "refused", "no", "{}", did_not_arrive=True)
    ended = bench.write(lambda c: deliveries.finish(c, begun, "a", ending, NOW, NOW + 5))
    assert bench.read(lambda c: deliveries.by_id(c, begun.id)) == ended


def test_every_state_has_its_sentence() -> None:
    """A person is told in one sentence what a state means."""
    assert all(each.sentence.endswith(".") for each in DeliveryState)
    assert len({each.sentence for each in DeliveryState}) == 5


def test_one_record_s_work_is_done_in_order(bench: Bench) -> None:
    """Of three of one record only the oldest is claimed, whatever is due first; another record's goes beside it."""
    first, second, other = add(bench), add(bench, due=NOW - 5_000), add(bench, key="2")

    (one, two) = claim(bench)

    assert {one.id, two.id} == {first, other}
    assert claim(bench, "b") == []
    finish(bench, next(each for each in (one, two) if each.id == first))
    assert ids(claim(bench, "b")) == [second]


def test_what_waits_for_its_next_attempt_holds_up_its_record_only(bench: Bench) -> None:
    """A failed delivery that waits keeps the record's order; other records go on."""
    first, _second = add(bench), add(bench)
    (held,) = claim(bench)
    finish(bench, held, Ending(DeliveryState.PENDING, "timeout", due_at=NOW + 60_000))
    other = add(bench, key="2")

    (beside,) = claim(bench, at=NOW + 1)
    assert beside.id == other
    finish(bench, beside)
    assert ids(claim(bench, at=NOW + 60_001)) == [first]


def test_a_lease_that_ran_out_is_claimed_by_another_and_the_late_end_does_not_count(bench: Bench) -> None:
    """Who stalled for longer than the lease learns, when it records the end, that another has it."""
    delivery_id = add(bench)
    (stalled,) = claim(bench, "a")
    assert claim(bench, "b", NOW + LEASE_MS) == []
    (taken,) = claim(bench, "b", NOW + LEASE_MS + 1)

    assert finish(bench, stalled) is False
    assert state(bench, delivery_id) == (DeliveryState.RUNNING, 0)
    assert finish(bench, taken) is True
    assert state(bench, delivery_id) == (DeliveryState.DONE, 1)


def test_the_late_end_of_an_attempt_before_another_s_does_not_count(bench: Bench) -> None:
    """A stalls, B fails, A claims again: the end of A's first attempt is not taken for that of its second."""
    delivery_id = add(bench)
    (before,) = claim(bench, "a")
    (others,) = claim(bench, "b", NOW + LEASE_MS + 1)
    assert finish(bench, others, FAILED)
    (again,) = claim(bench, "a", NOW + LEASE_MS + 2)

    assert finish(bench, before) is False
    assert finish(bench, again) is True
    assert state(bench, delivery_id) == (DeliveryState.DONE, 2)


def test_a_renewed_lease_is_kept_and_a_released_one_is_free(bench: Bench) -> None:
    """Renewing moves the end of the lease; giving back makes it due at once, with no attempt counted."""
    delivery_id = add(bench)
    claim(bench, "a")
    bench.write(lambda c: claims.renew(c, Lease("a", NOW + 3 * LEASE_MS), [delivery_id]))
    assert claim(bench, "b", NOW + 2 * LEASE_MS) == []

    bench.write(lambda c: claims.release(c, "a", [delivery_id], NOW))

    assert ids(claim(bench, "b", NOW + 1)) == [delivery_id]
    assert state(bench, delivery_id)[1] == 0


def test_a_replay_of_an_older_one_waits_for_the_one_that_runs(bench: Bench) -> None:
    """Two of one record never run at once, also when an operator puts an old one before one that is in work."""
    old, new = add(bench), add(bench)
    (first,) = claim(bench)
    finish(bench, first, DEAD)
    (running,) = claim(bench)
    assert running.id == new

    bench.write(lambda c: ledger.replay(c, [old], NOW))

    assert claim(bench, "b", NOW + 1) == []
    finish(bench, running)
    assert ids(claim(bench, "b", NOW + 1)) == [old]


def test_connections_and_kinds_that_are_not_wanted_wait(bench: Bench) -> None:
    """Work of a connection that is not named, or of a kind whose circuit is open, is not claimed and not lost."""
    export, hook, _removed = add(bench), add(bench, key="2", kind="crm_webhook"), add(bench, connection="gone")

    due = bench.read(lambda c: claims.due_work(c, NOW))
    assert {(each.connection, each.kind) for each in due} == {
        ("acme", "export"), ("acme", "crm_webhook"), ("gone", "export"),
    }  # fmt: skip
    assert ids(claim(bench, only=("acme", "export"))) == [export]
    assert ids(claim(bench, only=("acme", "crm_webhook"))) == [hook]
    assert bench.read(ledger.standing)[("gone", DeliveryState.PENDING)] == 1


def test_a_failed_write_of_the_end_leaves_everything_as_it_was(bench: Bench) -> None:
    """The end and what follows from it are one transaction; what the database refuses is told as refused."""
    delivery_id = add(bench)
    (held,) = claim(bench)

    def record(connection: Connection) -> None:
        deliveries.finish(connection, held, "a", DONE, NOW, NOW)
        deliveries.add(connection, NewDelivery("acme", "x", None, "s", b""), NOW)  # type: ignore[arg-type]  # a fault of ours

    with pytest.raises(WriteRefused):
        bench.write(record)
    assert state(bench, delivery_id) == (DeliveryState.RUNNING, 0)


def hook(body: bytes, at: int, number: int) -> InboundEvent:
    return InboundEvent(
        f"whk_{number}", "acme", "crm_webhook", "acme:crm_webhook:7", "7", body, f"body:{body!r}", True, at
    )


def test_an_equal_body_is_a_repeat_for_an_hour(bench: Bench) -> None:
    """Without an id the same body within the window is a repeat; after it, it is news: the record changed again."""

    def kept(at: int, number: int) -> tuple[str, bool]:
        found = bench.write(lambda c: inbox.keep(c, [[hook(b"{}", at, number)]]))[0]
        return found.event_id, found.duplicate

    assert kept(NOW, 1) == ("whk_1", False)
    assert kept(NOW + BODY_WINDOW_MS, 2) == ("whk_1", True)
    assert kept(NOW + BODY_WINDOW_MS + 1, 3) == ("whk_3", False)
    assert kept(NOW + BODY_WINDOW_MS + 2, 4) == ("whk_3", True)


def test_only_what_waited_before_the_record_was_read_is_folded(bench: Bench) -> None:
    """Three of a burst wait when the record is read, one comes after: three are done by one act, the last is not."""
    for number in range(3):
        bench.write(lambda c, n=number: inbox.keep(c, [[hook(b"%d" % n, NOW, n)]]))
    (held,) = claim(bench)
    newest = bench.read(lambda c: deliveries.newest_waiting(c, held))
    bench.write(lambda c: inbox.keep(c, [[hook(b"late", NOW, 9)]]))

    def record(connection: Connection) -> None:
        assert deliveries.finish(connection, held, "a", DONE, NOW, NOW)
        deliveries.fold(connection, held, newest, NOW)

    bench.write(record)

    entries = bench.read(lambda c: ledger.search(c, ledger.Filter(), 10)).entries
    assert [(entry.event_id, entry.state) for entry in reversed(entries)] == [
        ("whk_0", DeliveryState.DONE),
        ("whk_1", DeliveryState.DONE),
        ("whk_2", DeliveryState.DONE),
        ("whk_9", DeliveryState.PENDING),
    ]


def test_retention_takes_what_is_finished_and_old_and_nothing_else(bench: Bench) -> None:
    """Done and ignored work goes with its attempts; dead letters and unfinished work stay, however old."""
    done, dead, waiting = add(bench), add(bench, key="2"), add(bench, key="3", due=NOW + 1)
    for held in claim(bench):
        finish(bench, held, DONE if held.id == done else DEAD)

    def sweep(before: int) -> list[int]:
        for each in retention.REMOVABLE:
            bench.write(lambda c, s=each: retention.remove(c, s, before, (-1, -1), 100))
        entries = bench.read(lambda c: ledger.search(c, ledger.Filter(), 10)).entries
        return sorted(entry.id for entry in entries)

    assert sweep(NOW) == [done, dead, waiting]
    assert sweep(NOW + 1) == [dead, waiting]
    assert bench.read(lambda c: ledger.detail(c, done)) is None


def test_replays_by_filter_are_those_that_the_filter_means(bench: Bench) -> None:
    """By connection, kind, reason, time and state; a running one is never touched."""
    made = [add(bench), add(bench, key="2"), add(bench, key="3", connection="globex")]
    for held in claim(bench):
        finish(bench, held, DEAD if held.id != made[1] else Ending(DeliveryState.DEAD, "timeout", "slow"))
    running = add(bench, key="4")
    claim(bench)

    def replayed(wanted: ledger.Filter) -> list[int]:
        return [entry.id for entry in bench.write(lambda c: ledger.replay_next(c, wanted, 0, 10**6, 100, NOW))]

    assert replayed(ledger.Filter(kind="nothing")) == []
    assert replayed(ledger.Filter(since=NOW + 1)) == []
    assert replayed(ledger.Filter(connection="globex")) == [made[2]]
    assert replayed(ledger.Filter(reason="timeout")) == [made[1]]
    assert replayed(ledger.Filter(since=NOW, until=NOW + 1)) == [made[0]]
    assert replayed(ledger.Filter()) == []
    assert state(bench, running)[0] == DeliveryState.RUNNING
