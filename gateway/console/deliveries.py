"""Deliveries, dead letters and webhooks: their lists, and everything about one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response

from gateway.console.access import Visit
from gateway.console.paging import filtered
from gateway.console.words import KINDS
from gateway.operator.models import DeliveryLine, Page
from gateway.operator.queries import STATES, DeliveryQuery

Ask = Callable[[DeliveryQuery], Awaitable[Page[DeliveryLine]]]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list of deliveries is about."""

    path: str
    title: str
    says: str
    none_title: str
    none_text: str
    filters: tuple[str, ...]
    """Which of `state` and `kind` can be chosen; the others are given by what the list is of."""


DELIVERIES = Listing(
    "/deliveries",
    "Deliveries",
    "Every piece of work towards a remote system, newest first.",
    "No delivery yet",
    "Each export, webhook and customer event makes one. Export a company from Vainu, and it shows here.",
    ("state", "kind"),
)
DEAD_LETTERS = Listing(
    "/dead-letters",
    "Dead letters",
    "Deliveries that gave up. They are kept until you replay them, or until storage.retention_days have passed.",
    "No dead letters",
    "Nothing has given up. When something does, it waits here with the reason and what to do about it.",
    ("kind",),
)
WEBHOOKS = Listing(
    "/webhooks",
    "Webhooks",
    "What the CRM and Vainu told the gateway of, and what became of it.",
    "No webhook yet",
    "Paste the connection's webhook address into the CRM: gateway check prints it, and so does the connection's page.",
    ("state",),
)


async def deliveries(visit: Visit) -> Response:
    """`GET /console/deliveries`."""
    return await _list(visit, DELIVERIES, visit.service.operator.deliveries)


async def dead_letters(visit: Visit) -> Response:
    """`GET /console/dead-letters`."""
    return await _list(visit, DEAD_LETTERS, visit.service.operator.dead_letters)


async def webhooks(visit: Visit) -> Response:
    """`GET /console/webhooks`."""
    return await _list(visit, WEBHOOKS, visit.service.operator.webhooks)


async def _list(visit: Visit, listing: Listing, ask: Ask) -> Response:
    pairs = visit.request.query_params.multi_items()
    shown = await filtered(DeliveryQuery, pairs, ask, f"{visit.base}{listing.path}")
    return visit.page(
        "deliveries.html",
        422 if shown["fault"] else 200,
        listing=listing,
        states=STATES,
        kinds=KINDS,
        connections=connection_names(visit),
        **shown,
    )


def connection_names(visit: Visit) -> list[str]:
    """The connections that the configuration has."""
    return sorted(visit.service.runtime.connections)


async def delivery(visit: Visit) -> Response:
    """`GET /console/deliveries/{id}`: everything about one."""
    found = await visit.service.operator.delivery(visit.number)
    return visit.page("delivery.html", found=found, done=visit.request.query_params.get("done", ""))
