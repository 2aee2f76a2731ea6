"""What operators send as JSON: which deliveries to replay, which sync to begin. Every fault is found, with its path."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from adapters.timestamps import TimestampRefused, read
from gateway.operator.errors import BadQuery
from gateway.operator.queries import DeliveryQuery, filter_of_body
from gateway.pushed import BodyFault
from gateway.sync.order import Order

_LARGEST = 2**63 - 1
_REPLAY_KEYS = ("deliveries", "filter", "all", "dry_run", "up_to")
_SYNC_KEYS = ("to", "dry_run", "delete", "full", "since")


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """Deliveries by name, or those that a query wants."""

    deliveries: tuple[str, ...] | None
    query: DeliveryQuery
    everything: bool
    up_to: int | None
    dry_run: bool


def replay_order(body: Any) -> ReplayOrder:
    """`{"deliveries": [4711, "exp_…"]}` or `{"filter": {…}}`, with `dry_run`, `all`, `up_to`; `BadQuery`."""
    given, faults = _object(body, _REPLAY_KEYS)
    named = given.get("deliveries")
    query = DeliveryQuery()
    if (named is None) == (given.get("filter") is None):
        faults.append(BodyFault("$", "expected deliveries, or filter: one of them"))
    elif named is None:
        try:
            query = filter_of_body(given["filter"], "filter")
        except BadQuery as error:
            faults += error.faults
    deliveries = None if named is None else _names(named, faults)
    everything, dry_run = _flag(given, "all", faults), _flag(given, "dry_run", faults)
    up_to = _up_to(given.get("up_to"), faults)
    if faults:
        raise BadQuery(faults)
    return ReplayOrder(deliveries, query, everything, up_to, dry_run)


def single_replay(body: Any) -> bool:
    """`{}` or `{"dry_run": true}`: whether nothing is to change; `BadQuery`."""
    given, faults = _object(body, ("dry_run",))
    dry_run = _flag(given, "dry_run", faults)
    if faults:
        raise BadQuery(faults)
    return dry_run


def sync_order(connection: str, body: Any) -> Order:
    """`{"to": "vainu"}`, with `dry_run`, `delete`, `full`, `since`, as `gateway sync` takes them; `BadQuery`."""
    given, faults = _object(body, _SYNC_KEYS)
    target = given.get("to", "vainu")
    if target not in ("vainu", "aixon"):
        faults.append(BodyFault("to", "expected vainu or aixon"))
    dry_run, delete, full = (_flag(given, name, faults) for name in ("dry_run", "delete", "full"))
    since = _since(given.get("since"), faults)
    if since is not None and (delete or full):
        faults.append(BodyFault("since", "reads a part of the customers: neither delete nor full goes with it"))
    if delete and target == "aixon":
        faults.append(BodyFault("delete", "Aixon's API deletes no customers"))
    if faults:
        raise BadQuery(faults)
    return Order(connection, target, dry_run, delete, full, since)


def _object(body: Any, keys: Collection[str]) -> tuple[Mapping[str, Any], list[BodyFault]]:
    if not isinstance(body, Mapping):
        raise BadQuery([BodyFault("$", "expected an object")])
    return body, [BodyFault(key[:80], f"expected one of {', '.join(keys)}") for key in body if key not in keys]


def _flag(given: Mapping[str, Any], name: str, faults: list[BodyFault]) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        faults.append(BodyFault(name, "expected true or false"))
    return value is True


def _names(value: Any, faults: list[BodyFault]) -> tuple[str, ...]:
    if not isinstance(value, list):
        faults.append(BodyFault("deliveries", "expected an array of numbers and ids"))
        return ()
    names = []
    for number, each in enumerate(value):
        if isinstance(each, str) or (isinstance(each, int) and not isinstance(each, bool)):
            names.append(str(each))
        else:
            faults.append(BodyFault(f"deliveries[{number}]", "expected a number or an id"))
    return tuple(dict.fromkeys(names))


def _up_to(value: Any, faults: list[BodyFault]) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LARGEST:
        faults.append(BodyFault("up_to", "expected the up_to of a dry run"))
        return None
    return value


def _since(value: Any, faults: list[BodyFault]) -> int | None:
    if value is None:
        return None
    try:
        return round(read(value, UTC).at.timestamp() * 1000)
    except TimestampRefused:
        faults.append(BodyFault("since", "expected a time: ISO 8601, or Unix seconds or milliseconds"))
        return None
