"""What the simulated firm did with a customer: one row of every source, in every date format Apptivo's pages use.

One task carries "Not Contacted" where a date belongs (C, airbyte's sample of lastContactedDate), so that a demo
shows a rejected event; one note is HTML.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from adapters.vendor_dates import DateOrder

_ASSIGNEE = {"objectId": 8, "objectRefId": 77021, "objectName": "Employee", "objectRefName": "sales@example.com"}


@dataclass(frozen=True, slots=True)
class Clock:
    """The firm's wall clock and its ways of writing dates (upstream-apis 1.7)."""

    now: datetime
    date_order: DateOrder

    def _at(self, days: float) -> datetime:
        return self.now + timedelta(days=days)

    def stamp(self, days: float = 0) -> str:
        """`2017-10-07 05:30:02`, as customers carry it (S003)."""
        return self._at(days).strftime("%Y-%m-%d %H:%M:%S")

    def spoken(self, days: float = 0) -> str:
        """`Oct 07, 2017 05:44:26 PM`, as opportunities carry it (apdoc)."""
        return self._at(days).strftime("%b %d, %Y %I:%M:%S %p")

    def day(self, days: float = 0) -> str:
        """`07/10/2017` or `10/07/2017`, by the firm's order."""
        return self._at(days).strftime("%d/%m/%Y" if self.date_order == "DMY" else "%m/%d/%Y")

    def epoch_milliseconds(self, days: float = 0) -> int:
        """Milliseconds since 1970; the news feed may carry them (upstream-apis 1.7, U)."""
        return int(self._at(days).timestamp() * 1000)


def demo_feed(customer: Mapping[str, Any], clock: Clock) -> dict[str, list[dict[str, Any]]]:
    """Rows for one customer: table name of the simulator's state → rows."""
    return {
        "activities": [*_tasks(clock), *_appointments(clock), *_others(clock)],
        "notes": [
            {
                "noteText": "<p>Met the <b>CFO</b> &amp; agreed on a pilot.</p><ul><li>10 users</li></ul>",
                "creationDate": clock.spoken(-9),
                "createdByName": "sales@example.com",
            },
            {"noteText": "Prefers e-mail.", "creationDate": clock.stamp(-40), "createdByName": "Sam Sales"},
        ],
        "emails": [
            {
                "subject": "Your offer",
                "message": "<div>Dear Jane,<br>as agreed, the offer.</div>",
                "fromAddress": [{"emailAddress": "sales@example.com"}],
                "toAddress": [{"emailAddress": "jane@example.com"}],
                "sentDate": clock.spoken(-6),
            }
        ],
        "opportunities": _opportunities(customer, clock),
        "wall": [
            {
                "datePosted": clock.epoch_milliseconds(-8),
                "postingObjectRefName": "Sam Sales",
                "collabObjectJSON": json.dumps({"subject": "Status changed", "description": "Prospect → Active"}),
            },
            {
                "datePosted": clock.spoken(-30),
                "postingObjectRefName": "Sam Sales",
                "collabObjectJSON": json.dumps({"noteText": "Welcome on board!"}),
            },
        ],
    }


def _tasks(clock: Clock) -> list[dict[str, Any]]:
    return [
        _activity("Task", subject="Send the offer", endDate=clock.day(2), creationDate=clock.stamp(-3)),
        _activity("Task", subject="Call back", endDate="Not Contacted", creationDate="", lastUpdateDate=None),
    ]


def _appointments(clock: Clock) -> list[dict[str, Any]]:
    timed = {"startTimeHour": 2, "startTimeMinute": 30, "startTimeMeridian": 1, "allDayEvent": "N"}
    return [
        _activity(
            "Event", subject="Demo", location="Helsinki", startDate=clock.day(-4), endDate=clock.day(-4), **timed
        ),
        _activity("Event", subject="Trade fair", startDate=clock.day(20), endDate=clock.day(21), allDayEvent="Y"),
    ]


def _others(clock: Clock) -> list[dict[str, Any]]:
    return [
        _activity("Follow Up", subject="Ask about the pilot", startDate=clock.day(7), creationDate=clock.stamp(-2)),
        _activity(
            "Call Log",
            subject="Introduction call",
            description="Interested, wants a demo.",
            startDate=clock.day(-12),
            startTimeHour=9,
            startTimeMinute=5,
            startTimeMeridian=0,
        ),
    ]


def _activity(activity_type: str, **parts: Any) -> dict[str, Any]:
    return {
        "activityType": activity_type,
        "activityTypeName": "Appointment" if activity_type == "Event" else activity_type,
        "description": "",
        "objectId": 6,
        "assigneeDetails": [_ASSIGNEE],
        "labels": [],
        **parts,
    }


def _opportunities(customer: Mapping[str, Any], clock: Clock) -> list[dict[str, Any]]:
    deals = (
        ("First licence", "Closed Won", "100.00", 2000, -60),
        ("Consulting", "Closed Lost", 0, 500.5, -45),
        ("Second office", "Proposal", "20.00", "12000.00", 30),
    )
    return [
        opportunity(
            customer,
            opportunityName=name,
            salesStageName=stage,
            probability=probability,
            amount=amount,
            closeDate=clock.day(closes),
            creationDate=clock.spoken(-90),
            lastUpdateDate=clock.spoken(-5),
        )
        for name, stage, probability, amount, closes in deals
    ]


def opportunity(customer: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """An opportunity of a customer (C, airbyte's schema)."""
    return {
        "opportunityCustomer": customer.get("customerName"),
        "opportunityCustomerId": customer.get("customerId"),
        "assignedToObjectRefName": "sales@example.com",
        "currencyCode": "EUR",
        "isActive": "Y",
        **parts,
    }
