"""Which of the rows that may have been sent CRM.COM has already, told by their reference numbers.

`external_system_reference_number` is stored (C, S004), and `customer_events/<kind>/list` answers an account's events
(C, wiki 951650). Whether the server keeps the number unique is U, so the time of the event must agree as well.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from adapters.bulk_events import RowOutcome
from adapters.contract import NotFound, RemoteError
from adapters.crmcom.envelope import identity
from adapters.crmcom.event_body import IDENTIFIER, REFERENCE
from adapters.crmcom.event_calls import Batch
from adapters.crmcom.feed import list_names
from adapters.crmcom.models import REFERENCE_NAMES
from adapters.crmcom.records import Records
from adapters.deadline import Deadline

MOST_EVENTS = 100_000
"""Events of one account that are read at most."""
_OWNERS = (
    ("accounts_receivable_identifier", "accounts_receivable_identifier"),
    ("rewards_participant_identifier", "rewards_participant_identifier"),
    # how referrals are listed is U: by the participant who referred (G)
    ("referred_by_rewards_participant_identifier", "rewards_participant_identifier"),
)
_Owner = tuple[str, str] | None


class EventLookUp:
    """Looks events up by account, one list for all rows of an account."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def groups(self, rows: Batch) -> list[tuple[_Owner, Batch]]:
        """The rows by whom they belong to: the parameter that lists that customer's events, and its rows."""
        grouped: defaultdict[_Owner, Batch] = defaultdict(dict)
        for place, row in rows.items():
            grouped[_owner(row)][place] = row
        return list(grouped.items())

    async def found(self, kind: str, owner: _Owner, rows: Batch, deadline: Deadline) -> dict[int, RowOutcome]:
        """The rows that are there, as done; where nobody can say, all of them, as not known. Others are left out."""
        if owner is None:
            return {place: _unclear(row, "the row names no customer", False) for place, row in rows.items()}
        try:
            listed = await self._records.listed(
                f"customer_events/{kind}/list", dict([owner]), list_names(kind), deadline, MOST_EVENTS
            )
        except NotFound:
            return {}
        except RemoteError as error:
            return {place: _unclear(row, error.detail, error.retryable) for place, row in rows.items()}
        return _matched(rows, listed)


def _owner(row: Mapping[str, Any]) -> _Owner:
    for field, parameter in _OWNERS:
        identifier = row.get(field)
        for name in ("id", "number", "name"):
            if isinstance(identifier, Mapping) and isinstance(identifier.get(name), str) and identifier[name].strip():
                return parameter, f"{name}={identifier[name]}"
    return None


def _matched(rows: Batch, listed: Iterable[object]) -> dict[int, RowOutcome]:
    events: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in listed:
        if isinstance(event, Mapping):
            reference = next((event[name] for name in REFERENCE_NAMES if event.get(name)), None)
            events[str(reference)].append(event)
    outcomes = {}
    for place, row in rows.items():
        known = events[str(row.get(REFERENCE))]
        event = next((event for event in known if _same_time(event, row)), None)
        if event is not None:
            # each event stands for one row only: two rows may share a number that their sender gave them
            known.remove(event)
            number = str(event.get("number") or "")
            outcomes[place] = RowOutcome(str(row.get(IDENTIFIER)), True, id=identity(event), number=number)
    return outcomes


def _same_time(event: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    told, sent = event.get("performed_on"), row.get("performed_on")
    return not isinstance(told, str) or not isinstance(sent, str) or told[:10] == sent[:10]


def _unclear(row: Mapping[str, Any], why: str, may_pass: bool) -> RowOutcome:
    return RowOutcome(
        request_unique_identifier=str(row.get(IDENTIFIER)),
        is_done=False,
        error_code="cannot_look_up",
        error_description=f"it may be in CRM.COM already, which cannot be asked: {why}",
        is_retryable=may_pass,
        is_outcome_known=False,
    )
