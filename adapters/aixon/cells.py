"""What Aixon says of its customer data cells (S002), and what the gateway remembers of its own. Pure."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from adapters.contract import Refused, UnexpectedReply
from adapters.http_replies import EXCERPT_CHARACTERS, Reply

_DESCRIPTION = re.compile(r"Upload csv data (\S+?): ?(.*)", re.DOTALL)


class Cell(msgspec.Struct, frozen=True, tag="cell"):
    """A cell that is known to be there: where the later uploads go. To be kept durably."""

    id: str
    """Its resource id."""
    header: tuple[str, ...]
    """Its columns, in order, as last uploaded."""


class Creation(msgspec.Struct, frozen=True, tag="creation"):
    """A cell that may have been created: kept durably before the create is sent, so that it can be looked up."""

    description: str
    header: tuple[str, ...]
    before: tuple[str, ...]
    """The resource ids that Aixon listed before."""


class Listed(msgspec.Struct, frozen=True):
    """A cell of the account, as its list names it."""

    id: str
    description: str


def listed_cells(reply: Reply) -> list[Listed]:
    """The account's cells; the fixed entries of the list, which describe the API itself, are none."""
    message = _message(reply)
    if not isinstance(message, Sequence) or isinstance(message, str):
        raise UnexpectedReply("aixon answered a list of cells in a shape that S002 does not show")
    cells = []
    for entry in message:
        description = entry.get("DESCRIPTION") if isinstance(entry, Mapping) else None
        if not isinstance(description, str):
            raise UnexpectedReply("aixon answered a list with an entry that S002 does not show")
        if named := _DESCRIPTION.fullmatch(description):
            cells.append(Listed(named[1], named[2]))
    return cells


def created(reply: Reply) -> str:
    """The resource id of a new cell."""
    return _resource(reply, "CREATED")


def received(reply: Reply) -> str:
    """The resource id of the cell whose upload was queued."""
    return _resource(reply, "RECEIVED")


def found(creation: Creation, cells: Sequence[Listed]) -> str | None:
    """The resource id of the cell that the creation made, if it is there. `Refused` where it may be any of several."""
    new = [cell.id for cell in cells if cell.id not in creation.before and cell.description == creation.description]
    if len(new) > 1:
        raise Refused(
            f"aixon has {len(new)} new cells called {creation.description!r} ({', '.join(new)[:EXCERPT_CHARACTERS]}), "
            "and an earlier create had no answer: remove all but one of them in Aixon, then sync again"
        )
    return new[0] if new else None


def _resource(reply: Reply, expected: str) -> str:
    message = _message(reply)
    resource = message.get("RESOURCE_ID") if isinstance(message, Mapping) else None
    status = message.get("STATUS") if isinstance(message, Mapping) else None
    if not isinstance(resource, str) or not resource or status != expected:
        raise UnexpectedReply(f"aixon answered no {expected} with a resource id")
    return resource


def _message(reply: Reply) -> object:
    answer = reply.json()
    status = answer.get("status") if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(status, str) or "message" not in answer:
        raise UnexpectedReply("aixon answered JSON without status and message")
    if status != "success":
        # S002 shows no failure: that one comes with a good HTTP status is a guess
        raise Refused(f"aixon answered {status}: {str(answer['message'])[:EXCERPT_CHARACTERS]}")
    return answer["message"]
