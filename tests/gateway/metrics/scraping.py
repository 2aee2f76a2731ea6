"""Scrapes as Prometheus makes them."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.harness import OPERATOR, client

Series = tuple[str, frozenset[tuple[str, str]]]


def exposition(url: str) -> str:
    """The text of a scrape, over a connection of its own: any worker may answer."""
    with client(url, headers=OPERATOR) as http:
        answer: httpx.Response = http.get("/metrics")
    assert answer.status_code == 200, answer.text
    return answer.text


def scrape(url: str) -> dict[Series, float]:
    """Every sample: its name and labels, and its value."""
    families = text_string_to_metric_families(exposition(url))
    return {(each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples}


def value(samples: Mapping[Series, float], name: str, **labels: str) -> float | None:
    """The value of one series; None if there is none with exactly these labels."""
    return samples.get((name, frozenset(labels.items())))


def total(samples: Mapping[Series, float], name: str, **labels: str) -> float:
    """The sum of all series of this name that have these labels among theirs."""
    return sum(number for (each, has), number in samples.items() if each == name and has >= frozenset(labels.items()))
