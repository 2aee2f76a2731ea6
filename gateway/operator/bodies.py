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
    query = DeliveryQuery()
    deliveries = _names(given["deliveries"], faults) if "deliveries" in given else None
    if ("deliveries" in given) == ("filter" in given):
        faults.append(BodyFault("$", "expected deliveries, or filter: one of them"))
    elif "filter" in given:
        try:
            query = filter_of_body(given["filter"], "filter")
        except BadQuery as error:
            faults += error.faults
    else:
        faults += [BodyFault(key, "goes with filter only") for key in ("all", "up_to") if key in given]
    everything, dry_run = _flag(given, "all", faults), _flag(given, "dry_run", faults)
    up_to = _up_to(given["up_to"], faults) if "up_to" in given else None
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
    since = _since(given["since"], faults) if "since" in given else None
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
        whole = _whole(each)
        if isinstance(each, str) or whole is not None:
            names.append(each if whole is None else str(whole))
        else:
            faults.append(BodyFault(f"deliveries[{number}]", "expected a number or an id"))
    return tuple(dict.fromkeys(names))


def _up_to(value: Any, faults: list[BodyFault]) -> int | None:
    whole = _whole(value)
    if whole is None or not 0 <= whole <= _LARGEST:
        faults.append(BodyFault("up_to", "expected the up_to of a dry run"))
        return None
    return whole


def _whole(value: Any) -> int | None:
    """A whole number, which JSON may write 7 or 7.0; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _since(value: Any, faults: list[BodyFault]) -> int | None:
    try:
        return round(read(value if isinstance(value, str) else None, UTC).at.timestamp() * 1000)
    except TimestampRefused:
        faults.append(BodyFault("since", "expected a time: ISO 8601, or Unix seconds or milliseconds"))
        return None
