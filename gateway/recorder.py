"""Counts what this process does, in memory, and hands the counts to the store about every ten seconds.

To count costs about a microsecond: no lock, no disk, nobody waits. What was counted since the last time is lost with a
process that is killed; nothing is decided by it.
"""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Mapping

import structlog

from adapters.deadline import Deadline
from gateway.clock import Clock
from gateway.runtime import Runtime
from gateway.store import DeliveryState, Store, StoreUnavailable, claims, history
from gateway.store.deliveries import Ending
from gateway.store.history import MINUTE_MS, Slot, Tally
from gateway.store.operator_tables import BOUNDS_MS

log = structlog.get_logger()

EVERY_SECONDS = 10.0
_AGAIN_SECONDS = 1.0
"""After another process was just at it."""
_MOST_SLOTS = 20_000
"""What is kept of a store that cannot be written: several hours of some ten connections."""
JOB_OF_ROUTE: Mapping[str, str] = {
    "/vainu/{connection}/exports": "export",
    "/vainu/{connection}/activities/{unique_id}": "feed",
    "/vainu/{connection}/webhooks": "webhook",
    "/crm/{connection}/webhooks": "webhook",
    "/crm/{connection}/customer-events/{kind}": "events",
}
"""What a request is counted as, by route; others are not."""
DELIVERY = "delivery"
_NONE = (0, Tally())


class Recorder:
    """One per process, on its event loop."""

    def __init__(self, store: Store, runtime: Runtime, clock: Clock) -> None:
        self._store = store
        self._runtime = runtime
        self._clock = clock
        self._tallies: dict[Slot, Tally] = {}
        self._current: dict[tuple[str, str], tuple[int, Tally]] = {}
        """By connection and job: the minute's end, and what is counted in it."""
        self._last: dict[tuple[str, str], int] = {}

    def request(
        self, route: str, connection: str, status: int, seconds: float, refusal: str | None, let_in: bool
    ) -> None:
        """Count an answered request; `refusal` is the fixed word of a problem, `let_in` whether its caller was."""
        job = JOB_OF_ROUTE.get(route)
        if job is not None:
            reason = (refusal or str(status)) if status >= 400 or status == 0 else None
            self.count(connection, job, seconds * 1000, reason, let_in=let_in)

    def attempt(self, connection: str, ending: Ending, seconds: float) -> None:
        """Count an attempt at a delivery; a pause that is nobody's failure is none."""
        if ending.counts:
            failed = ending.outcome != "ok" and ending.state != DeliveryState.IGNORED
            self.count(connection, DELIVERY, seconds * 1000, ending.outcome if failed else None)

    def batch(self, connection: str, outcomes: Mapping[str, int]) -> None:
        """Count the rows of a batch of customer events, by outcome; how long one row took is not known."""
        for outcome, number in outcomes.items():
            self.count(connection, DELIVERY, None, None if outcome == "ok" else outcome, number)

    def count(
        self,
        connection: str,
        job: str,
        milliseconds: float | None,
        reason: str | None = None,
        number: int = 1,
        *,
        let_in: bool = True,
    ) -> None:
        """Count one thing done, or `number` of them; `reason` is the fixed word of a failure."""
        now = self._clock()
        ends, tally = self._current.get((connection, job), _NONE)
        if not ends - MINUTE_MS <= now < ends:
            tally = self._begin(now, connection, job)
        tally.count += number
        if let_in:
            tally.last_at = now
        if milliseconds is not None:
            tally.buckets[bisect_left(BOUNDS_MS, milliseconds)] += number
        if reason is not None:
            tally.errors += number
            tally.reasons[reason] = tally.reasons.get(reason, 0) + number

    def _begin(self, now: int, connection: str, job: str) -> Tally:
        """The tally of the minute that it is now; also where the clock was put back."""
        begins = now - now % MINUTE_MS
        tally = self._tally(Slot(begins, connection, job))
        self._current[connection, job] = (begins + MINUTE_MS, tally)
        return tally

    def _tally(self, slot: Slot) -> Tally:
        tally = self._tallies.get(slot)
        if tally is None:
            tally = self._tallies[slot] = Tally()
        return tally

    def last_at(self, connection: str, job: str) -> int | None:
        """When this process last did a job of a connection; Unix milliseconds."""
        _ends, tally = self._current.get((connection, job), _NONE)
        return tally.last_at or self._last.get((connection, job))

    async def run(self) -> None:
        """Hand the counts over again and again, until cancelled."""
        # processes that start together need not come together
        await asyncio.sleep(EVERY_SECONDS * random.random())  # noqa: S311 - spreads load, nothing secret
        while True:
            pause = EVERY_SECONDS
            try:
                pause = EVERY_SECONDS if await self.flush() else _AGAIN_SECONDS
            except StoreUnavailable as error:
                log.debug("history.store_unavailable", detail=str(error))
            except Exception:
                # a defect of ours must not end the counting for good, unseen
                log.exception("history.internal_error")
            await asyncio.sleep(pause)

    async def flush(self, deadline: Deadline | None = None) -> bool:
        """Hand over what was counted; False while another process does. `StoreUnavailable`; nothing is lost then."""
        tallies, self._tallies = self._tallies, {}
        self._current.clear()
        for slot, tally in tallies.items():
            if tally.last_at:
                self._last[slot.connection, slot.job] = tally.last_at
        kept = False
        try:
            now = self._clock()
            ages = dict.fromkeys(self._runtime.connections, 0)
            for due in await self._store.read(lambda c: claims.due_work(c, now), deadline):
                ages[due.connection] = max(ages.get(due.connection, 0), now - due.since)
            minute = now - now % MINUTE_MS
            kept = await self._store.write(lambda c: history.add(c, tallies, ages, minute), deadline=deadline)
        finally:
            if not kept:
                self._take_back(tallies)
        return kept

    def _take_back(self, tallies: Mapping[Slot, Tally]) -> None:
        for slot, tally in tallies.items():
            self._tally(slot).add(tally)
        for slot in sorted(self._tallies)[: max(0, len(self._tallies) - _MOST_SLOTS)]:
            del self._tallies[slot]
