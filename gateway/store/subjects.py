"""Which companies deliveries are about, and what Vainu last pushed of each."""

from collections.abc import Collection

from sqlalchemy import Connection, func, select, tuple_

from gateway.store.sealed_columns import BODY, seal_of, shown
from gateway.store.tables import companies, exports, unique_ids

Subject = tuple[str, str]
"""A delivery's connection, and what it says that it is about: a company's id, or a unique_id."""


def newest_pushes(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, bytes]:
    """The body of the newest push of each company that is meant, by subject; others are left out."""
    known = _companies_of(connection, subjects) if subjects else {}
    newest = (
        select(func.max(exports.c.id))
        .where(exports.c.company_id.in_(set(known.values())))
        .group_by(exports.c.company_id)
    )
    statement = select(exports.c.id, exports.c.company_id, exports.c.body).where(exports.c.id.in_(newest))
    rows = connection.execute(statement).mappings() if known else ()
    seal = seal_of(connection)
    bodies = {row["company_id"]: shown(seal, BODY, row) for row in rows}
    return {subject: bodies[company_id] for subject, company_id in known.items() if company_id in bodies}


def _companies_of(connection: Connection, subjects: Collection[Subject]) -> dict[Subject, str]:
    by_unique_id = select(unique_ids.c.connection, unique_ids.c.unique_id, unique_ids.c.company_id).where(
        tuple_(unique_ids.c.connection, unique_ids.c.unique_id).in_(list(subjects))
    )
    by_id = select(companies.c.connection, companies.c.id, companies.c.id.label("company_id")).where(
        tuple_(companies.c.connection, companies.c.id).in_(list(subjects))
    )
    found = [*connection.execute(by_unique_id), *connection.execute(by_id)]
    return {(name, subject): company_id for name, subject, company_id in found}
