"""The column table: which part of a CRM's customer goes into which of Aixon's columns, as JMESPath.

`DEFAULT_COLUMNS` is the product's own table; a connection's `[connections.NAME.aixon.columns]` is laid over it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from adapters.aixon.columns import Kind, kind_of, name_fault, value_fault
from adapters.aixon.values import Converter, converter

Value = str | int | float
"""What a body may hold in a cell; "" is a missing value."""

DEFAULT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "customuid": "id",
        "emailsha256": "emails",
        "txt_city": "city",
        "txt_country": "country",
        "txt_industry": "industry",
        "num_revenue": "revenue",
        "num_employees": "employees",
        "num_open_deals": "open_deals",
        "attr_labels": "labels",
        "goal_purchase_won": "won",
        "goal_purchase_won_timestamp": "last_won_at",
    }
)
"""Column → JMESPath on `Customer.document()`, in the order of the columns."""

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_UNFIT = "the column's expression does not fit what the CRM has here; check it in [connections.NAME.aixon.columns]"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the CRM has it now; None is what the CRM does not know."""

    id: str
    """The CRM's own id."""
    name: str = ""
    city: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2, upper case."""
    industry: str | None = None
    revenue: int | float | Decimal | str | None = None
    employees: int | str | None = None
    emails: Sequence[str] = ()
    labels: Sequence[str] = ()
    open_deals: int | None = None
    won_deals: int | None = None
    lost_deals: int | None = None
    last_won_at: datetime | None = None
    """When the last won deal was won; aware, UTC."""
    business_id: str | None = None
    """Upper case, without dashes, spaces and country prefix."""
    owner_email: str | None = None
    last_update: datetime | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    """The CRM's own record, for expressions of the configuration such as `record.categoryName`."""

    def document(self) -> dict[str, Any]:
        """What the expressions of a column table read: the fields above by name, and `won`.

        `won` is true or false where the won deals were counted, else null.
        """
        return {
            "id": self.id,
            "name": self.name,
            "city": self.city,
            "country": self.country,
            "industry": self.industry,
            "revenue": self.revenue,
            "employees": self.employees,
            # JMESPath knows lists only
            "emails": list(self.emails),
            "labels": list(self.labels),
            "open_deals": self.open_deals,
            "won_deals": self.won_deals,
            "lost_deals": self.lost_deals,
            "won": None if self.won_deals is None else self.won_deals > 0,
            "last_won_at": self.last_won_at,
            "business_id": self.business_id,
            "owner_email": self.owner_email,
            "last_update": self.last_update,
            "record": self.record,
        }


def column_faults(overrides: Mapping[str, str]) -> list[str]:
    """What is wrong with a connection's column table, each as `column: reason`; empty when nothing is.

    An empty expression switches a column off; customuid cannot be.
    """
    found = []
    for name, expression in overrides.items():
        if fault := name_fault(name) or _expression_fault(name, expression):
            found.append(f"{name[:60]}: {fault}")
    return found


def _expression_fault(name: str, expression: str) -> str | None:
    if not expression.strip():
        return "cannot be switched off, since Aixon knows customers by it" if name == Kind.UID else None
    try:
        jmespath.compile(expression)
    except (JMESPathError, ValueError) as error:
        return f"not a JMESPath expression: {str(error).splitlines()[0]}"
    return None


Read = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the header: how its value is read, made and checked."""

    name: str
    kind: Kind
    read: Read
    convert: Converter

    def value_of(self, document: dict[str, Any]) -> tuple[Value, str | None]:
        """The value for one customer, and what is wrong with it."""
        try:
            found = self.read(document)
        except (JMESPathError, TypeError, ValueError):
            return "", _UNFIT
        made = "" if found in ([], {}) else self.convert(found)
        fault = value_fault(self.kind, made)
        # a value without a fault is text or a number: value_fault says so
        return ("" if fault or made is None else made), fault  # type: ignore[return-value]  # see above


class ColumnTable:
    """The columns of one connection; `overrides` have no faults (`column_faults`)."""

    def __init__(self, overrides: Mapping[str, str], zone: tzinfo) -> None:
        table = {**DEFAULT_COLUMNS, **overrides}
        self._expressions = {name: expression for name, expression in table.items() if expression.strip()}
        self._zone = zone

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        return tuple(self._expressions)

    def header(self, known: Sequence[str] = ()) -> tuple[str, ...]:
        """The header of an upload: the columns that the cell has already, in their places, then the new ones.

        S002: no column may be removed or renamed; one that the table no longer has stays, and is left empty.
        """
        return (*known, *(name for name in self._expressions if name not in known))

    def columns(self, header: Sequence[str]) -> tuple[Column, ...]:
        """How each column of the header is read."""
        found = []
        for name in header:
            kind = kind_of(name)
            if kind is None:
                raise ValueError(f"{name[:60]!r}: {name_fault(name)}")
            read = _reader(self._expressions.get(name, ""))
            found.append(Column(name, kind, read, converter(kind, self._zone)))
        return tuple(found)


def _reader(expression: str) -> Read:
    text = expression.strip()
    if not text:
        return lambda _document: None
    if _PLAIN_NAME.fullmatch(text):
        # what JMESPath says of a bare name, at a thirtieth of its time: there are a million rows
        return lambda document: document.get(text)
    search: Read = jmespath.compile(text).search
    return search
