"""`components/examples`: the shapes in which a company may come, and a feed.

The company is the sample of Vainu's own documentation (S001, GET /prospect/{id}/all/), shortened.
"""

from gateway.openapi.event_examples import event_examples
from gateway.openapi.references import Node


def examples() -> Node:
    """`components/examples`."""
    feed = {"summary": "A task, a meeting known by its day, an open deal", "value": _feed()}
    change = {
        "unique_id": "10235",
        "data": {"company_name": "Oy Samlink Ab", "business_id": "09704098", "country": "FI", "staff_number": 412},
        "number_of_tries": 1,
    }
    return {
        **pushes(),
        "companyChange": {"summary": "A new number of staff", "value": change},
        "crmWebhook": {"summary": "A customer of Apptivo was changed", "value": {"customerId": 10235}},
        **event_examples(),
        "feed": feed,
    }


def pushes() -> Node:
    """Every accepted shape of a push, one example each; all of them name the same company."""
    return {
        "companyAtTop": _push(
            "The company at the top level, contacts and leads among its fields, `id` in the body",
            {"id": "5af06d0c2b1e4c0001a7c1d2", **_samlink(), "contacts": _contacts(), "leads": _leads()},
        ),
        "underProspect": _push(
            "Under `prospect`, contacts and leads beside it",
            {"prospect": _samlink(), "contacts": _contacts(), "leads": _leads()},
        ),
        "firstOfProspects": _push(
            "The first of `prospects`, contacts inside it, leads beside it",
            {"prospects": [{**_samlink(), "contacts": _contacts()}], "leads": _leads()},
        ),
        "underCompany": _push(
            "Under `company`, contacts and leads inside it",
            {"company": {**_samlink(), "contacts": _contacts(), "leads": _leads()}},
        ),
        "underData": _push(
            "Under `data`, `id` beside it as a number",
            {"id": 4711, "data": {**_samlink(), "contacts": _contacts()}},
        ),
        "numbersAsText": _push(
            "Numbers as text, and an id that lost its leading zero as a number",
            {**_samlink(), "vid": "253870", "business_id": 9704098, "turn_over": 93116557, "staff_number": 399},
        ),
        "identifiersBeside": _push(
            "Under `prospect`, what identifies the company beside it",
            {
                "vid": 253870,
                "business_id": "FI09704098",
                "country": "FI",
                "domain": "samlink.fi",
                "prospect": {"company_name": "Oy Samlink Ab"},
            },
        ),
        "nameAlone": _push("The least that is a company: its name", {"company_name": "Oy Samlink Ab"}),
    }


def _push(summary: str, value: Node) -> Node:
    return {"summary": summary, "value": value}


def _samlink() -> Node:
    return {
        "vid": 253870,
        "business_id": "09704098",
        "company_name": "Oy Samlink Ab",
        "country": "FI",
        "link": "www.samlink.fi",
        "phone": "09548050",
        "visiting_address": "Linnoitustie 9",
        "visiting_postal": "02600",
        "visiting_city": "ESPOO",
        "turn_over": "93116557.0",
        "staff_number": "399",
        "industry_code_2": 62,
        "vainu_link": "https://app.vainu.io/vainu/prospect/253870/",
        "mother": None,
    }


def _contacts() -> list[Node]:
    return [
        {
            "first_name": "Jane",
            "last_name": "Doe",
            "email": "jane@example.com",
            "phone": "+123123123123",
            "title": "CEO",
        },
        {"first_name": "John", "last_name": "Doe", "email": "john@example.com", "phone": None, "title": "CTO"},
    ]


def _leads() -> list[Node]:
    return [
        {
            "added": "2015-08-20T08:52:50",
            "title": "Samlink ja esimerkkipankki yhteistyöhön",
            "link": "https://news.example.com/samlink-esimerkkipankki",
            "tags": ["Kumppanuudet ja yhteistyöprojektit"],
            "vainu_link": "https://app.vainu.io/vainu/prospect/253870",
        }
    ]


def _feed() -> list[Node]:
    return [
        {
            "id": "apptivo-task-4711",
            "timestamp": "2018-05-04T07:11:26.000Z",
            "type": "task",
            "header": "Send the offer",
            "text": "With the price list of May.",
            "icon": "task",
            "user_email": "sales@example.com",
        },
        {
            "id": "apptivo-appointment-310",
            "timestamp": "2018-05-03T00:00:00.000Z",
            "type": "meeting",
            "header": "First meeting",
            "icon": "meeting",
            "location": "Linnoitustie 9, Espoo",
            "hide_time": True,
        },
        {
            "id": "apptivo-opportunity-88",
            "timestamp": "2018-04-28T12:00:00.000Z",
            "type": "open",
            "header": "Licences 2018",
            "icon": "open",
            "value": 12500.5,
            "currency": "EUR",
            "probability_percent": 60,
        },
    ]
