"""Every path, action, parameter and list key by which the feed asks Apptivo; what is guessed is guessed here only.

Marks as in upstream-apis: C confirmed, I inferred, G guessed, U unknown. A connection corrects each by
`[connections.X.apptivo.actions.SOURCE]`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from adapters.apptivo.models import ActionOverride, FeedSource

CUSTOMERS = "app/dao/v6/customers"
CONTACTS = "app/dao/v6/contacts"
OPPORTUNITIES = "app/dao/v6/opportunities"
ACTIVITIES = "app/dao/activities"
NOTES = "app/dao/note"
EMAILS = "app/dao/emails"
NEWSFEED = "app/dao/newsfeed"

CONTACT_OBJECT = 2
CUSTOMER_OBJECT = 3
"""Object ids (C, phpmt AppParams). S003 shows 4 in the update URL, which is leads: a slip."""

CONTACT_KEYS = ("contacts", "customerContacts")
NOTE_KEYS = ("notes",)
CUSTOMER_KEYS = ("customers",)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one source of the feed is asked, and how its rows are found in the reply."""

    kind: str
    """The middle of the event's id: `apptivo-<kind>-<CRM's id>`."""
    path: str
    actions: tuple[str, ...]
    """Tried in this order: the next one when the reply of one is refused or not understood."""
    list_keys: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    """`{id}` stands for the customer's id."""
    body: Mapping[str, str] = field(default_factory=dict)
    """JSON texts; `{id}` stands for the customer's id as JSON."""
    is_paged: bool = True

    def overridden(self, override: ActionOverride | None) -> "Endpoint":
        """This endpoint with a connection's corrections."""
        if override is None:
            return self
        return replace(
            self,
            path=override.path.strip("/") if override.path else self.path,
            actions=self.actions if override.action is None else tuple(filter(None, [override.action])),
            list_keys=self.list_keys if override.list_keys is None else override.list_keys,
            query={**self.query, **(override.parameters or {})},
        )


_ASSOCIATED = {"selectedObjectId": "3", "selectedObjectRefId": "{id}"}
_ACTIVITY_SEARCH = '{"associatedObjects":[{"objectId":3,"objectRefId":{id},"objectName":"Customer"}]}'


def _activity(kind: str, activity_type: str, *list_keys: str) -> Endpoint:
    # Both action names are C. The reply of getAllActivities is C for tasks, that of the search is G; that the
    # search can be narrowed to one customer is G, so rows are checked again when they come (feed.py).
    return Endpoint(
        kind=kind,
        path=ACTIVITIES,
        actions=("getActivitiesByAdvancedSearch", "getAllActivities"),
        list_keys=list_keys,
        query={
            "activityType": activity_type,
            "isFromApp": "home",
            "objectStatus": "0",
            "sortColumn": "endDate",
            "sortDir": "desc",
            **_ASSOCIATED,
        },
        body={"searchData": _ACTIVITY_SEARCH},
    )


FEED: Mapping[FeedSource, Endpoint] = MappingProxyType(
    {
        # list key C (phplib task_dashboard.php)
        "tasks": _activity("task", "Task", "tasks"),
        # activity types C, list keys G
        "appointments": _activity("appointment", "Event", "events", "appointments"),
        "followups": _activity("followup", "Follow Up", "followUps", "followUpActivities", "followups"),
        # the type's name is I from the product's menus, everything about reading calls is U
        "calls": _activity("call", "Call Log", "callLogs", "calls"),
        # request C, list key G
        "notes": Endpoint(
            "note", NOTES, ("getNotes",), NOTE_KEYS, {"b": "1", "isFrom": "App", **_ASSOCIATED}, {"noteData": "{}"}
        ),
        # reading a customer's e-mails is U: action and list key G
        "emails": Endpoint(
            "email",
            EMAILS,
            ("getEmails", "getAllEmails"),
            ("emails", "emailMessages"),
            {"isFromApp": "App", **_ASSOCIATED},
        ),
        # C (1.9); that opportunityCustomerId narrows exactly is G
        "opportunities": Endpoint(
            "opportunity",
            OPPORTUNITIES,
            ("getAllByAdvancedSearch",),
            ("opportunities",),
            {"objectId": "11", "sortColumn": "lastUpdateDate", "sortDir": "desc"},
            {"searchData": '{"opportunityCustomer":"","opportunityCustomerId":{id}}', "multiSelectData": "{}"},
        ),
        # C for cases (portal viewCase.php), I for customers
        "newsfeed": Endpoint(
            "newsfeed",
            NEWSFEED,
            ("getWallMessagesBySelectedEmployeeIds",),
            ("wallEntries",),
            {
                "eventType": "EVENT_TYPES_EXTERNAL",
                "getLatest": "false",
                "objectId": "3",
                "objectRefId": "{id}",
                "wallEntryId": "",
            },
            is_paged=False,
        ),
    }
)

SEARCH_DATA: Mapping[str, object] = {
    **dict.fromkeys(
        ("customerName", "customerNumber", "description", "followUpDescription", "skypeName", "parentCustomerName",
         "website", "tickerSymbol", "campaignName", "creditRating", "territoryName", "ownership", "faceBookURL",
         "twitterURL", "linkedInURL", "creationOnStartDate", "creationOnEndDate", "creationDateDuration",
         "creationDateDurationTypeId", "creationDateRangeTypeId", "lastUpdateOnStartDate", "lastUpdateOnEndDate",
         "lastUpdateDateDuration", "lastUpdateDateDurationTypeId", "lastUpdateDateRangeTypeId"), ""),
    **dict.fromkeys(
        ("assigneeObjectRefName", "assigneeObjectId", "assigneeObjectRefId", "parentCustomerId", "campaignId",
         "territoryId", "isUnsubscribed", "isBounced", "isResponded"), None),
    "phoneNumbers": [],
    "emailAddresses": [],
    "customAttributes": [],
    "addresses": [
        {"addressAttributeId": "address_section_attr_id", "addressGroupName": "Address1", "addressType": "",
         "state": "", "stateCode": "", "stateId": None, "stateName": ""}
    ],
}  # fmt: skip
"""`searchData` of a customer search, whole as in S003's sample: which parts a search needs is not documented."""
MULTI_SELECT: Mapping[str, object] = {
    f"{name}Ids": []
    for name in ("market", "category", "status", "employeeRange", "paymentTerm", "sla", "industry", "segment")
}
"""`multiSelectData` of a customer search (S003)."""


def customers_between(first: str, last: str, is_descending: bool = False) -> Endpoint:
    """The customers created from one day to another, or all of them where both days are ""."""
    days = {"creationOnStartDate": first, "creationOnEndDate": last}
    return Endpoint(
        "customer",
        CUSTOMERS,
        ("getAllByAdvancedSearch",),
        CUSTOMER_KEYS,
        # the order by name is C (phpmt); one by the last change would move what is changed meanwhile
        {"objectId": str(CUSTOMER_OBJECT), "territoryType": "MULTIPLE", **_sorted("customerName", is_descending)},
        {"searchData": _json({**SEARCH_DATA, **days}), "multiSelectData": _json(MULTI_SELECT)},
    )


def opportunities_between(first: str, last: str, is_descending: bool = False) -> Endpoint:
    """The opportunities created from one day to another (action C; that the days are named as for customers I)."""
    days = {"creationOnStartDate": first, "creationOnEndDate": last}
    return Endpoint(
        "opportunity",
        OPPORTUNITIES,
        ("getAllByAdvancedSearch",),
        ("opportunities",),
        {"objectId": "11", **_sorted("opportunityName", is_descending)},
        {
            "searchData": _json({"opportunityCustomer": "", "opportunityCustomerId": None, **days}),
            "multiSelectData": "{}",
        },
    )


def all_of(between: Callable[[str, str, bool], Endpoint], *, is_descending: bool = False) -> Endpoint:
    """All rows of an app by getAll (C, S003 and apdoc); by its search where that is refused or not understood."""
    searched = between("", "", is_descending)
    return replace(searched, actions=("getAll", *searched.actions))


def _sorted(column: str, is_descending: bool) -> dict[str, str]:
    return {"sortColumn": f"{column}.sortable", "sortDir": "desc" if is_descending else "asc"}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
