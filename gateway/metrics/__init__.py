"""What a process counts about itself, for Prometheus; what each metric is stands in `catalogue`."""

import time
from collections.abc import Mapping, Sequence

from adapters.contract import CallRecord
from gateway.metrics import catalogue
from gateway.metrics.catalogue import REQUEST_SECONDS
from gateway.metrics.series import Cell, Figures, Series, Snapshot, join, observe, snapshot
from gateway.store import DeliveryState
from gateway.store.deliveries import Delivery, Ending

TRAFFIC = {
    "/vainu/{connection}/exports": "export",
    "/vainu/{connection}/activities/{unique_id}": "feed",
    "/vainu/{connection}/webhooks": "vainu_webhook",
    "/crm/{connection}/webhooks": "crm_webhook",
    "/crm/{connection}/customer-events/{kind}": "customer_events",
}
"""The routes by which work reaches a connection, and their names in metrics."""
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
_Request = tuple[str, str, int, str | None, str | None]


class Metrics:
    """The counts of one process. The methods are called on its event loop, but for `committed`."""

    def __init__(self) -> None:
        self._series = {family.name: Series(family) for family in catalogue.COUNTED}
        self._requests = self._series[catalogue.REQUESTS.name]
        self._calls = self._series[catalogue.CALLS.name]
        self._call_seconds = self._series[catalogue.CALL_SECONDS.name]
        self._commits = self._series[catalogue.COMMITS.name]
        self._batches = self._series[catalogue.BATCHES.name]
        self._of_request: dict[_Request, tuple[Cell, Cell | None, Cell | None]] = {}

    def request(
        self,
        route: str,
        method: str,
        status: int,
        seconds: float,
        *,
        connection: str | None = None,
        refusal: str | None = None,
    ) -> None:
        """Count one answered request; `connection` is that of an admitted caller, `refusal` the reason word.

        A method that HTTP does not know counts as OTHER.
        """
        key = (route, method if method in _METHODS else "OTHER", status, connection, refusal)
        # to find series by their labels costs more than to count in them
        cells = self._of_request.get(key)
        if cells is None:
            cells = self._of_request[key] = self._cells_of(*key)
        request, last, traffic = cells
        observe(request, REQUEST_SECONDS, seconds)
        if refusal is not None:
            self._add(catalogue.REFUSALS, route, refusal)
        if last is not None and traffic is not None:
            last[0] = time.time()
            traffic[0] += 1

    def _cells_of(
        self, route: str, method: str, status: int, connection: str | None, _refusal: str | None
    ) -> tuple[Cell, Cell | None, Cell | None]:
        request = self._requests.cell(route, method, str(status))
        traffic = TRAFFIC.get(route)
        if connection is None or traffic is None:
            return request, None, None
        return (
            request,
            self._series[catalogue.LAST_TRAFFIC.name].cell(connection, traffic),
            self._series[catalogue.TRAFFIC.name].cell(connection, traffic, f"{status // 100}xx"),
        )

    def _add(self, family: catalogue.Family, *labels: str, number: float = 1.0) -> None:
        self._series[family.name].add(*labels, number=number)

    def upstream_call(self, connection: str, system: str, record: CallRecord) -> None:
        """Count one finished call to a remote system, under the configuration's word for it."""
        self._calls.add(connection, system, record.action, record.outcome)
        self._call_seconds.observe(record.seconds, system, record.action)

    def committed(self, writes: int, seconds: float, is_kept: bool) -> None:
        """Count a batch of the store's writer; called on the writer's thread."""
        self._batches.observe(writes)
        self._commits.observe(seconds, "ok" if is_kept else "failed")

    def attempted(self, delivery: Delivery, ending: Ending) -> None:
        """Count an attempt at a delivery that has ended."""
        if ending.counts:
            self._add(catalogue.ATTEMPTS, delivery.connection, delivery.kind, ending.outcome)
        if ending.state == DeliveryState.DEAD:
            self._add(catalogue.DEAD_LETTERS, delivery.connection, delivery.kind, ending.outcome)

    def events_pushed(self, connection: str, kind: str, outcomes: Mapping[str, int]) -> None:
        """Count the rows of a batch of customer events, by outcome."""
        for outcome, number in outcomes.items():
            self._add(catalogue.CUSTOMER_EVENTS, connection, kind, outcome, number=number)

    def event_rejected(self, connection: str, reason: str) -> None:
        """Count an event that was left out of a feed."""
        self._add(catalogue.REJECTED_EVENTS, connection, reason)

    def feed(self, connection: str, outcome: str, missing: Sequence[tuple[str, str]] = ()) -> None:
        """Count a feed that was asked of the CRM, and the (source, reason) of what it lacks."""
        self._add(catalogue.FEEDS, connection, outcome)
        for source, reason in missing:
            self._add(catalogue.MISSING_SOURCES, connection, source, reason)

    def circuits(self, states: Mapping[tuple[str, str], bool]) -> None:
        """Take over which circuits are open, by connection and kind of delivery."""
        self._series[catalogue.CIRCUITS.name].replace({labels: float(state) for labels, state in states.items()})

    def snapshot(self) -> Snapshot:
        """What this process has counted."""
        return snapshot(self._series.values())

    def figures(self) -> dict[str, Figures]:
        """As `snapshot`, joined: what `exposition.text` takes."""
        joined: dict[str, Figures] = {}
        join(joined, self.snapshot())
        return joined
