"""Examples of customer events: one of each kind, as S004 prints them."""

from gateway.openapi.event_rows import KINDS
from gateway.openapi.references import Node

_ACCOUNT = {"accounts_receivable_identifier": {"number": "ACR0000000164"}}
_AMOUNTS = {"net_amount": 50, "vat_amount": 10, "total_amount": 60}
_OWN_FIELDS: dict[str, Node] = {
    "achievements": {**_ACCOUNT, "classification_identifier": {"name": "Customer Feedback"}},
    "purchases": {
        **_ACCOUNT,
        "reference_number": "R-1",
        "products_set": [{"product_identifier": {"code": "Bronze"}, **_AMOUNTS}],
    },
    "referrals": {
        "referred_rewards_participant_identifier": {"number": "RP0000000017"},
        "referred_by_rewards_participant_identifier": {"number": "RP0000000010"},
    },
    "social_media": {
        **_ACCOUNT,
        "social_media": "FACEBOOK",
        "profile": "www.facebook.com/example",
        "action": "LIKE",
    },
    "web": {**_ACCOUNT, "website": "www.example.com"},
    "financial_achievements": {**_ACCOUNT, "classification_identifier": {"name": "Paid in Time"}},
}


def event_examples() -> Node:
    """The parts of `components/examples` that are about customer events."""
    return {name: example for kind in KINDS for name, example in _of_kind(kind).items()}


def example_names(kind: str) -> list[str]:
    """The examples of a kind."""
    return list(_of_kind(kind))


def event_example(kind: str) -> Node:
    """One event of a kind."""
    return {
        "request_unique_identifier": "1",
        "performed_by_unit_identifier": {"name": "Admin Unit"},
        "performed_on": "2026-11-20T15:00:00",
        **_OWN_FIELDS[kind],
    }


def _of_kind(kind: str) -> Node:
    rows = [event_example(kind)]
    return {
        kind: {"summary": "A bare array", "value": rows},
        f"{kind}_set": {"summary": "As a set", "value": {f"{kind}_customer_events_set": rows}},
    }
