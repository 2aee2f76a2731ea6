"""What the document says of customer events is what a gateway on CRM.COM takes and answers."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.crmcom.models import EVENT_KINDS
from gateway.openapi.event_examples import event_examples, example_names
from tests.gateway.events.conftest import BULK, Shop, hasty_shop, shop

__all__ = ["hasty_shop", "shop"]
Faults = Callable[[dict[str, Any], Any], list[str]]


EXAMPLES = [(kind, name) for kind in EVENT_KINDS for name in example_names(kind)]


def described(openapi: dict[str, Any], kind: str, method: str, status: int) -> dict[str, Any]:
    path = f"/crm/{{connection}}/customer-events/{kind}" + ("/{id}" if method == "get" else "")
    answer = openapi["paths"][path][method]["responses"][str(status)]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


@pytest.mark.parametrize(("kind", "name"), EXAMPLES)
def test_the_examples_are_taken_and_answered_as_described(
    shop: Shop, openapi: dict[str, Any], faults: Faults, kind: str, name: str
) -> None:
    """Both shapes of a body get 200 and the outcomes, and the GET tells where they stand, by their schemas."""
    answer = shop.post(event_examples()[name]["value"], kind)
    assert answer.status_code == 200, answer.text
    assert faults(described(openapi, kind, "post", 200), answer.json()) == []
    assert faults(described(openapi, kind, "get", 200), shop.get(answer.json()["id"], kind).json()) == []


def test_what_waits_is_answered_as_described(hasty_shop: Shop, openapi: dict[str, Any], faults: Faults) -> None:
    """202, and rows that wait before and after their first attempt, by their schemas."""
    hasty_shop.upstream.fault("crmcom", "429", match=BULK, times=1, seconds=1)
    hasty_shop.break_rows("ACR", code="NotFoundAPIValueException")
    answer = hasty_shop.post([hasty_shop.purchase(1), hasty_shop.purchase(2)])
    assert answer.status_code == 202, answer.text
    assert faults(described(openapi, "purchases", "post", 202), answer.json()) == []
    standing = hasty_shop.get(answer.json()["id"]).json()
    assert standing["pending"]
    assert faults(described(openapi, "purchases", "get", 200), standing) == []
    assert faults(described(openapi, "purchases", "get", 200), hasty_shop.finished(answer.json()["id"])) == []
