"""A firm's Apptivo in memory, over real HTTP: the documents' shapes, and their quirks.

Failures are 200s, booleans are "Y" and "N", dates come in three forms, webLayout is JSON inside a string, a search
matches parts of words, and saving the same name twice makes two customers. Sources: S003, upstream-apis 1.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from adapters.apptivo.simulated_customers import BUSINESS_ID_ATTRIBUTE
from adapters.apptivo.simulated_firm import DEMO_ACCESS_KEY, DEMO_API_KEY, ApptivoState, Failure, Row, tied_to
from adapters.apptivo.simulated_lists import page_of, search
from adapters.simulated_customers import customers_route
from adapters.simulated_webhooks import webhook_route
from adapters.simulation import HTML_PAGE, Simulator, build

__all__ = ["BUSINESS_ID_ATTRIBUTE", "DEMO_ACCESS_KEY", "DEMO_API_KEY", "ApptivoState", "simulator"]

BUSINESS_ID_TAG = "right_input_1503034896243_777"

_GUARDED = {
    "emailAddresses": "isEmailAddressUpdate",
    "addresses": "isAddressUpdate",
    "customAttributes": "isCustomAttributesUpdate",
}

_Parameters = Mapping[str, str]
_Action = Callable[[ApptivoState, _Parameters], Any]


def simulator(**options: Any) -> Simulator:
    """The simulated Apptivo; options are those of `ApptivoState`."""
    state = ApptivoState(**options)
    paths = sorted({path for path, _action in _ACTIONS})
    routes = [Route(path, _endpoint(state, path), methods=["GET", "POST"]) for path in paths]
    return build(state, [customers_route(state.add_customers), webhook_route(state.change_customer), *routes])


def _endpoint(state: ApptivoState, path: str) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = (await request.body()).decode("utf-8", "replace")
        given = {**request.query_params, **dict(parse_qsl(body, keep_blank_values=True))}
        try:
            return JSONResponse(_answer(state, path, given))
        except Failure as failure:
            return JSONResponse({"status": "FAILURE", "reason": str(failure)})
        except (ValueError, TypeError, AttributeError, LookupError):
            # what a real server does with JSON it cannot read is U; an HTML page is the guess
            return HTMLResponse(HTML_PAGE)

    return endpoint


def _answer(state: ApptivoState, path: str, given: _Parameters) -> Any:
    if given.get("apiKey") != state.api_key:
        raise Failure("Invalid API Key")
    if given.get("accessKey") != state.access_key:
        raise Failure("Invalid Access Key")
    action = _ACTIONS.get((path, given.get("a", "")))
    if action is None:
        raise Failure("Invalid action")
    return action(state, given)


def _config(_state: ApptivoState, _given: _Parameters) -> Row:
    layout = {
        "sections": [
            {
                "label": {"modifiedLabel": "Company", "originalLabel": "Information"},
                "attributes": [
                    {
                        "attributeId": BUSINESS_ID_ATTRIBUTE,
                        "label": {"modifiedLabel": "Business ID", "originalLabel": "Input"},
                        "right": [{"tag": "input", "tagName": BUSINESS_ID_TAG}],
                    }
                ],
            }
        ]
    }
    ranges = ("1 - 9", "10 - 49", "50 - 99", "100 - 499", "500+")
    industries = ("Computer Software", "Construction", "Finance", "Retail")
    return {
        "statuses": [
            {"statusId": 10000, "statusName": "Active", "statusCode": "ACTIVE", "isEnabled": "Y", "isActive": "Y"},
            {"statusId": 10001, "statusName": "Inactive", "statusCode": "INACTIVE", "isEnabled": "Y", "isActive": "Y"},
        ],
        "industries": [{"industryId": 300 + at, "industryName": name} for at, name in enumerate(industries)],
        "employeeRanges": [{"employeeRangeId": 400 + at, "employeeRange": name} for at, name in enumerate(ranges)],
        "phoneTypes": [{"name": "Business", "code": "PHONE_BUSINESS"}, {"name": "Mobile", "code": "PHONE_MOBILE"}],
        "emailTypes": [{"name": "Business", "code": "BUSINESS"}],
        "addressTypes": [{"name": "Billing Address", "code": "1"}],
        "territories": [],
        "sysMessages": [{"code": "1", "message": "Saved"}],
        "webLayout": json.dumps(layout),
    }


def _save(state: ApptivoState, given: _Parameters) -> Row:
    data = json.loads(given["customerData"])
    if not str(data.get("customerName") or "").strip():
        raise Failure("Customer Name is mandatory")
    return {"customer": state.insert_customer(data)}


def _update(state: ApptivoState, given: _Parameters) -> Row:
    customer = state.one("customers", given.get("customerId", ""))
    data = json.loads(given["customerData"])
    for name in json.loads(given.get("attributeName", "[]")):
        if name in data and (name not in _GUARDED or given.get(_GUARDED[name]) == "true"):
            customer[name] = data[name]
    customer["lastUpdateDate"] = state.clock().stamp()
    customer["version"] += 1
    return {"customer": customer}


def _delete(state: ApptivoState, given: _Parameters) -> Row:
    state.tables["customers"].remove(state.one("customers", given.get("customerId", "")))
    return {"status": "SUCCESS"}


def _by_text(state: ApptivoState, given: _Parameters) -> Row:
    text = given.get("searchText", "").casefold()
    return page_of(state, [row for row in state.tables["customers"] if text in json.dumps(row).casefold()], given)


def _save_contact(state: ApptivoState, given: _Parameters) -> Row:
    data = json.loads(given["contactData"])
    if not str(data.get("lastName") or "").strip():
        raise Failure("Last Name is mandatory")
    return state.insert("contacts", data)


def _add_contact(state: ApptivoState, given: _Parameters) -> Row:
    customer = state.one("customers", given.get("customerId", ""))
    for contact_id in given.get("contactIds", "").split(","):
        state.one("contacts", contact_id)["accountId"] = customer["customerId"]
    return {"status": "SUCCESS"}


def _contacts_of(state: ApptivoState, given: _Parameters) -> Row:
    rows = [row for row in state.tables["contacts"] if str(row.get("accountId")) == given.get("customerId")]
    return page_of(state, rows, given, "contacts")


def _tied(rows: list[Row], given: _Parameters) -> list[Row]:
    wanted = given.get("selectedObjectRefId") or given.get("objectRefId")
    return [row for row in rows if str(row["associatedObjects"][0]["objectRefId"]) == wanted]


def _activities(state: ApptivoState, given: _Parameters) -> list[Row]:
    return [row for row in _tied(state.tables["activities"], given) if row["activityType"] == given.get("activityType")]


def _all_activities(state: ApptivoState, given: _Parameters) -> Row:
    keys = {"Task": "tasks", "Event": "events", "Follow Up": "followUps", "Call Log": "callLogs"}
    return {keys[given["activityType"]]: _activities(state, given)}


def _create_note(state: ApptivoState, given: _Parameters) -> Row:
    details = json.loads(given["noteDetails"])
    customer = state.one("customers", str(details.get("objectRefId")))
    stamps = {"creationDate": state.clock().spoken(), "createdByName": "API User"}
    return state.insert("notes", {"noteText": details["noteText"], **stamps, **tied_to(customer)})


_V6 = "/app/dao/v6/"
_ACTIONS: Mapping[tuple[str, str], _Action] = {
    (_V6 + "customers", "getConfigData"): _config,
    (_V6 + "customers", "save"): _save,
    (_V6 + "customers", "update"): _update,
    (_V6 + "customers", "delete"): _delete,
    (_V6 + "customers", "getById"): lambda state, given: state.one("customers", given.get("customerId", "")),
    (_V6 + "customers", "getAll"): lambda state, given: search(state, "customers", given),
    (_V6 + "customers", "getAllBySearchText"): _by_text,
    (_V6 + "customers", "getAllByAdvancedSearch"): lambda state, given: search(state, "customers", given),
    (_V6 + "customers", "getCustomerContacts"): _contacts_of,
    (_V6 + "customers", "addContact"): _add_contact,
    (_V6 + "contacts", "save"): _save_contact,
    (_V6 + "opportunities", "getAll"): lambda state, given: search(state, "opportunities", given),
    (_V6 + "opportunities", "getAllByAdvancedSearch"): lambda state, given: search(state, "opportunities", given),
    ("/app/dao/activities", "getActivitiesByAdvancedSearch"): lambda state, given: page_of(
        state, _activities(state, given), given
    ),
    ("/app/dao/activities", "getAllActivities"): _all_activities,
    ("/app/dao/note", "getNotes"): lambda state, given: page_of(
        state, _tied(state.tables["notes"], given), given, "notes"
    ),
    ("/app/dao/note", "createNote"): _create_note,
    ("/app/dao/emails", "getEmails"): lambda state, given: page_of(state, _tied(state.tables["emails"], given), given),
    ("/app/dao/newsfeed", "getWallMessagesBySelectedEmployeeIds"): lambda state, given: {
        "wallEntries": _tied(state.tables["wall"], given)
    },
}
