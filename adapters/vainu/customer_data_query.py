"""What customer data to list: filters with their suffixes, ordering and page size (S000, S001). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from adapters.contract import Refused
from adapters.vainu.models import ApiVersion, FieldValue, render

FilterField = Literal[
    "last_update", "lost_deals_count", "open_deals_count", "owner_email",
    "prospect", "unique_id", "won", "won_deals_count",
]  # fmt: skip
"""What customer data can be filtered and ordered by; `prospect` is the vid (S000, S001)."""
Comparison = Literal["eq", "gt", "gte", "lt", "lte", "ne"]
"""How a value is compared: `eq` is the bare name, the others are the suffixes `__gt` … `__ne`."""

LARGEST_PAGE = 500
"""The most that Vainu gives at once (S000, S001)."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition, such as `Filter("won_deals_count", 1, "gte")`; several of a query must all hold."""

    field: FilterField
    value: FieldValue
    """Times are written as the version wants them: a date in v2, a date-time in v1, both UTC."""
    comparison: Comparison = "eq"


@dataclass(frozen=True, slots=True)
class CustomerDataQuery:
    """What to list, and in which order; without filters, all customer data of the account."""

    filters: Sequence[Filter] = ()
    order_by: FilterField | None = None
    descending: bool = False
    page_size: int = LARGEST_PAGE

    def params(self, version: ApiVersion, page: int) -> dict[str, str | int]:
        """The query string of one page, from 1; `Refused` for what Vainu's documents do not know."""
        params: dict[str, str | int] = {}
        for each in self.filters:
            name = _parameter(each)
            if name in params:
                raise Refused(f"customer data: expected {name} once, got it twice; nothing was sent")
            params[name] = _written(each, version)
        if self.order_by is not None:
            params["ordering"] = ("-" if self.descending else "") + _known_field(self.order_by)
        if not 1 <= self.page_size <= LARGEST_PAGE:
            raise Refused(f"customer data: expected a page size from 1 to {LARGEST_PAGE}; nothing was sent")
        return params | {"page_size": self.page_size, "page": page}


def _parameter(condition: Filter) -> str:
    if condition.comparison not in get_args(Comparison):
        raise Refused(f"customer data: expected one of {', '.join(get_args(Comparison))}; nothing was sent")
    suffix = "" if condition.comparison == "eq" else f"__{condition.comparison}"
    return _known_field(condition.field) + suffix


def _known_field(name: str) -> str:
    if name not in get_args(FilterField):
        raise Refused(f"customer data: expected one of {', '.join(get_args(FilterField))}; nothing was sent")
    return name


def _written(condition: Filter, version: ApiVersion) -> str | int:
    value = render(condition.value, version)
    if isinstance(value, bool):
        return "true" if value else "false"
    # how Vainu would be asked for a missing value is unknown, and an empty one may be no filter at all
    if value is None or not str(value).strip():
        raise Refused(f"customer data: expected a value for {condition.field}; nothing was sent")
    return value if isinstance(value, int) else str(value)
