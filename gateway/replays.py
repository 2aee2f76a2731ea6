"""Replays as a use case: one delivery, or many by a filter, in batches that hold no writer up."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from gateway.clock import Clock
from gateway.store import DeliveryState, Store, ledger
from gateway.store.ledger import REPLAYABLE, Entry, Filter

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Replayed:
    """The deliveries, as they stood before: those that wait now, and those that were left as they are."""

    replayed: list[Entry]
    left: list[Entry]


async def replay_these(store: Store, delivery_ids: Collection[int], clock: Clock) -> Replayed:
    """Replay the deliveries with these ids; what is pending or running is left."""
    now = clock()
    entries = await store.write(lambda c: ledger.replay(c, delivery_ids, now), "replay")
    return _sorted(entries)


async def entries_of(store: Store, delivery_ids: Collection[int]) -> Replayed:
    """What `replay_these` would do."""
    entries = await store.read(lambda c: ledger.entries(c, delivery_ids))
    return _sorted(entries)


def _sorted(entries: list[Entry]) -> Replayed:
    return Replayed(
        [entry for entry in entries if entry.state in REPLAYABLE],
        [entry for entry in entries if entry.state not in REPLAYABLE],
    )


async def replay_matching(store: Store, wanted: Filter, clock: Clock) -> int:
    """Replay every delivery that the filter wants, dead letters unless it names states; how many."""
    wanted = of_dead_letters(wanted)
    last = await store.read(ledger.newest_id) if wanted.up_to is None else wanted.up_to
    after = count = 0
    while True:
        now = clock()
        batch = await store.write(
            lambda c, after=after, now=now: ledger.replay_next(c, wanted, after, last, _BATCH, now),  # type: ignore[misc]  # mypy infers no lambda with defaults
            "replay",
        )
        count += len(batch)
        if len(batch) < _BATCH:
            return count
        after = batch[-1].id


def of_dead_letters(wanted: Filter) -> Filter:
    """The filter, of dead letters unless it names states."""
    return wanted if wanted.states else replace(wanted, states=(DeliveryState.DEAD,))
