"""What a row of each kind of customer event must look like, and what a body of them gives (S004)."""

import math
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.crmcom.event_body import read_event_body
from adapters.crmcom.event_rules import FORMS, row_faults
from adapters.crmcom.local_time import local
from adapters.crmcom.models import EVENT_KINDS, set_name

ACCOUNT = {"accounts_receivable_identifier": {"number": "ACR0000000077"}}
EVERY = {
    "request_unique_identifier": "221",
    "performed_by_unit_identifier": {"name": "Admin Unit"},
    "performed_on": "2016-06-22T15:00:00",
}
PRODUCT = {"product_identifier": {"code": "Serendipity"}, "total_amount": 60, "net_amount": 50, "vat_amount": 10}
SAMPLES: dict[str, dict[str, Any]] = {
    "achievements": {**EVERY, **ACCOUNT, "classification_identifier": {"name": "Customer Feedback 3"}},
    "purchases": {**EVERY, **ACCOUNT, "reference_number": "RF01", "products_set": [PRODUCT, PRODUCT]},
    "referrals": {
        **EVERY,
        "referred_rewards_participant_identifier": {"number": "RP0000000017"},
        "referred_by_rewards_participant_identifier": {"number": "RP0000000010"},
    },
    "social_media": {
        **EVERY,
        **ACCOUNT,
        "social_media": "FACEBOOK",
        "profile": "www.facebook.com/polina",
        "action": "LIKE",
    },
    "web": {**EVERY, **ACCOUNT, "website": "www.crm.com"},
    "financial_achievements": {**EVERY, **ACCOUNT, "classification_identifier": {"name": "Financial Achievement 1"}},
}
"""S004's own samples."""
ALWAYS = [(kind, name) for kind in EVENT_KINDS for name in FORMS[kind].mandatory]


def faults(kind: str, **changes: Any) -> dict[str, str]:
    return {fault.path: fault.message for fault in row_faults(kind, {**SAMPLES[kind], **changes})}


def test_every_kind_has_rules() -> None:
    """The six kinds of S004 and no more."""
    assert set(FORMS) == set(EVENT_KINDS) == set(SAMPLES)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_the_document_s_samples_pass(kind: str) -> None:
    """Nothing is wrong with what S004 prints."""
    assert row_faults(kind, SAMPLES[kind]) == []


@pytest.mark.parametrize(("kind", "name"), ALWAYS)
@pytest.mark.parametrize("blank", [None, "", [], {}])
def test_a_mandatory_field_must_be_there(kind: str, name: str, blank: object) -> None:
    """Absent, null and blank are the same, and the path is the field's name."""
    assert list(faults(kind, **{name: blank})) == [name]
    without = {key: value for key, value in SAMPLES[kind].items() if key != name}
    assert [fault.path for fault in row_faults(kind, without)] == [name]


@pytest.mark.parametrize("kind", [kind for kind in EVENT_KINDS if kind != "referrals"])
def test_one_of_account_and_participant_is_needed(kind: str) -> None:
    """Semi-optional: either will do, none will not."""
    assert list(faults(kind, accounts_receivable_identifier=None)) == ["accounts_receivable_identifier"]
    participant = {"rewards_participant_identifier": {"id": "X"}}
    assert faults(kind, accounts_receivable_identifier=None, **participant) == {}


@pytest.mark.parametrize(
    ("field", "allowed"),
    [
        ("accounts_receivable_identifier", ("id", "number", "name")),
        ("rewards_participant_identifier", ("id", "number")),
        ("classification_identifier", ("id", "name", "alternative_code")),
        ("performed_by_unit_identifier", ("id", "name", "alternative_code")),
        ("payment_medium_brand_identifier", ("id", "name", "alternative_code")),
        ("payment_medium_type_identifier", ("id", "name", "alternative_code")),
        ("invoice_identifier", ("id", "number", "reference_number", "back_office_code")),
    ],
)
def test_an_identifier_holds_one_of_its_fields(field: str, allowed: tuple[str, ...]) -> None:
    """Each of the fields S004 allows will do; none of them, another type, a blank or a number will not."""
    for name in allowed:
        assert faults("purchases", **{field: {name: "X"}}) == {}
        assert list(faults("purchases", **{field: {name: 7}})) == [f"{field}.{name}"]
    for wrong in ({"code": "X"}, "X", ["X"], 7):
        assert list(faults("purchases", **{field: wrong})) == [field]


@pytest.mark.parametrize(("kind", "strings"), [(kind, 16 if kind == "purchases" else 8) for kind in EVENT_KINDS])
def test_each_kind_has_its_own_slots(kind: str, strings: int) -> None:
    """16 texts for purchases, 8 for the others; 4 numbers, 4 times; typed; the next slot is not there."""
    texts = {f"udf_string_{number}": "x" for number in range(1, strings + 1)}
    numbers = {f"udf_float_{number}": 1.5 for number in range(1, 5)}
    times = {f"udf_date_{number}": "2016-06-22T15:00:00" for number in range(1, 5)}
    assert faults(kind, **texts, **numbers, **times) == {}
    beyond = {f"udf_string_{strings + 1}": "x", "udf_float_5": 1, "udf_date_5": "2016-06-22", "udf_string_0": "x"}
    assert sorted(faults(kind, **beyond)) == sorted(beyond)
    assert sorted(faults(kind, udf_string_1=1, udf_float_1="1", udf_date_1=1)) == [
        "udf_date_1", "udf_float_1", "udf_string_1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"social_media": "TWITTER"}, {"social_media": "facebook"}, {"action": "SHARE"}, {"action": 1}],
)
def test_facebook_is_liked_and_nothing_else(changes: dict[str, Any]) -> None:
    """S004 knows one network and one action."""
    assert list(faults("social_media", **changes)) == list(changes)


@pytest.mark.parametrize(
    ("product", "path"),
    [
        ({**PRODUCT, "net_amount": None}, "products_set[1].net_amount"),
        ({**PRODUCT, "vat_amount": "10"}, "products_set[1].vat_amount"),
        ({**PRODUCT, "total_amount": True}, "products_set[1].total_amount"),
        ({**PRODUCT, "total_amount": math.nan}, "products_set[1].total_amount"),
        ({**PRODUCT, "quantity": "2"}, "products_set[1].quantity"),
        ({**PRODUCT, "product_identifier": {"name": "Bronze"}}, "products_set[1].product_identifier"),
        ("Bronze", "products_set[1]"),
    ],
)
def test_a_fault_in_a_product_is_told_with_its_place(product: object, path: str) -> None:
    """The path goes down into the set."""
    assert list(faults("purchases", products_set=[PRODUCT, product])) == [path]


def test_no_product_is_a_fault_and_no_amount_is_not() -> None:
    """An empty set is missing; 0 is a number."""
    assert list(faults("purchases", products_set=[])) == ["products_set"]
    assert faults("purchases", products_set=[{**PRODUCT, "vat_amount": 0, "quantity": 2}]) == {}


@pytest.mark.parametrize(
    "wrong", [1466607600, "20160622", "22/06/2016", "2016-06-31", "2016-06-22T25:00:00", "now", True]
)
def test_a_time_is_written_as_the_document_writes_it(wrong: object) -> None:
    """Numbers and other spellings are refused: S004 knows one form."""
    assert list(faults("web", performed_on=wrong)) == ["performed_on"]


@pytest.mark.parametrize("row", [None, [], "x", 7])
def test_a_row_is_an_object(row: object) -> None:
    """Anything else is one fault of the whole row."""
    assert [fault.path for fault in row_faults("web", row)] == [""]


def test_an_unknown_field_is_kept() -> None:
    """A newer release may know more than the document."""
    assert faults("web", colour="blue") == {}


def read(kind: str, body: object, key: str = "request-1") -> Any:
    zone = ZoneInfo("Europe/Helsinki")
    return read_event_body(kind, body, key, lambda text: local(text, zone) or text)


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_a_body_is_an_array_or_a_set(kind: str) -> None:
    """Bare, under the document's name, or under the contract's."""
    bodies = [[SAMPLES[kind]], {set_name(kind): [SAMPLES[kind]]}, {f"{kind}_customer_events_set": [SAMPLES[kind]]}]
    found = [read(kind, body) for body in bodies]
    assert all(each.faults == () for each in found)
    assert found[0].rows == found[1].rows == found[2].rows


def test_every_fault_of_every_row_is_found() -> None:
    """Paths are from the top of the body, and one bad row leaves no rows."""
    bad = {**SAMPLES["web"], "website": None, "performed_on": 1}
    rows = [SAMPLES["web"], bad, {**SAMPLES["web"], "request_unique_identifier": "222"}, "x"]
    bare, wrapped = read("web", rows), read("web", {"web_customer_events_set": rows})
    paths = ["[1].performed_on", "[1].website", "[3]", "[1].request_unique_identifier"]
    assert [fault.path for fault in bare.faults] == paths
    assert [fault.path for fault in wrapped.faults] == [f"web_customer_events_set{path}" for path in paths]
    assert (bare.rows, wrapped.rows) == ((), ())


@pytest.mark.parametrize("body", [None, "x", 7, [], {}, {"web_customer_events_set": []}, {"purchases": [1]}])
def test_a_body_without_events_is_a_fault(body: object) -> None:
    """It says what was expected."""
    (fault,) = read("web", body).faults
    assert "web_customer_events_set" in fault.message


def test_rows_are_kept_complete() -> None:
    """Times are on the firm's clocks, nulls go, and a row without a reference number gets one, always the same."""
    row = {**SAMPLES["web"], "performed_on": "2016-06-22T12:00:00.5Z", "udf_date_1": "2016-06-22", "description": None}
    (kept,) = read("web", [row]).rows
    assert (kept["performed_on"], kept["udf_date_1"]) == ("2016-06-22T15:00:00", "2016-06-22T00:00:00")
    assert "description" not in kept
    assert kept["external_system"] == "Vainu"
    (again,), (other,) = read("web", [row]).rows, read("web", [row], "request-2").rows
    assert again == kept
    assert kept["external_system_reference_number"] != other["external_system_reference_number"]


def test_a_reference_number_of_its_own_stays() -> None:
    """And so does the system it belongs to."""
    (kept,) = read("web", [{**SAMPLES["web"], "external_system_reference_number": "POS-1"}]).rows
    assert (kept["external_system_reference_number"], kept.get("external_system")) == ("POS-1", None)


def test_the_intended_currency_goes_with_every_purchase() -> None:
    """It stands beside the set in S004; a wrong one is a fault of the body."""
    rows = [SAMPLES["purchases"]]
    body = {"purchase_customer_events_set": rows, "intended_currency_identifier": {"code": "EUR"}, "token": "x"}
    assert read("purchases", body).rows[0]["intended_currency_identifier"] == {"code": "EUR"}
    (fault,) = read("purchases", {**body, "intended_currency_identifier": "EUR"}).faults
    assert fault.path == "intended_currency_identifier"
