"""Metrics for Prometheus. Label values are bounded: route templates, connection names, fixed words."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from adapters.contract import CallRecord
from gateway.store import DeliveryState

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0)
"""Bucket bounds, dense around Vainu's 3 s."""


class Metrics:
    """The process's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "gateway_http_request_seconds",
            "Time from request to answer",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        # to find a series by its labels costs more than to count in it
        self._of_request: dict[tuple[str, str, int], Histogram] = {}
        self._calls = Histogram(
            "gateway_upstream_call_seconds",
            "Time of calls to remote systems, by outcome (ok or a reason word)",
            ("connection", "system", "action", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._rejected = Counter(
            "gateway_feed_events_rejected",
            "Events left out of a feed, by reason",
            ("connection", "reason"),
            registry=self.registry,
        )

        self._events = Counter(
            "gateway_customer_events",
            "Rows of customer events pushed to the CRM, by how the attempt ended (ok or a reason word)",
            ("connection", "kind", "outcome"),
            registry=self.registry,
        )

        self._deliveries = Gauge(
            "gateway_deliveries",
            "Deliveries that wait, are in work, or gave up, in the whole store",
            ("connection", "state"),
            registry=self.registry,
        )

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request; a method that HTTP does not know counts as OTHER."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "OTHER"
        key = (route, known, status)
        child = self._of_request.get(key)
        if child is None:
            child = self._of_request[key] = self._requests.labels(route, known, str(status))
        child.observe(seconds)

    def upstream_call(self, connection: str, record: CallRecord) -> None:
        """Count one finished call to a remote system."""
        self._calls.labels(connection, record.system, record.action, record.outcome).observe(record.seconds)

    def event_rejected(self, connection: str, reason: str) -> None:
        """Count an event that was left out of a feed."""
        self._rejected.labels(connection, reason).inc()

    def events_pushed(self, connection: str, kind: str, outcomes: Mapping[str, int]) -> None:
        """Count the rows of a batch of customer events, by outcome."""
        for outcome, number in outcomes.items():
            self._events.labels(connection, kind, outcome).inc(number)

    def deliveries(self, counts: Mapping[tuple[str, DeliveryState], int]) -> None:
        """Take over how many deliveries there are, by connection and state."""
        self._deliveries.clear()
        for (connection, state), number in counts.items():
            self._deliveries.labels(connection, state).set(number)

    def exposition(self) -> tuple[bytes, str]:
        """The metrics in Prometheus' text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4
