"""What the companies are called that deliveries are about, for people: their ids say nothing to anybody."""

from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.body import NotJson, parse_json
from gateway.pushed import NotACompany, read_push
from gateway.store.ledger import Entry
from gateway.store.subjects import Subject, newest_pushes


def company_names(connection: Connection, entries: Sequence[Entry]) -> dict[Subject, str]:
    """The names by deliveries' connections and subjects, as Vainu's newest pushes have them; not redacted."""
    pushes = newest_pushes(connection, {(entry.connection, entry.subject) for entry in entries if entry.subject})
    named = {subject: company_name(body) for subject, body in pushes.items()}
    return {subject: name for subject, name in named.items() if name}


def company_name(body: bytes) -> str:
    """As a push has it; "" where it cannot be read any more."""
    try:
        return read_push(parse_json(body)).company.name
    except (NotJson, NotACompany):
        return ""
