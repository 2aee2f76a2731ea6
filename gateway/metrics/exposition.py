"""Figures as Prometheus' text format, written by prometheus_client."""

from collections.abc import Iterator, Mapping
from math import inf, isfinite

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.metrics.catalogue import CATALOGUE, Family
from gateway.metrics.series import Cell, Figures

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class _Figures(Collector):
    def __init__(self, figures: Mapping[str, Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        for family in CATALOGUE:
            yield _metric(family, self._figures.get(family.name, {}))


def text(figures: Mapping[str, Figures]) -> bytes:
    """The exposition; every metric of the catalogue has its HELP and TYPE, whether or not it has series."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(figures))
    return generate_latest(registry)


def _metric(family: Family, figures: Figures) -> Metric:
    if family.kind == "histogram":
        return _histogram(family, figures)
    of_kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = of_kind(family.name.removesuffix("_total"), family.text, labels=family.labels)
    for labels, cell in figures.items():
        metric.add_metric(labels, cell[0])
    return metric


def _histogram(family: Family, figures: Figures) -> Metric:
    metric = HistogramMetricFamily(family.name, family.text, labels=family.labels)
    for labels, cell in figures.items():
        metric.add_metric(labels, list(_cumulated(family, cell)), cell[-1])
    return metric


def _cumulated(family: Family, cell: Cell) -> Iterator[tuple[str, float]]:
    count = 0.0
    for bound, number in zip((*family.buckets, inf), cell, strict=False):
        count += number
        yield str(bound) if isfinite(bound) else "+Inf", count
