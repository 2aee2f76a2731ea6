"""The demo feed of the simulated CRM.COM: what a lively customer's card shows, with the vendor's bad habits."""

from collections.abc import Callable, Mapping
from typing import Any

Row = dict[str, Any]
_USER = {"person_name": "Anna Admin", "email": "anna.admin@example.com"}
_UNIT = {"id": "1", "name": "Admin Unit", "alternative_code": "adminunit"}

_COMMUNICATIONS = (
    ("EMAIL", "Offer sent", "<p>Hello,<br>our <b>offer</b> is attached &amp; valid for 30 days.</p>", 2.0),
    ("PHONE", "Call about the renewal", "Wants a discount.", 5.1),
    ("FACE_TO_FACE", "Kick-off in Helsinki", "Room 4, coffee &amp; buns", 12.3),
    ("SMS", "Reminder", "Meeting tomorrow at 10", 13.0),
    ("LETTER", "Contract by post", None, 20.5),
)
_LEADS = (
    ("Won", "Licences 2026", 12000.0, 100, 30.0),
    ("LOST", "Consulting", "8000", 0, 60.2),
    ("In Progress", "Support contract", 4500.5, 60, 3.0),
    ("Cancelled", "Training", None, None, 90.4),
)
_EVENTS: Mapping[str, Row] = {
    "achievements": {"classification": {"name": "Customer Feedback 3"}, "description": "Five stars"},
    "purchases": {"reference_number": "RF01", "total_amount": 240.0, "net_amount": 210, "currency": {"code": "EUR"}},
    "referrals": {"classification": None, "description": "Referred a subsidiary"},
    "social_media": {"social_media": "FACEBOOK", "action": "LIKE", "profile": "www.facebook.com/example"},
    "web": {"website": "https://www.example.com/prices", "description": "Looked at prices"},
    "financial_achievements": {"classification": {"name": "Financial Achievement 1"}, "description": "Paid in time"},
}


def contact_feed(
    contact_id: str, name: str, new_id: Callable[[], str], local: Callable[[float], str]
) -> dict[str, list[Row]]:
    """Communications, leads and activities of a new company; one of the activities has no readable date."""

    def row(number: str, days: float, **fields: Any) -> Row:
        return contact_row(contact_id, name, new_id(), local(days), number=number, **fields)

    return {
        "communications": [
            row(f"CM{n:06d}", days, media=media, subject=subject, notes=notes, life_cycle_state="COMPLETE", viewed=0)
            for n, (media, subject, notes, days) in enumerate(_COMMUNICATIONS, 680)
        ],
        "leads": [
            row(
                str(n),
                days,
                life_cycle_state=state,
                name=title,
                target_amount=amount,
                currency="EUR",
                probability_to_win=probability,
                actual_completion_date=local(days - 1) if state != "In Progress" else None,
            )
            for n, (state, title, amount, probability, days) in enumerate(_LEADS, 19)
        ],
        "activities": [
            row("AC000001", 1.0, subject="Prepare the demo", start_date=local(1.0), notes="Bring <i>two</i> laptops"),
            row("AC000002", 7.0, subject="Check the references", start_date="Not Started", notes=None),
        ],
    }


def contact_row(contact_id: str, name: str, row_id: str, created: str, /, **fields: Any) -> Row:
    """A row that hangs on a company: a lead, a communication, an activity."""
    log = {"created_date": created, "created_by_user": _USER, "created_by_unit": _UNIT}
    owner = {"id": contact_id, "name": name, "company_name": name, "type": "COMPANY"}
    return {"id": row_id, "contact_information": owner, "log_information": log, **fields}


def event_feed(account: Row, new_id: Callable[[], str], local: Callable[[float], str]) -> dict[str, list[Row]]:
    """One customer event of each kind on a new account receivable."""
    feed: dict[str, list[Row]] = {}
    for days, (kind, fields) in enumerate(_EVENTS.items(), 4):
        log = {"created_date": local(days), "created_by_user": _USER, "created_by_unit": _UNIT}
        shared = {"accounts_receivable": account, "performed_by_unit": _UNIT, "life_cycle_state": "POSTED"}
        performed = {"performed_on": local(days + 0.25), "log_information": log}
        feed[kind] = [{"id": new_id(), "number": str(100 + days), **shared, **performed, **fields}]
    return feed
