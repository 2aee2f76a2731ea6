"""Made-up companies in any number, for simulators of CRMs: the same number always gives the same company.

A simulator that offers them answers, besides the control paths of `adapters.simulation`,

    POST   /_customers {"count": 1200}   makes that many more customers, with their deals   → 201 {"customers": 1200}
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MOST_CUSTOMERS = 1_000_000
_CITIES = ("Helsinki", "Espoo", "Tampere", "Turku", "Oulu", "Kuopio", "Lahti")
_INDUSTRIES = ("Computer Software", "Construction", "Finance", "Retail")
_LABELS = ("Key account", "Partner", "Newsletter")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2)
_FIRST_ID = 1_000_000


@dataclass(frozen=True, slots=True)
class MadeUpCustomer:
    """One company, and what a CRM would know of it."""

    number: int
    name: str
    business_id: str
    """A Finnish one, valid by its check digit, with the dash."""
    city: str
    industry: str
    label: str
    email: str
    revenue: int
    employees: int
    changed_days_ago: int
    won: int
    lost: int
    open: int


def made_up(number: int) -> MadeUpCustomer:
    """The company of this number."""
    slug = f"customer{number:06d}"
    return MadeUpCustomer(
        number=number,
        name=f"Customer {number:06d} Oy",
        business_id=_business_id(number),
        city=_CITIES[number % len(_CITIES)],
        industry=_INDUSTRIES[number % len(_INDUSTRIES)],
        label=_LABELS[number % len(_LABELS)],
        email=f"info@{slug}.example",
        revenue=10_000 * (number % 500 + 1),
        employees=number % 600 + 1,
        changed_days_ago=number % 1_000 + 1,
        won=number % 3,
        lost=number % 2,
        open=1 if number % 5 == 0 else 0,
    )


def _business_id(number: int) -> str:
    """The `number`-th id for which there is a check digit (tax authority: remainder 1 has none)."""
    digits = f"{_FIRST_ID + number:07d}"
    remainder = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11
    if remainder == 1:
        # every eleventh has no check digit: a number far off stands in for it
        return _business_id(number + 5_000_000)
    return f"{digits}-{0 if remainder == 0 else 11 - remainder}"


def customers_route(add: Callable[[int], None]) -> Route:
    """The control path, for a vendor's simulator to put among its routes; `add` makes that many more."""

    async def make(request: Request) -> Response:
        try:
            count = (await request.json())["count"]
        except (ValueError, TypeError, LookupError):
            count = None
        if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MOST_CUSTOMERS:
            return JSONResponse({"detail": f"count: expected a number from 1 to {MOST_CUSTOMERS:,}"}, 422)
        add(count)
        return JSONResponse({"customers": count}, 201)

    return Route("/_customers", make, methods=["POST"])
