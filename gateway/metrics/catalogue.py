"""Every metric: name, type, unit, labels, and how the figures of sibling processes become one.

Names follow Prometheus' conventions (https://prometheus.io/docs/practices/naming/): base units, `_total` for counters.
Label values are route templates, names of the configuration, and fixed words; `series.MOST_SERIES` bounds them besides.
"""

from dataclasses import dataclass
from typing import Literal

REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.25, 2.5, 2.75, 3.0, 5.0, 10.0, 30.0)
"""Bucket bounds, dense around the 2.5 s of our budgets and Vainu's 3 s."""
COMMIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
BATCH_WRITES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)

Joining = Literal["sum", "latest", "highest"]
"""How siblings' figures are joined. A sum and the latest time keep what a dead process has told; a state does not."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its series."""

    name: str
    kind: Literal["counter", "histogram", "gauge"]
    text: str
    """The HELP line: what it is, and in which unit."""
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds, of histograms."""
    joining: Joining = "sum"


REQUESTS = Family(
    "gateway_http_request_duration_seconds",
    "histogram",
    "Seconds from a request to its answer.",
    ("route", "method", "status"),
    REQUEST_SECONDS,
)
REFUSALS = Family(
    "gateway_http_refusals_total", "counter", "Requests that were refused, by reason word.", ("route", "reason")
)
TRAFFIC = Family(
    "gateway_connection_requests_total",
    "counter",
    "Requests of admitted callers, by connection, what they were about, and class of status.",
    ("connection", "traffic", "status"),
)
LAST_TRAFFIC = Family(
    "gateway_connection_last_traffic_timestamp_seconds",
    "gauge",
    "Unix time, in seconds, of an admitted caller's last request; 0 if there was none since the start.",
    ("connection", "traffic"),
    joining="latest",
)
CALLS = Family(
    "gateway_upstream_calls_total",
    "counter",
    "Calls to remote systems, by outcome: ok, or a reason word.",
    ("connection", "system", "action", "outcome"),
)
CALL_SECONDS = Family(
    "gateway_upstream_call_duration_seconds",
    "histogram",
    "Seconds that calls to remote systems took.",
    ("system", "action"),
    REQUEST_SECONDS,
)
CIRCUITS = Family(
    "gateway_circuit_open",
    "gauge",
    "1 while deliveries of this kind wait because the remote system failed repeatedly, else 0.",
    ("connection", "kind"),
    joining="highest",
)
BATCHES = Family(
    "gateway_inbox_batch_size", "histogram", "Writes that shared one commit of the inbox.", buckets=BATCH_WRITES
)
COMMITS = Family(
    "gateway_inbox_commit_duration_seconds",
    "histogram",
    "Seconds from the begin of a batch's transaction to its end on disk, by outcome: ok or failed.",
    ("outcome",),
    COMMIT_SECONDS,
)
DELIVERIES = Family(
    "gateway_deliveries",
    "gauge",
    "Deliveries that wait, are in work, or gave up, in the whole store.",
    ("connection", "state"),
)
OLDEST_DUE = Family(
    "gateway_oldest_due_delivery_age_seconds",
    "gauge",
    "Seconds for which the oldest due delivery of the connection has been due, in the whole store; 0 if none is.",
    ("connection",),
)
ATTEMPTS = Family(
    "gateway_delivery_attempts_total",
    "counter",
    "Attempts at deliveries, by outcome: ok, or a reason word.",
    ("connection", "kind", "outcome"),
)
DEAD_LETTERS = Family(
    "gateway_dead_letters_total",
    "counter",
    "Deliveries that gave up, by reason word.",
    ("connection", "kind", "reason"),
)
CUSTOMER_EVENTS = Family(
    "gateway_customer_events_total",
    "counter",
    "Rows of customer events pushed to the CRM, by how the attempt ended: ok, or a reason word.",
    ("connection", "kind", "outcome"),
)
FEEDS = Family(
    "gateway_feeds_total",
    "counter",
    "Feeds asked of the CRM, by outcome: complete, partial, stale or failed.",
    ("connection", "outcome"),
)
MISSING_SOURCES = Family(
    "gateway_feed_sources_missing_total",
    "counter",
    "Sources that a feed had to do without, by reason: timeout or error.",
    ("connection", "source", "reason"),
)
REJECTED_EVENTS = Family(
    "gateway_feed_events_rejected_total",
    "counter",
    "Events left out of a feed, by reason word.",
    ("connection", "reason"),
)
READY = Family("gateway_ready", "gauge", "1 if the process that answers is ready as /health/ready says, else 0.")
STORE_UP = Family(
    "gateway_store_up", "gauge", "1 if the store answers, else 0: the figures of the store are missing then."
)
DISK_FREE = Family(
    "gateway_disk_free_bytes", "gauge", "Bytes free on the disk of the SQLite file; missing for PostgreSQL."
)
WORKERS = Family("gateway_workers", "gauge", "Processes that answer on this address.")
RESTARTS = Family(
    "gateway_worker_restarts_total", "counter", "Processes of gateway serve --workers that died and were replaced."
)
STARTED = Family(
    "gateway_start_time_seconds", "gauge", "Unix time, in seconds, at which the service on this address was started."
)
BUILD = Family("gateway_build_info", "gauge", "1; the labels tell what runs.", ("version", "python"))

COUNTED = (
    REQUESTS, REFUSALS, TRAFFIC, LAST_TRAFFIC, CALLS, CALL_SECONDS, CIRCUITS, BATCHES, COMMITS, ATTEMPTS, DEAD_LETTERS,
    CUSTOMER_EVENTS, FEEDS, MISSING_SOURCES, REJECTED_EVENTS,
)  # fmt: skip
"""What every process counts by itself; siblings' figures are joined."""
LOOKED_UP = (DELIVERIES, OLDEST_DUE, READY, STORE_UP, DISK_FREE, WORKERS, RESTARTS, STARTED, BUILD)
"""What the process that answers a scrape looks up; there is one of it, however many processes there are."""
CATALOGUE = (*COUNTED, *LOOKED_UP)
