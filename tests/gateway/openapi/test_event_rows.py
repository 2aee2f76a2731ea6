"""The schemas of customer events and the rules by which CRM.COM's adapter takes them agree, kind by kind."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.crmcom.event_body import read_event_body
from adapters.crmcom.event_rules import FORMS, row_faults
from adapters.crmcom.local_time import local
from adapters.crmcom.models import EVENT_KINDS
from gateway.openapi import document
from gateway.openapi.event_examples import event_example
from gateway.openapi.event_rows import row_name
from gateway.openapi.event_schemas import body_name, set_names

COMPONENTS = document()["components"]
ODD = st.sampled_from([None, "", " ", "\t\n", [], {}, True, 0, 1.5, "x", "FACEBOOK", {"id": "x"}, {"id": 7}, [{}]])
NAMES = ("id", "number", "name", "code", "alternative_code", "reference_number", "back_office_code")
IDENTIFIERS = st.dictionaries(st.sampled_from(NAMES), ODD | st.just("x"), max_size=2)
TIMES = st.sampled_from([
    "2016-06-22T15:00:00", "2016-06-22T15:00", "2016-06-22", "2016-06-22T15:00:00.5Z", "2016-06-22T15:00:00+02:00",
    "2024-02-29T15:00:00", "2000-02-29", "2016-13-22T15:00:00", "2016-06-31", "2023-02-29T15:00:00", "1900-02-29",
    "2016-06-22T25:00:00", "0000-01-01", "yesterday", "20160622", "1466607600",
])  # fmt: skip
AMOUNTS = ("net_amount", "vat_amount", "total_amount", "quantity", "udf_float_1", "other")
PRODUCTS = st.lists(
    st.fixed_dictionaries(
        {"product_identifier": IDENTIFIERS, "net_amount": st.just(1)},
        optional=dict.fromkeys(AMOUNTS[1:], st.integers(0, 2) | ODD),
    ),
    max_size=2,
)
SLOTS = ("udf_string_1", "udf_string_9", "udf_string_16", "udf_string_17", "udf_string_01", "udf_string_100",
         "udf_float_4", "udf_float_5", "udf_float_40", "udf_date_1", "udf_date_0", "udf_other_1")  # fmt: skip
KINDS = pytest.mark.parametrize("kind", EVENT_KINDS)


def admits(name: str) -> Callable[[Any], bool]:
    bundled = {"$ref": f"#/components/schemas/{name}", "components": COMPONENTS}
    return jsonschema_rs.Draft202012Validator(bundled, validate_formats=True).is_valid


def changes(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """One to three fields of a row in other words."""
    fields = {name for form in FORMS.values() for name in (*form.mandatory, *form.optional)}
    slots = {name for name in fields if name.startswith("udf_")}
    names = st.sampled_from(sorted(fields - slots)) | st.sampled_from(sorted(FORMS[kind].mandatory))
    values = st.one_of(ODD, IDENTIFIERS, TIMES, PRODUCTS)
    return st.dictionaries(names | st.sampled_from(SLOTS), values, min_size=1, max_size=3)


def alike(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
    )


@KINDS
def test_a_row_is_admitted_where_it_is_taken(kind: str) -> None:
    """A row with any fields changed or taken away: valid by the schema, or refused with its faults; never one alone."""
    is_row = admits(row_name(kind))
    customers = ("accounts_receivable_identifier", "rewards_participant_identifier")

    @alike(400)
    @given(changes(kind), st.sampled_from(["", *event_example(kind), *customers]))
    def agree(changed: dict[str, Any], left_out: str) -> None:
        row = {key: value for key, value in {**event_example(kind), **changed}.items() if key != left_out}
        assert (row_faults(kind, row) == []) == is_row(row), row

    agree()


@KINDS
@pytest.mark.parametrize("time", ["1000-01-01T00:00:00", "9899-12-31T23:59:59.999999999", "1000-01-01", "9899-12-31"])
def test_the_times_at_the_ends_are_taken(kind: str, time: str) -> None:
    """The first and the last time that the document admits are times to CRM.COM's adapter."""
    row = {**event_example(kind), "performed_on": time, "udf_date_4": f"{time[:10]}T00:00:00Z"}
    assert admits(row_name(kind))(row)
    assert row_faults(kind, row) == []


@KINDS
def test_a_body_is_admitted_where_it_is_taken(kind: str) -> None:
    """Arrays, and objects with one under either name, or both, or neither."""
    good, bad = [event_example(kind)], [{}]
    is_body = admits(body_name(kind))
    first, second = set_names(kind)
    currencies: list[Any] = [None, {"code": "EUR"}, {"code": ""}, "EUR"]
    bodies: list[Any] = [good, bad, [], None, {}, {"other": good}, {first: []}]
    bodies += [{first: one, second: two, "other": 1} for one in (good, bad) for two in (good, bad)]
    bodies += [{name: rows} for name in (first, second) for rows in (good, bad, None)]
    bodies += [{first: good, "intended_currency_identifier": currency} for currency in currencies]
    for body in bodies:
        taken = read_event_body(kind, body, "evt_1", lambda text: local(text, ZoneInfo("Europe/Helsinki")) or text)
        assert (not taken.faults) == is_body(body), body
