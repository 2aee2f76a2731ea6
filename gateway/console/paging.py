"""The pages of a list: their addresses, which hold the filters, so that they can be sent to a colleague."""

from dataclasses import dataclass, replace

from gateway.operator.queries import AuditQuery, DeliveryQuery, ExportQuery, SyncQuery, query_string


@dataclass(frozen=True, slots=True)
class Pages:
    """Where to go from a page of a list; "" for nowhere."""

    first: str
    following: str


def pages(place: str, query: DeliveryQuery | ExportQuery | SyncQuery | AuditQuery, next_cursor: str | None) -> Pages:
    """The pages around this one of the list at `place`."""
    first = _address(place, replace(query, cursor=None)) if query.cursor else ""
    following = _address(place, replace(query, cursor=next_cursor)) if next_cursor else ""
    return Pages(first, following)


def _address(place: str, query: DeliveryQuery | ExportQuery | SyncQuery | AuditQuery) -> str:
    string = query_string(query)
    return place + (f"?{string}" if string else "")
