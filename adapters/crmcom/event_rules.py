"""What a row of each kind of customer event must look like (S004, field by field). Pure.

"Semi-optional" fields are read as S004's samples show them: one of them is needed. A field that S004 does not have is
kept, but for the numbered `udf_…` slots, of which each kind has so many and no more.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from adapters.bulk_events import Fault
from adapters.timestamps import TimestampRefused, read

Check = Callable[[object, str], Iterator[Fault]]
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ].+)?")
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
"""Within a day of the calendar's ends there are zones whose clocks cannot show the time."""
_UDF = re.compile(r"udf_(string|float|date)_[0-9]+")
_BLANK: tuple[object, ...] = (None, "", [], {})


def _text(value: object, path: str) -> Iterator[Fault]:
    if not isinstance(value, str):
        yield Fault(path, f"expected a text, got {_kind_of(value)}")
    elif not value.strip():
        yield Fault(path, "expected a text, got blanks")


def _number(value: object, path: str) -> Iterator[Fault]:
    is_number = isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    if isinstance(value, bool) or not is_number:
        yield Fault(path, f"expected a number, got {_kind_of(value)}")


def _date(value: object, path: str) -> Iterator[Fault]:
    if not isinstance(value, str) or not _DATE.fullmatch(value.strip()):
        yield Fault(path, f"expected a time such as 2016-06-22T15:00:00, got {_kind_of(value)}")
        return
    try:
        at = read(value.strip(), UTC).at
    except TimestampRefused as refused:
        yield Fault(path, f"expected a time such as 2016-06-22T15:00:00, got one that is {refused.reason}")
    else:
        if not _FIRST <= at < _LAST:
            yield Fault(path, "expected a time such as 2016-06-22T15:00:00, got one that is out_of_range")


def _word(*allowed: str) -> Check:
    def check(value: object, path: str) -> Iterator[Fault]:
        if value not in allowed:
            yield Fault(path, f"expected {' or '.join(allowed)}, got {_kind_of(value)}")

    return check


def _identifier(*names: str) -> Check:
    def check(value: object, path: str) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            yield Fault(path, f"expected an object with one of {', '.join(names)}, got {_kind_of(value)}")
            return
        given = [name for name in names if value.get(name) not in _BLANK]
        if not given:
            yield Fault(path, f"expected one of {', '.join(names)}, got none of them")
        for name in given:
            yield from _text(value[name], f"{path}.{name}")

    return check


def _products(value: object, path: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield Fault(path, f"expected an array of products, got {_kind_of(value)}")
        return
    for place, product in enumerate(value):
        yield from _faults(product, PRODUCT, f"{path}[{place}]")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one kind of object."""

    mandatory: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)
    one_of: tuple[str, ...] = ()
    """Fields of `optional` of which one is needed."""


_NAMED = _identifier("id", "name", "alternative_code")
_PRODUCT = _identifier("id", "code", "alternative_code")
_PARTICIPANT = _identifier("id", "number")
CURRENCY = _identifier("id", "code")
PRODUCT = Form(
    {"product_identifier": _PRODUCT, "net_amount": _number, "vat_amount": _number, "total_amount": _number},
    {"quantity": _number},
)
CUSTOMERS: Mapping[str, Check] = {
    "accounts_receivable_identifier": _identifier("id", "number", "name"),
    "rewards_participant_identifier": _PARTICIPANT,
}
_CLASSIFICATION: Mapping[str, Check] = {"classification_identifier": _NAMED}
_PAYMENT: Mapping[str, Check] = {
    # S004 prints the type twice for financial achievements, the second time described as the brand
    "payment_medium_type_identifier": _NAMED,
    "payment_medium_brand_identifier": _NAMED,
    "payment_medium_identifier": _text,
}


def _form(
    mandatory: Mapping[str, Check], optional: Mapping[str, Check], *, strings: int = 8, of_customer: bool = True
) -> Form:
    always = {"request_unique_identifier": _text, "performed_by_unit_identifier": _NAMED, "performed_on": _date}
    texts = dict.fromkeys(("description", "external_system", "external_system_reference_number"), _text)
    slots: dict[str, Check] = {f"udf_string_{number}": _text for number in range(1, strings + 1)}
    slots |= {f"udf_float_{number}": _number for number in range(1, 5)}
    slots |= {f"udf_date_{number}": _date for number in range(1, 5)}
    customers = CUSTOMERS if of_customer else {}
    return Form({**always, **mandatory}, {**texts, **slots, **customers, **optional}, tuple(customers))


FORMS: Mapping[str, Form] = {
    "achievements": _form(_CLASSIFICATION, {}),
    "purchases": _form(
        {"reference_number": _text, "products_set": _products},
        {
            **_CLASSIFICATION,
            **_PAYMENT,
            "invoice_identifier": _identifier("id", "number", "reference_number", "back_office_code"),
            # no field of a row in S004 but one of the whole call: carried by the row until the call is made
            "intended_currency_identifier": CURRENCY,
        },
        strings=16,
    ),
    "referrals": _form(
        {
            "referred_rewards_participant_identifier": _PARTICIPANT,
            "referred_by_rewards_participant_identifier": _PARTICIPANT,
        },
        _CLASSIFICATION,
        of_customer=False,
    ),
    "social_media": _form(
        {"social_media": _word("FACEBOOK"), "profile": _text, "action": _word("LIKE")}, _CLASSIFICATION
    ),
    "web": _form({"website": _text}, _CLASSIFICATION),
    "financial_achievements": _form(_CLASSIFICATION, {**_PAYMENT, "product_identifier": _PRODUCT}),
}
"""Every kind's fields (S004)."""


def row_faults(kind: str, row: object, path: str = "") -> list[Fault]:
    """Every fault of one row; KeyError for a kind that there is not."""
    return list(_faults(row, FORMS[kind], path))


def date_fields(kind: str) -> list[str]:
    """The fields of a kind that hold a time."""
    form = FORMS[kind]
    return [name for name, check in {**form.mandatory, **form.optional}.items() if check is _date]


def _faults(row: object, form: Form, path: str) -> Iterator[Fault]:
    if not isinstance(row, Mapping):
        yield Fault(path, f"expected an object, got {_kind_of(row)}")
        return
    prefix = f"{path}." if path else ""
    for name, check in form.mandatory.items():
        if row.get(name) in _BLANK:
            yield Fault(f"{prefix}{name}", "is mandatory")
        else:
            yield from check(row[name], f"{prefix}{name}")
    for name, check in form.optional.items():
        if row.get(name) not in (None, ""):
            yield from check(row[name], f"{prefix}{name}")
    if form.one_of and all(row.get(name) in _BLANK for name in form.one_of):
        yield Fault(f"{prefix}{form.one_of[0]}", f"one of {', '.join(form.one_of)} is mandatory")
    for name in filter(_is_unknown_slot(form), row):
        yield Fault(f"{prefix}{name}", "there is no such slot for this kind of event")


def _is_unknown_slot(form: Form) -> Callable[[Any], bool]:
    return lambda name: isinstance(name, str) and bool(_UDF.fullmatch(name)) and name not in form.optional


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "another text", int: "a number", float: "a number", list: "an array"}
    return names.get(type(value), "an object")
