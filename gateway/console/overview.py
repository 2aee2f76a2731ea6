"""The overview: whether it works, what is waiting, and the history as charts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain

from starlette.responses import Response

from gateway.console.access import Visit
from gateway.console.charts import Chart, bar_chart, line_chart
from gateway.console.deliveries import connection_names
from gateway.operator.queries import HistoryQuery
from gateway.operator.status import History, Series

RANGES: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_WAITED_FOR = ("export", "feed")
"""The jobs whose answer a person at Vainu waits for."""
_REQUESTS = ("export", "feed", "webhook", "events")
_TITLES = {"export": "Exports", "feed": "Feeds", "webhook": "Webhooks", "events": "Customer events"}
_PERCENTILES = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of the history the page shows."""

    range: str
    connection: str
    is_live: bool

    def address(self, base: str, **changes: object) -> str:
        """The page's own address, changed so."""
        asked = replace(self, **changes)  # type: ignore[arg-type]  # the names are the fields', the templates' tests hold it
        live = "" if asked.is_live else "&live=off"
        return f"{base}/?range={asked.range}&connection={asked.connection}{live}"


@dataclass(frozen=True, slots=True)
class Figures:
    """One job over the whole range."""

    title: str
    count: int
    errors: int
    per_minute: float
    p95: float | None
    """The worst interval's, milliseconds."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart with its title, what it says in words, and its figures as a table."""

    id: str
    title: str
    says: str
    chart: Chart
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


async def overview(visit: Visit) -> Response:
    """`GET /console/`."""
    return await _page(visit, "overview.html")


async def overview_live(visit: Visit) -> Response:
    """`GET /console/live/overview`: the part of the page that moves."""
    return await _page(visit, "overview_live.html")


async def _page(visit: Visit, template: str) -> Response:
    asked = _asked(visit)
    since = visit.now - RANGES[asked.range]
    history = await visit.service.operator.history(HistoryQuery(connection=asked.connection or None, since=since))
    seen = [each for each in history.series if each.connection == (asked.connection or None)]
    return visit.page(
        template,
        asked=asked,
        ranges=tuple(RANGES),
        connections=connection_names(visit),
        overview=await visit.service.operator.overview(),
        figures=[_figures(each, history) for job in _REQUESTS for each in seen if each.job == job],
        charts_drawn=_charts(history, seen, asked.connection or None),
        by_connection=[
            (each.connection, _figures(each, history)) for each in history.series if _is_a_connection_s(each)
        ],
        reasons=_reasons(seen),
        budget_ms=history.budget_ms,
    )


def _is_a_connection_s(series: Series) -> bool:
    return series.connection is not None and series.job in _REQUESTS and any(series.counts)


def _asked(visit: Visit) -> Asked:
    query = visit.request.query_params
    chosen, connection = query.get("range", "1h"), query.get("connection", "")
    return Asked(
        chosen if chosen in RANGES else "1h",
        connection if connection in visit.service.runtime.connections else "",
        query.get("live") != "off",
    )


def _figures(series: Series, history: History) -> Figures:
    minutes = max(1.0, (history.until - history.since).total_seconds() / 60)
    count = sum(series.counts)
    p95 = max((value for value in series.p95 if value is not None), default=None)
    return Figures(_TITLES[series.job], count, sum(series.errors), count / minutes, p95)


def _charts(history: History, seen: Sequence[Series], connection: str | None) -> list[Drawn]:
    drawn = [_throughput(history, [each for each in seen if each.job in _REQUESTS])]
    drawn += [_latency(history, each) for job in _WAITED_FOR for each in seen if each.job == job]
    drawn += [_backlog(history, each.seconds) for each in history.backlog if each.connection == connection]
    return drawn


def _throughput(history: History, seen: Sequence[Series]) -> Drawn:
    counts = _summed(history, [each.counts for each in seen])
    errors = _summed(history, [each.errors for each in seen])
    says = f"{sum(counts):,} requests answered, {sum(errors):,} of them failed."
    rows = tuple(zip(history.times, counts, errors, strict=True))
    return Drawn(
        "throughput", "Requests", says, bar_chart(history.times, counts, errors), ("Requests", "Failed"), _newest(rows)
    )


def _summed(history: History, columns: Sequence[Sequence[int]]) -> list[int]:
    return [sum(column[index] for column in columns) for index in range(len(history.times))]


def _latency(history: History, series: Series) -> Drawn:
    title = _TITLES[series.job]
    curves = [(name, name, getattr(series, name)) for name in _PERCENTILES]
    slow = sum(1 for value in series.p99 if value is not None and value > history.budget_ms)
    says = (
        f"p99 was over the budget of {history.budget_ms:,} ms in {slow} intervals."
        if slow
        else f"p99 stayed within the budget of {history.budget_ms:,} ms."
    )
    return Drawn(
        f"latency-{series.job}",
        f"{title}: time to answer",
        says,
        line_chart(history.times, curves, "ms", float(history.budget_ms)),
        tuple(f"{name}, ms" for name in _PERCENTILES),
        _newest(zip(history.times, series.p50, series.p95, series.p99, strict=True)),
    )


def _backlog(history: History, seconds: Sequence[float | None]) -> Drawn:
    most = max((value for value in seconds if value is not None), default=0.0)
    return Drawn(
        "backlog",
        "Age of the oldest due delivery",
        f"At most {most:,.0f} s." if most >= 1 else "Nothing waited for longer than a second.",
        line_chart(history.times, [("age", "age", seconds)], "s"),
        ("Age, s",),
        _newest(zip(history.times, seconds, strict=True)),
    )


def _newest(rows: Iterable[tuple[object, ...]]) -> tuple[tuple[object, ...], ...]:
    """The rows that say something, newest first."""
    return tuple(row for row in reversed(list(rows)) if any(value not in (None, 0) for value in row[1:]))


def _reasons(seen: Sequence[Series]) -> list[tuple[str, int]]:
    """Failures by their fixed word, the most frequent first."""
    found: dict[str, int] = {}
    for reason, counts in chain.from_iterable(each.errors_by_reason.items() for each in seen):
        found[reason] = found.get(reason, 0) + sum(counts)
    return sorted(((reason, count) for reason, count in found.items() if count), key=lambda pair: (-pair[1], pair[0]))
