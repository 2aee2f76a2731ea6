"""Rows of CRM.COM's lists as drafts of Activity Feed events. Pure; dates are read by the adapter's EventBuilder.

Sources: upstream-apis sections 2.4 and 2.5. Field names that no source gives (U) are tried in the order written here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from adapters.contract import EventType
from adapters.crmcom.models import EVENT_KINDS, set_name
from adapters.events import EventDraft

Row = Mapping[str, Any]
Draft = Callable[[Row], EventDraft]

_MEDIA: Mapping[str, EventType] = {"EMAIL": "email", "PHONE": "call", "FACE_TO_FACE": "meeting"}
_MEDIA_ICONS = {"EMAIL": "email", "PHONE": "call", "FACE_TO_FACE": "meeting"}
Outcome = Literal["won", "lost", "open"]
"""What became of a lead."""
_DEALS: Mapping[str, Outcome] = {"WON": "won", "LOST": "lost", "CANCELLED": "lost", "CANCELED": "lost"}
_USERS = ("assigned_to_user", "assigned_to", "assigned_user", "performed_by_user", "owner")
_USER_NAMES = ("email", "email_address", "person_name", "username", "name")
_LOGGED_USERS = ("created_by_user", "updated_by_user")
_NUMBER = (int, float)
_STATE = ("life_cycle_state", "state", "status")


def list_names(source: str) -> tuple[str, ...]:
    """Under which keys a source's list may stand in `data`, the likeliest first (G; U in the documents)."""
    if source in EVENT_KINDS:
        return set_name(source), "customer_events_set", f"{source}_set", source
    return f"{source}_set", source


def drafting(source: str) -> tuple[str, Draft]:
    """The kind in the event's id, and how a row of `source` is read."""
    if source == "communications":
        return "communication", _communication
    if source == "leads":
        return "lead", _lead
    if source == "activities":
        return "activity", _activity
    kind = EVENT_KINDS[source]
    return kind, lambda row: _customer_event(kind, row)


def belongs(row: object, record_id: str, accounts: Iterable[Row] = ()) -> bool:
    """False where a row names another contact, or an account that is none of `accounts`; rows may name neither."""
    if not isinstance(row, dict):
        return True
    contact = _id(row.get("contact_information"))
    if contact and contact != record_id:
        return False
    account = row.get("accounts_receivable")
    known = list(accounts)
    if not known or not isinstance(account, dict):
        return True
    named = _id(account)
    if named:
        return named in map(_id, known)
    return any(account.get("number") in (None, ours.get("number")) for ours in known)


def _communication(row: Row) -> EventDraft:
    media = _word(_first(row, "media", "communication_media", "medium"))
    return EventDraft(
        record_id=_row_id(row),
        timestamp=_when(row, "performed_on", "communication_date", "completed_on", "sent_on", "date"),
        type=_MEDIA.get(media, "activity"),
        header=_first(row, "subject", "name", "description") or _title(media or "COMMUNICATION"),
        text=_joined(_first(row, "notes", "description", "body"), _draft_mark(row)),
        icon=_MEDIA_ICONS.get(media, ""),
        user_email=_user(row),
        location=row.get("location"),
    )


def outcome_of(lead: Row) -> Outcome:
    """What became of a lead: a cancelled one counts as lost, every state that is not known as open."""
    return _DEALS.get(_state(lead), "open")


def _state(row: Row) -> str:
    return _word(_first(row, *_STATE))


def closed_at(lead: Row) -> object:
    """When a lead was won or lost, as written; else when it was last changed."""
    return _when(lead, "actual_completion_date", "won_date", "lost_date", "cancelled_date", "updated_date")


def _lead(row: Row) -> EventDraft:
    state, deal = _state(row), outcome_of(row)
    begun = ("lead_date", "submitted_on", "date")
    return EventDraft(
        record_id=_row_id(row),
        timestamp=_when(row, *begun) if deal == "open" else closed_at(row),
        type=deal,
        header=_first(row, "name", "subject", "title", "description") or _numbered("Lead", row),
        text=_joined(_first(row, "notes", "description"), "Cancelled" if state.startswith("CANCEL") else ""),
        icon=deal,
        user_email=_user(row),
        value=_first(row, "target_amount", "actual_amount", "amount"),
        currency=_currency(row),
        probability_percent=_first(row, "probability_to_win", "probability"),
    )


def _activity(row: Row) -> EventDraft:
    return EventDraft(
        record_id=_row_id(row),
        timestamp=_when(row, "start_date", "started_on", "performed_on", "activity_date", "date", "due_date"),
        type="activity",
        header=_first(row, "subject", "name", "title") or _name(row.get("type")) or _numbered("Activity", row),
        text=_joined(_first(row, "notes", "description"), _cancel_mark(row)),
        user_email=_user(row),
        location=_first(row, "location", "place"),
    )


def _customer_event(kind: str, row: Row) -> EventDraft:
    what = _name(row.get("classification")) or _title(kind)
    reference = _plain(row.get("reference_number"))
    return EventDraft(
        record_id=_row_id(row),
        timestamp=_when(row, "performed_on", "submitted_on", "date"),
        type="event",
        header=f"{what} {reference}".strip() if kind == "purchase" else what,
        text=_joined(
            row.get("description"),
            _plain(row.get("website")),
            " ".join(_plain(row[name]) for name in ("social_media", "action", "profile") if name in row).strip(),
            _amount(row),
            _cancel_mark(row),
        ),
        user_email=_user(row),
        location=_unit(row),
    )


def _when(row: Row, *names: str) -> object:
    log = row.get("log_information")
    logged = log if isinstance(log, dict) else {}
    given = _first(row, *names)
    if given is None and "updated_date" in names:
        given = logged.get("updated_date")
    if given is None:
        given = logged.get("created_date")
    return row.get("created_date") if given is None else given


def _user(row: Row) -> str:
    named = next(_words_for(row, _USERS), "")
    log = row.get("log_information")
    return named or (next(_words_for(log, _LOGGED_USERS), "") if isinstance(log, dict) else "")


def assignees_of(row: Row) -> list[str]:
    """Whom a record is assigned to, in every word the record has for them: addresses before names."""
    return list(_words_for(row, _USERS))


def _words_for(row: Row, fields: Sequence[str]) -> Iterator[str]:
    for name in fields:
        person = row.get(name)
        if person is not None:
            words = map(person.get, _USER_NAMES) if isinstance(person, dict) else (person,)
            yield from filter(None, map(_plain, words))


def _currency(row: Row) -> object:
    given = _first(row, "currency", "currency_code", "target_amount_currency")
    return _first(given, "code", "iso_code", "name") if isinstance(given, dict) else given


def _amount(row: Row) -> str:
    amount = _plain(row.get("total_amount"))
    return f"Total {amount} {_plain(_currency(row))}".strip() if amount else ""


def _unit(row: Row) -> str:
    return _name(_first(row, "performed_by_unit", "performed_by_business_unit"))


def _cancel_mark(row: Row) -> str:
    return "Cancelled" if _state(row).startswith("CANCEL") else ""


def _draft_mark(row: Row) -> str:
    return "Draft" if _state(row) == "DRAFT" else _cancel_mark(row)


def _first(row: Row, *names: str) -> Any:
    for name in names:
        value = row.get(name)
        if value is not None and value != "":
            return value
    return None


def _word(value: object) -> str:
    """A state or medium in one spelling, whatever its case, spaces and underscores (the spelling in JSON is G)."""
    name = value.get("name") if isinstance(value, dict) else value
    return "_".join(_plain(name).upper().replace("-", " ").replace("_", " ").split())


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, _NUMBER) and not isinstance(value, bool) else ""


def _name(value: object) -> str:
    return _plain(value.get("name")) if isinstance(value, dict) else _plain(value)


def _title(word: str) -> str:
    return word.replace("_", " ").capitalize()


def _numbered(what: str, row: Row) -> str:
    return f"{what} {_plain(row.get('number'))}".strip()


def _joined(*parts: object) -> str:
    return "\n".join(text for part in parts if (text := _plain(part)))


def _row_id(row: Row) -> object:
    return _first(row, "id", "number")


def _id(value: object) -> str:
    return _plain(value.get("id")) if isinstance(value, dict) else ""
