"""The metrics are what their documentation says, by Prometheus' conventions, and bounded."""

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import TRAFFIC, Metrics, exposition
from gateway.metrics.catalogue import CATALOGUE, COUNTED, Family
from gateway.metrics.series import MOST_SERIES, Figures, Series, join
from tests.gateway.metrics.scraping import exposition as scraped
from tests.gateway.metrics.scraping import scrape, value
from tests.harness import Gateway

DOCUMENT = Path(__file__).parents[3] / "deploy" / "docs" / "METRICS.md"


def documented() -> list[tuple[str, str, tuple[str, ...], str]]:
    """The table's rows: name, type, labels, HELP."""
    rows = re.findall(
        r"^\| `(gateway_\w+)` \| (\w+) \|([^|]*)\| ([^|]*) \| [^|]+ \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    return [(name, kind, tuple(re.findall(r"`(\w+)`", labels)), text) for name, kind, labels, text in rows]


def test_the_table_of_the_documentation_is_the_exposition(gateway: Gateway) -> None:
    """Every metric of the table is told, with this type and HELP, and no other is."""
    families = text_string_to_metric_families(scraped(gateway.url))
    told = {
        (f"{each.name}_total" if each.type == "counter" else each.name, each.type, each.documentation)
        for each in families
    }
    assert told == {(name, kind, text) for name, kind, _labels, text in documented()}
    assert {row[:3] for row in documented()} == {(each.name, each.kind, each.labels) for each in CATALOGUE}
    assert len(documented()) == len(CATALOGUE)


def test_names_follow_the_conventions() -> None:
    """Prefix, base unit at the end, `_total` for counters only; a HELP text that says its unit; no reserved label."""
    for each in CATALOGUE:
        assert re.fullmatch(r"gateway(_[a-z]+)+", each.name)
        assert each.name.endswith("_total") == (each.kind == "counter")
        assert each.text.endswith(".")
        assert ("second" in each.text.lower()) == each.name.endswith("_seconds") or "Unix" in each.text
        assert ("ytes" in each.text) == each.name.endswith("_bytes")
        assert {"le", "job", "instance", "quantile"}.isdisjoint(each.labels)
        assert list(each.buckets) == sorted(set(each.buckets))


def test_the_budget_has_buckets_around_it() -> None:
    """A share of answers within 2.5 s and within 3 s can be told exactly."""
    requests = next(each for each in CATALOGUE if each.name == "gateway_http_request_duration_seconds")
    assert {2.0, 2.5, 3.0, 5.0} <= set(requests.buckets)


def test_values_in_buckets() -> None:
    """A value counts in every bucket whose bound it does not exceed, in the count, and in the sum."""
    metrics = Metrics()
    for seconds in (0.005, 2.5, 2.6, 99.0):
        metrics.request("/health/live", "GET", 200, seconds)
    lines = exposition.text(metrics.figures()).decode().splitlines()
    name, labels = "gateway_http_request_duration_seconds", 'method="GET",route="/health/live",status="200"'

    def told(suffix: str, more: str = "") -> float:
        parsed = text_string_to_metric_families("\n".join(lines) + "\n")
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', labels + more))
        return next(
            each.value
            for family in parsed
            for each in family.samples
            if (each.name, each.labels) == (name + suffix, wanted)
        )

    buckets = {bound: told("_bucket", f',le="{bound}"') for bound in ("0.005", "2.25", "2.5", "2.75", "30.0", "+Inf")}
    assert buckets == {"0.005": 1, "2.25": 1, "2.5": 2, "2.75": 3, "30.0": 3, "+Inf": 4}
    assert told("_count") == 4
    assert told("_sum") == 0.005 + 2.5 + 2.6 + 99.0


def test_how_processes_are_joined() -> None:
    """Counts add up and the latest time wins, also of the dead; a state is that of those who live."""
    one, other = Metrics(), Metrics()
    for metrics, seconds in ((one, 0.1), (other, 0.2)):
        metrics.request("/vainu/{connection}/exports", "POST", 201, seconds, connection="acme")
    one.circuits({("acme", "export"): True})
    other.circuits({("acme", "export"): False})
    last = max(
        cell[0]
        for metrics in (one, other)
        for cell in metrics.figures()["gateway_connection_last_traffic_timestamp_seconds"].values()
    )

    def joined(*, one_is_alive: bool) -> dict[str, Figures]:
        into: dict[str, Figures] = {}
        join(into, one.snapshot(), is_alive=one_is_alive)
        join(into, other.snapshot())
        return into

    for alive, circuit in ((True, 1.0), (False, 0.0)):
        figures = joined(one_is_alive=alive)
        assert figures["gateway_connection_requests_total"] == {("acme", "export", "2xx"): [2.0]}
        assert figures["gateway_connection_last_traffic_timestamp_seconds"] == {("acme", "export"): [last]}
        assert figures["gateway_circuit_open"] == {("acme", "export"): [circuit]}


def test_a_metric_has_a_bounded_number_of_series() -> None:
    """Whatever became a label by a mistake of ours: beyond the bound it is counted together."""
    series = Series(Family("gateway_anything_total", "counter", "Anything.", ("word",)))
    for number in range(MOST_SERIES + 1_000):
        series.add(f"word-{number}")
    assert len(series.figures) == MOST_SERIES + 1
    assert series.figures["other",] == [1_000.0]


def test_what_is_there_from_the_start(gateway: Gateway) -> None:
    """Where 0 means something, it is told before anything has happened: alerts compare with it."""
    samples = scrape(gateway.url)
    for name in ("acme", "globex"):
        assert value(samples, "gateway_oldest_due_delivery_age_seconds", connection=name) == 0
        for state in ("pending", "running", "dead"):
            assert value(samples, "gateway_deliveries", connection=name, state=state) == 0
        for traffic in TRAFFIC.values():
            last = "gateway_connection_last_traffic_timestamp_seconds"
            assert value(samples, last, connection=name, traffic=traffic) == 0
    for always in ("gateway_ready", "gateway_store_up", "gateway_workers"):
        assert value(samples, always) == 1
    assert (value(samples, "gateway_disk_free_bytes") or 0) > 0
    assert {each.name for each in COUNTED} <= {each.name for each in CATALOGUE}
