"""What a target refused for good, by connection, target and customer: until it changes it need not be sent again."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from gateway.store.sealed_columns import REFUSAL, opened_or_none, seal_of, shut
from gateway.store.sync_runs import Scope
from gateway.store.tables import sync_refusals


@dataclass(frozen=True, slots=True)
class Refusal:
    """One customer's refusal; `refused_at` is Unix milliseconds."""

    digest: bytes
    """16 bytes, of what was refused."""
    remote_id: str | None
    """The target's object that it was about; None for one to be made."""
    refused_at: int
    reason: str
    """A fixed word."""
    told: str
    """JSON: what a person is told of it."""
    holder: str | None = None
    """The CRM's id of the customer that has the company's only object, where this was refused because of it."""
    holder_digest: bytes | None = None
    """16 bytes, of the company that the holder was then."""


_refusals = sync_refusals.c
_FIELDS = tuple(Refusal.__dataclass_fields__)


def _of(scope: Scope, record_ids: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        _refusals.connection == scope.connection,
        _refusals.target == scope.target,
        _refusals.record_id.in_(record_ids),
    )


def known(connection: Connection, scope: Scope, record_ids: Collection[str]) -> dict[str, Refusal]:
    """The refusals of these customers; those that nothing was refused of are left out.

    One that is sealed and that no key opens is left out, too: the target says again what it has against it.
    """
    seal, found = seal_of(connection), {}
    statement = select(sync_refusals).where(*_of(scope, record_ids))
    for row in connection.execute(statement).mappings():
        if (told := opened_or_none(seal, REFUSAL, row)) is not None:
            found[str(row["record_id"])] = Refusal(**{name: row[name] for name in _FIELDS} | {"told": told})
    return found


def settle(connection: Connection, scope: Scope, sent: Collection[str], refused: Mapping[str, Refusal]) -> None:
    """Of these customers, which were just sent, nothing but this is refused."""
    forget(connection, scope, sent)
    if refused:
        seal, own = seal_of(connection), {"connection": scope.connection, "target": scope.target}
        rows = [{**own, "record_id": record_id, **asdict(each)} for record_id, each in refused.items()]
        connection.execute(insert(sync_refusals), [row | {"told": shut(seal, REFUSAL, row)} for row in rows])


def forget(connection: Connection, scope: Scope, record_ids: Collection[str]) -> None:
    """Of these customers nothing is refused."""
    if record_ids:
        connection.execute(delete(sync_refusals).where(*_of(scope, record_ids)))
