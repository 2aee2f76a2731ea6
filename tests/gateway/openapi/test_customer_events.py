"""What the document says of customer events is what a gateway on CRM.COM takes and answers."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.openapi.event_schemas import event_examples
from tests.gateway.events.conftest import BULK, Shop, hasty_shop, shop

__all__ = ["hasty_shop", "shop"]
Faults = Callable[[dict[str, Any], Any], list[str]]


def described(openapi: dict[str, Any], method: str, status: int) -> dict[str, Any]:
    path = "/crm/{connection}/customer-events/{kind}" + ("/{id}" if method == "get" else "")
    answer = openapi["paths"][path][method]["responses"][str(status)]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize("name", event_examples())
def test_the_examples_are_taken_and_answered_as_described(
    shop: Shop, openapi: dict[str, Any], faults: Faults, name: str
) -> None:
    """Both shapes of a body get 200 and the outcomes, and the GET tells where they stand, by their schemas."""
    answer = shop.post(event_examples()[name]["value"])
    assert answer.status_code == 200, answer.text
    assert faults(described(openapi, "post", 200), answer.json()) == []
    assert faults(described(openapi, "get", 200), shop.get(answer.json()["id"]).json()) == []


def test_what_waits_is_answered_as_described(hasty_shop: Shop, openapi: dict[str, Any], faults: Faults) -> None:
    """202, and rows that wait before and after their first attempt, by their schemas."""
    hasty_shop.upstream.fault("crmcom", "429", match=BULK, times=1, seconds=1)
    hasty_shop.break_rows("ACR", code="NotFoundAPIValueException")
    answer = hasty_shop.post([hasty_shop.purchase(1), hasty_shop.purchase(2)])
    assert answer.status_code == 202, answer.text
    assert faults(described(openapi, "post", 202), answer.json()) == []
    standing = hasty_shop.get(answer.json()["id"]).json()
    assert standing["pending"]
    assert faults(described(openapi, "get", 200), standing) == []
    assert faults(described(openapi, "get", 200), hasty_shop.finished(answer.json()["id"])) == []
