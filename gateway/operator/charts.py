"""The history as series ready for charts: counts, errors, latencies and the backlog's age, interval by interval."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from adapters.deadline import Deadline
from gateway.clock import Clock, moment
from gateway.operator.deliveries import LOOK_SECONDS, milliseconds
from gateway.operator.queries import HistoryQuery
from gateway.operator.status import BacklogSeries, History, Series
from gateway.recorder import Recorder
from gateway.store import Store, StoreUnavailable, history
from gateway.store.history import MINUTE_MS, Interval
from gateway.store.operator_tables import BOUNDS_MS, BUCKETS

BUDGET_MS = 3_000
_HOUR_MS = 3_600_000
_EARLIEST_MS = 946_684_800_000
"""The year 2000: nothing was counted before it, and intervals before the year 1 have no date."""
_POINTS = 240
"""How many intervals a chart has at most."""
_STEPS_MS = tuple(MINUTE_MS * minutes for minutes in (1, 5, 15, 60, 360, 1_440, 10_080))
_FLUSH_SECONDS = 1.0
Key = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class _Rows:
    counts: Sequence[Interval]
    errors: Sequence[tuple[int, str, str, str, int]]
    backlog: Sequence[tuple[int, str, int]]


@dataclass(frozen=True, slots=True)
class Charts:
    """Reads the history."""

    store: Store
    recorder: Recorder
    clock: Clock

    async def series(self, query: HistoryQuery) -> History:
        """Series of the last hour, or of the time the query names, in at most 240 intervals."""
        # what this process counted since the last time; a store that cannot be written can still be read
        with contextlib.suppress(StoreUnavailable):
            await self.recorder.flush(Deadline.after(_FLUSH_SECONDS))
        now = self.clock()
        until = now if query.until is None else max(_EARLIEST_MS, min(now, milliseconds(query.until) or 0))
        since = milliseconds(query.since)
        since = until - _HOUR_MS if since is None else min(since, until)
        step = _step(until - since)
        # whole steps since 1970, as the store's intervals are
        first = max(since, until - step * (_POINTS - 1)) // step * step
        begins = range(first, until, step) or range(first, first + 1, step)

        def look(connection: Connection) -> _Rows:
            span = (begins[0], until, step)
            return _Rows(
                history.intervals(connection, *span, query.connection, query.job),
                history.errors(connection, *span, query.connection, query.job),
                history.backlog(connection, *span, query.connection),
            )

        rows = await self.store.read(look, Deadline.after(LOOK_SECONDS))
        times = list(begins)
        return History(
            since=moment(begins[0]),
            until=moment(until),
            step_seconds=step // 1000,
            times=tuple(map(moment, times)),
            series=tuple(_series(rows, times, all_too=query.connection is None)),
            backlog=tuple(_backlogs(rows.backlog, times, all_too=query.connection is None)),
            budget_ms=BUDGET_MS,
        )


def _step(span_ms: int) -> int:
    return next((step for step in _STEPS_MS if span_ms <= step * (_POINTS - 1)), _STEPS_MS[-1])


def _series(rows: _Rows, times: Sequence[int], *, all_too: bool) -> list[Series]:
    counted: dict[Key, dict[int, list[Interval]]] = {}
    for each in rows.counts:
        for key in _keys(each.connection, each.job, all_too):
            counted.setdefault(key, {}).setdefault(each.begins, []).append(each)
    failed: dict[Key, dict[str, dict[int, int]]] = {}
    for begins, connection, job, reason, number in rows.errors:
        for key in _keys(connection, job, all_too):
            by_time = failed.setdefault(key, {}).setdefault(reason, {})
            by_time[begins] = by_time.get(begins, 0) + number
    in_order = sorted(counted, key=lambda key: (key[0] is not None, key[0] or "", key[1]))
    return [_one(key, counted[key], failed.get(key, {}), times) for key in in_order]


def _keys(connection: str, job: str, all_too: bool) -> list[Key]:
    return [(None, job), (connection, job)] if all_too else [(connection, job)]


def _one(
    key: Key, by_time: Mapping[int, Sequence[Interval]], failed: Mapping[str, Mapping[int, int]], times: Sequence[int]
) -> Series:
    buckets = [_added([each.buckets for each in by_time.get(begins, ())]) for begins in times]
    job: str = key[1]
    return Series(
        connection=key[0],
        job=job,  # type: ignore[arg-type]  # only the recorder's words are kept
        counts=tuple(sum(each.count for each in by_time.get(begins, ())) for begins in times),
        errors=tuple(sum(each.errors for each in by_time.get(begins, ())) for begins in times),
        p50=tuple(percentile(each, 0.5) for each in buckets),
        p95=tuple(percentile(each, 0.95) for each in buckets),
        p99=tuple(percentile(each, 0.99) for each in buckets),
        errors_by_reason={
            reason: tuple(numbers.get(begins, 0) for begins in times) for reason, numbers in failed.items()
        },
    )


def _added(rows: Sequence[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * len(BUCKETS)


def percentile(buckets: Sequence[int], share: float) -> float | None:
    """The milliseconds within which `share` of all were done, straight lines inside a bucket; None of nothing.

    What took longer than the last bound counts as that bound.
    """
    wanted = share * sum(buckets)
    if not wanted:
        return None
    below = 0
    lower = 0.0
    for number, bound in zip(buckets, (*BOUNDS_MS, BOUNDS_MS[-1]), strict=True):
        if number and below + number >= wanted:
            return round(lower + (bound - lower) * (wanted - below) / number, 1)
        below += number
        lower = float(bound)
    return float(BOUNDS_MS[-1])


def _backlogs(rows: Sequence[tuple[int, str, int]], times: Sequence[int], *, all_too: bool) -> list[BacklogSeries]:
    ages: dict[str | None, dict[int, int]] = {}
    for begins, connection, age in rows:
        for name in (None, connection) if all_too else (connection,):
            by_time = ages.setdefault(name, {})
            by_time[begins] = max(by_time.get(begins, 0), age)
    in_order = sorted(ages, key=lambda name: (name is not None, name or ""))
    return [
        BacklogSeries(name, tuple(ages[name][begins] / 1000 if begins in ages[name] else None for begins in times))
        for name in in_order
    ]
