"""Which prospects to list: filters with their types, order, and what the documents show of both (S001). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, get_args

from adapters.contract import Refused

ProspectField = Literal[
    "business_id", "business_ids", "registration_date", "company_name", "link", "domain", "phone",
    "industry_code", "industry_codes", "industry_code_2", "industry_code_5", "isic_industry_code",
    "address", "postal", "city", "country", "municipality", "region",
    "visiting_address", "visiting_city", "visiting_postal", "visiting_municipality",
    "turn_over", "profit", "development_of_turnover", "staff_number", "nstatus", "basic_modified",
]  # fmt: skip
"""S001's "supported fields", and those of its examples: business_ids, industry_code(s), region, basic_modified."""
ProspectOrder = Literal[ProspectField, "vainu_score", "alexa_rank_global"]
"""What can be sorted by: S001 adds two fields that cannot be filtered by."""
FilterType = Literal["wildcard", "gte", "gt", "lte", "lt", "exact", "startswith", "in", "ne"]
"""How a value is compared; `wildcard` is the bare name: `*value*`."""
FilterValue = str | int | float | bool | date | datetime | None


@dataclass(frozen=True, slots=True)
class ProspectFilter:
    """One condition, such as `ProspectFilter("visiting_postal", ["90500", "90510"], "in")`; all must hold.

    A list goes with `in` and with the field business_ids. None goes with `ne` only: it asks for a value that exists.
    A range of postal codes is one text: "50000-51019".
    """

    field: ProspectField
    value: FilterValue | Sequence[str]
    type: FilterType = "wildcard"


@dataclass(frozen=True, slots=True)
class ProspectQuery:
    """Which prospects, and in which order; Vainu recommends a filter by country for speed."""

    filters: Sequence[ProspectFilter] = ()
    order: ProspectOrder | None = None
    minus: bool = False
    """A `-` before the order's field. S001 contradicts itself: its text says that it makes the order ascending, and
    so do two of its examples; three others sort the other way. Try it on the account in question."""

    def params(self) -> dict[str, str | int]:
        """The query's parameters; `Refused` for what S001 does not know."""
        params: dict[str, str | int] = {}
        for each in self.filters:
            name = _parameter(each)
            if name in params:
                raise Refused(f"prospects: expected {name} once, got it twice; nothing was sent")
            params[name] = _written(each)
        if self.order is not None:
            if self.order not in (*get_args(ProspectField), "vainu_score", "alexa_rank_global"):
                raise Refused("prospects: expected a known field to order by; nothing was sent")
            params["order"] = ("-" if self.minus else "") + self.order
        return params


def _parameter(condition: ProspectFilter) -> str:
    if condition.field not in get_args(ProspectField):
        raise Refused(f"prospects: expected one of {', '.join(get_args(ProspectField))}; nothing was sent")
    if condition.type not in get_args(FilterType):
        raise Refused(f"prospects: expected one of {', '.join(get_args(FilterType))}; nothing was sent")
    return condition.field if condition.type == "wildcard" else f"{condition.field}__{condition.type}"


def _written(condition: ProspectFilter) -> str:
    value = condition.value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _joined(condition, value)
    if value is None:
        if condition.type != "ne":
            raise Refused("prospects: null can only be excluded (ne); nothing was sent")
        return "null"
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    if isinstance(value, bool):
        return "true" if value else "false"
    written = value.isoformat() if isinstance(value, date) else str(value).encode("utf-8", "replace").decode()
    if not written.strip():
        raise Refused(f"prospects: expected a value for {condition.field}; nothing was sent")
    return written


def _joined(condition: ProspectFilter, values: Sequence[str]) -> str:
    if condition.type != "in" and condition.field != "business_ids":
        raise Refused("prospects: a list goes with the type in, or with business_ids; nothing was sent")
    if not values or any("," in each or not each.strip() for each in values):
        raise Refused("prospects: expected a list of values without commas; nothing was sent")
    return ",".join(values)
