"""The column table: its defaults, a configuration's own columns, and how a CRM's values become Aixon's."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from adapters.aixon.models import AixonSettings
from adapters.aixon.table import ColumnTable, Customer, column_faults

HELSINKI = ZoneInfo("Europe/Helsinki")
ONE, TWO = sha256(b"one@x.example").hexdigest(), sha256(b"two@x.example").hexdigest()
NO_NUMBER = "expected a number"
NO_GOAL = "expected 1, 0 or nothing"
NO_TIME = "expected Unix time in seconds as an integer, 0 or nothing"
NO_HASH = "expected e-mail addresses as SHA-256 hashes, 64 hex digits each, joined by comma"
NO_TEXT = "expected text or a number"


def cell(name: str, value: Any) -> tuple[object, str | None]:
    """What the column makes of a value of the CRM's own record."""
    table = ColumnTable({name: "record.given"}, HELSINKI)
    (column,) = table.columns([name])
    return column.value_of(Customer("1", record={"given": value}).document())


@pytest.mark.parametrize("name", ["customuid", "emailsha256", "idfa", "dmpid", "txt_x", "num_x", "attr_x",
                                  "goal_churn_x", "goal_purchase_x_timestamp"])  # fmt: skip
@pytest.mark.parametrize("missing", [None, "", "  ", [], {}])
def test_a_missing_value_stays_empty(name: str, missing: object) -> None:
    """S002: keep it empty. Only the customuid must be there."""
    assert cell(name, missing) == ("", "must not be empty" if name == "customuid" else None)


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("customuid", " crm001 ", "crm001"),
        ("customuid", 4711, "4711"),
        ("customuid", "007", "007"),
        ("dmpid", "a, b", "a, b"),
        ("idfa", ["D14C", "72XX"], "D14C,72XX"),
        ("txt_x", " Tai\x00pei\r\nCity ", "Tai pei City"),
        ("txt_x", "A < B & C", "A < B & C"),
        ("txt_x", 'says "yes", then', 'says "yes", then'),
        ("txt_x", ["a", None, "b"], "a, b"),
        ("txt_x", 12.0, "12"),
        ("txt_x", "\ud800", ""),
        ("attr_x", ["cooking", " writing ", ""], "cooking,writing"),
        ("attr_x", ["Helsinki, Finland", "b"], "Helsinki Finland,b"),
        ("attr_x", "cooking, writing,,", "cooking,writing"),
        ("attr_x", [1, 2], "1,2"),
        ("num_x", 0, 0),
        ("num_x", 2135.5, 2135.5),
        ("num_x", 2135.0, 2135),
        ("num_x", "93116557.0", 93116557),
        ("num_x", " -7 ", -7),
        ("num_x", "1e3", 1000),
        ("num_x", Decimal("1.50"), 1.5),
        ("num_x", True, 1),
        ("num_x", False, 0),
        ("emailsha256", " ONE@x.Example ", ONE),
        ("emailsha256", ["one@x.example", "", None, "Two@x.example"], f"{ONE},{TWO}"),
        ("emailsha256", "one@x.example; two@x.example", f"{ONE},{TWO}"),
        ("emailsha256", [ONE.upper(), "two@x.example"], f"{ONE},{TWO}"),
        ("goal_purchase_x", True, 1),
        ("goal_purchase_x", False, 0),
        ("goal_churn_x", "1", 1),
        ("goal_no_visit_x", 0.0, 0),
        ("goal_purchase_x_timestamp", 1512011429, 1512011429),
        ("goal_purchase_x_timestamp", "1512011429", 1512011429),
        ("goal_purchase_x_timestamp", 1512011429.9, 1512011429),
        ("goal_purchase_x_timestamp", 1512011429999, 1512011429),
        ("goal_purchase_x_timestamp", 0, 0),
        ("goal_purchase_x_timestamp", "2017-11-30T03:10:29Z", 1512011429),
        ("goal_purchase_x_timestamp", "2017-11-30T05:10:29", 1512011429),
        ("goal_purchase_x_timestamp", "2017-11-30", 1512000000),
        ("goal_conversion_x_timestamp", datetime(2017, 11, 30, 3, 10, 29, 900_000, tzinfo=UTC), 1512011429),
        ("goal_conversion_x_timestamp", datetime(2017, 11, 30, 6, tzinfo=timezone(timedelta(hours=6))), 1512000000),
        ("goal_conversion_x_timestamp", datetime(2017, 11, 30, 2), 1512000000),
    ],
)  # fmt: skip
def test_values_become_what_the_column_holds(name: str, value: object, made: object) -> None:
    """Text is trimmed and plain, several values are joined by comma, times are whole seconds in the firm's zone."""
    found = cell(name, value)
    assert (found, type(found[0])) == ((made, None), type(made))


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("customuid", True, NO_TEXT),
        ("customuid", {"id": 1}, NO_TEXT),
        ("txt_x", False, NO_TEXT),
        ("txt_x", {"a": 1}, NO_TEXT),
        ("txt_x", float("nan"), "expected a finite number"),
        ("attr_x", [{"label": "a"}], NO_TEXT),
        ("num_x", "much", NO_NUMBER),
        ("num_x", "1,000", NO_NUMBER),
        ("num_x", "1_000", NO_NUMBER),
        ("num_x", "nan", NO_NUMBER),
        ("num_x", float("inf"), NO_NUMBER),
        ("num_x", "1e999", NO_NUMBER),
        ("num_x", "٣", NO_NUMBER),
        ("num_x", 2**64, "expected a number of at most 64 bits"),
        ("num_x", [1], NO_TEXT),
        ("emailsha256", "n/a", NO_HASH),
        ("emailsha256", ["one@x.example", "two"], NO_HASH),
        ("emailsha256", ["one@x.example", 7], NO_TEXT),
        ("goal_purchase_x", 2, NO_GOAL),
        ("goal_purchase_x", "yes", NO_GOAL),
        ("goal_purchase_x", 0.5, NO_GOAL),
        ("goal_purchase_x_timestamp", "30 Nov", NO_TIME),
        ("goal_purchase_x_timestamp", -1, NO_TIME),
        ("goal_purchase_x_timestamp", float("nan"), NO_TIME),
        ("goal_purchase_x_timestamp", datetime(1969, 1, 1, tzinfo=UTC), NO_TIME),
        ("goal_purchase_x_timestamp", True, NO_TEXT),
    ],
)
def test_values_that_break_a_rule_are_faults(name: str, value: object, fault: str) -> None:
    """What was expected, never what was got."""
    assert cell(name, value) == ("", fault)


def test_an_expression_that_does_not_fit_is_a_fault() -> None:
    """A function that is given the wrong type of thing: the row and column are named, the run goes on."""
    (column,) = ColumnTable({"txt_x": "join('-', record.tags)"}, UTC).columns(["txt_x"])
    value, fault = column.value_of(Customer("1", record={"tags": 7}).document())
    assert value == ""
    assert fault is not None
    assert fault.startswith("the column's expression does not fit")


def test_own_columns_are_laid_over_the_defaults() -> None:
    """Another expression in place, a column switched off, a new one at the end."""
    table = ColumnTable({"txt_city": "upper_city", "txt_industry": "", "num_won": "won_deals"}, UTC)
    assert table.names == (
        "customuid", "emailsha256", "txt_city", "txt_country", "num_revenue", "num_employees", "num_open_deals",
        "attr_labels", "goal_purchase_won", "goal_purchase_won_timestamp", "num_won",
    )  # fmt: skip
    assert table.header(("txt_old", "customuid"))[:3] == ("txt_old", "customuid", "emailsha256")


@pytest.mark.parametrize(
    ("won", "made"), [(None, ""), (0, 0), (1, 1), (7, 1)], ids=["not counted", "none", "one", "several"]
)
def test_the_won_goal_follows_the_won_deals(won: int | None, made: object) -> None:
    """1 with any, 0 with none, empty where nobody counted."""
    (column,) = ColumnTable({}, UTC).columns(["goal_purchase_won"])
    assert column.value_of(Customer("1", won_deals=won).document()) == (made, None)


@pytest.mark.parametrize(
    ("name", "expression", "fault"),
    [
        ("region", "city", "unknown kind of column; expected customuid"),
        ("email", "emails", "unknown kind of column"),
        ("txt_", "city", "unknown kind of column"),
        ("goal_sale_x", "won", "unknown kind of goal; expected goal_…_… with one of no_visit, churn, loyal"),
        ("goal_churn_x_timestamp", "won", "a timestamp goal is one of goal_conversion_…_timestamp, goal_purchase_"),
        ("goal_purchase_timestamp", "won", "unknown kind of goal"),
        ("txt_city", "city[", "not a JMESPath expression: "),
        ("customuid", " ", "cannot be switched off"),
    ],
)
def test_faults_of_a_configured_column(name: str, expression: str, fault: str) -> None:
    """Each with its column and what was expected, before anything is read or sent."""
    (found,) = column_faults({name: expression, "txt_good": "name"})
    assert found.startswith(f"{name}: {fault}")
    with pytest.raises(ValidationError, match="columns"):
        AixonSettings.model_validate(
            {"base_url": "https://aixon.example.com", "api_key": "k", "columns": {name: expression}}
        )


@pytest.mark.parametrize("description", ["Åbo", "a\nx-api-key: b", "tab\t"])
def test_a_description_travels_in_a_header(description: str) -> None:
    """So it is visible ASCII."""
    with pytest.raises(ValidationError, match="description"):
        AixonSettings.model_validate({"base_url": "https://a.example", "api_key": "k", "description": description})
