"""A configuration full of marked secrets, CRMs that repeat them, and the search for every spelling of a mark."""

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.crmcom import simulator as crmcom
from tests.harness import configuration

MARK = "pLaNtEd/+&"
"""Stands in every made-up secret; holds characters that encodings change."""


def _marked(name: str) -> str:
    return f"{name}-{MARK}-{name[::-1]}"


CALLER_KEY, CALLER_PASSWORD, CALLER_TOKEN = _marked("caller-key"), _marked("caller-password"), _marked("caller-token")
HOOK_KEY, HOOK_PASSWORD, HOOK_TOKEN = _marked("hook-key"), _marked("hook-password"), _marked("hook-token")
HOOK_SECRET, OPERATOR, OIDC = _marked("hook-secret"), _marked("operator"), _marked("oidc")
CRM_KEY, CRM_ACCESS_KEY, CRM_PASSWORD = _marked("crm-key"), _marked("crm-access-key"), _marked("crm-password")
VAINU_KEY, VAINU_PASSWORD, AIXON_KEY = _marked("vainu-key"), _marked("vainu-password"), _marked("aixon-key")
SECRETS = (
    CALLER_KEY, CALLER_PASSWORD, CALLER_TOKEN, HOOK_KEY, HOOK_PASSWORD, HOOK_TOKEN, HOOK_SECRET, OPERATOR, OIDC,
    CRM_KEY, CRM_ACCESS_KEY, CRM_PASSWORD, VAINU_KEY, VAINU_PASSWORD, AIXON_KEY,
)  # fmt: skip


PERSON = {
    "first_name": "Plantina",
    "last_name": "Perssonsdotter",
    "email": "plantina.perssonsdotter@people.example",
    "phone": "+358 40 5550199",
    "title": "Chief Planter",
}
"""Somebody; each part is distinctive."""
HEADERS = {
    "From": PERSON["email"],
    "User-Agent": f"{PERSON['first_name']} {PERSON['last_name']}",
    "Referer": f"https://example.com/?name={PERSON['last_name']}",
    "Cookie": f"name={PERSON['last_name']}; mail={PERSON['email']}",
    "X-Forwarded-For": PERSON["last_name"],
    "Forwarded": f"for={PERSON['last_name']}",
    "Accept-Language": PERSON["phone"],
}
"""Headers by which a caller tells more than anybody has asked for."""


def document(upstream: str, echo: str, folder: Path) -> dict[str, Any]:
    """`acme` and `globex` with good keys; a connection to each CRM with a wrong one; and four to CRMs that echo."""
    auth = {
        "api_keys": [CALLER_KEY],
        "basic": [{"username": "vainu", "password": CALLER_PASSWORD}],
        "url_tokens": [CALLER_TOKEN],
    }
    webhooks = {
        "hmac": [{"secret": HOOK_SECRET, "scheme": "header"}],
        "basic": [{"username": "crm", "password": HOOK_PASSWORD}],
        "api_keys": [HOOK_KEY],
        "url_tokens": [HOOK_TOKEN],
    }
    shared = {"auth": auth, "webhooks": webhooks, "export": {"budget_ms": 200}, "feed": {"budget_ms": 200}}

    def apptivo(address: str) -> dict[str, Any]:
        vainu = {"base_url": f"{echo}/refuse", "api_key": VAINU_KEY}
        aixon = {"base_url": f"{echo}/refuse", "api_key": AIXON_KEY}
        keys = {"base_url": address, "api_key": CRM_KEY, "access_key": CRM_ACCESS_KEY}
        return {"crm": "apptivo", "apptivo": keys, "vainu": vainu, "aixon": aixon, **shared}

    def crm_com(address: str) -> dict[str, Any]:
        keys = {"base_url": address, "username": "someone", "password": CRM_PASSWORD, "organisation": "FIRM"}
        vainu = {"base_url": f"{echo}/refuse", "username": "someone", "password": VAINU_PASSWORD}
        return {"crm": "crmcom", "crmcom": keys, "vainu": vainu, **shared}

    return configuration(
        upstream,
        folder,
        operator={
            "tokens": [OPERATOR],
            "oidc": {
                "issuer": "https://idp.example.com",
                "client_id": "gateway",
                "client_secret": OIDC,
                "allowed_emails": ["ops@example.com"],
            },
        },
        server={"drain_seconds": 0, "failed_signins_per_minute": 1000},
        connections={
            "acme": shared,
            "globex": shared,
            "wrong-apptivo": apptivo(f"{upstream}/apptivo"),
            "wrong-crmcom": crm_com(f"{upstream}/crmcom{crmcom.PREFIX}"),
            **{f"apptivo-{way}": apptivo(f"{echo}/{way}") for way in ("refuse", "fail", "html", "break")},
            **{f"crmcom-{way}": crm_com(f"{echo}/{way}") for way in ("refuse", "fail", "html", "break")},
        },
    )


async def _echo(request: Request) -> Response:
    """Answers everything it was sent, in the way its path names."""
    body = (await request.body()).decode("utf-8", "replace")
    values = [value for _key, value in parse_qsl(f"{request.url.query}&{body}")]
    values += [json.loads(body).get("password", "")] if '"password"' in body else []
    headers = " ".join(request.headers.values())
    # so often that wherever somebody cuts the text, the cut goes through a secret
    repeated = " ".join(" ".join(values + [headers.rpartition(" ")[2]] * (not values)).split()[-2:] * 30)
    said = f"{repeated} {headers} {request.url.query} {body}"
    match request.path_params["way"]:
        case "refuse":
            return PlainTextResponse(f"wrong: {said}", 403)
        case "break":
            return PlainTextResponse(said, 500)
        case "html":
            return HTMLResponse(f"<html><head><title>{said}</title></head><body>{said}</body></html>")
        case _:
            status = {"code": "COM.CRM.EXCEPTION.REFUSED", "description": f"again {said}", "message": said}
            apptivo = {"status": "FAILURE", "reason": said, "message": said}
            return JSONResponse(apptivo if "app/dao" in request.url.path else {"status": status})


def echoing() -> Starlette:
    """A remote system that repeats to the caller whatever it was sent, secrets above all."""
    return Starlette(routes=[Route("/{way}/{path:path}", _echo, methods=["GET", "POST", "PUT", "PATCH"])])


def spellings(secret: str) -> set[str]:
    """The secret as it is, in a URL, in JSON, and inside any base64."""
    found = {secret, quote(secret, safe=""), quote_plus(secret), quote(secret), json.dumps(secret)[1:-1]}
    found |= {text.replace("%2F", "%2f").replace("%2B", "%2b") for text in found}
    for shift in range(3):
        plain = b"x" * shift + secret.encode()
        # only whole groups of three bytes, without what stands before: the rest changes with the neighbours
        whole = plain[3 if shift else 0 : len(plain) // 3 * 3]
        found.add(base64.b64encode(whole).decode())
    return found


def people_in(text: str) -> set[str]:
    """What a text tells of the person, as it is or in a URL."""
    number = PERSON["phone"].split()[-1]
    parts = {PERSON["first_name"], PERSON["last_name"], PERSON["email"], PERSON["title"], number}
    found = {part for part in parts for spelling in (part, quote(part), quote_plus(part)) if spelling in text}
    return found | {part for part in parts if part.lower() in text.lower()}


def found_in(text: str) -> set[str]:
    """The secrets of which any spelling, or the mark itself cut at an end, stands in a text."""
    return {secret for secret in SECRETS if any(spelling in text for spelling in spellings(secret))} | {
        MARK for part in (MARK, quote(MARK, safe=""), MARK[:8]) if part in text
    }
