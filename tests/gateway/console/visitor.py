"""A person at the console without a browser: keeps cookies, and sends forms as the pages made them."""

import html
import re
from typing import Any

import httpx

TOKEN = "operator-token-for-tests"
SESSION = "gateway_console"


class Visitor:
    """One person."""

    def __init__(self, url: str) -> None:
        self.url = url
        # no connection is kept, so that nobody has to say goodbye
        alone = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.Client(base_url=url, trust_env=False, timeout=15, limits=alone)
        self.last: httpx.Response | None = None

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask for a page."""
        self.last = self.http.get(f"/console{path}", **options)
        return self.last

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """Send a form, with the last page's token unless another is given, as a browser on our own page would."""
        fields.setdefault("form_token", self.form_token())
        sent = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"} if headers is None else headers
        return self.http.post(f"/console{path}", data=fields, headers=sent)

    def form_token(self) -> str:
        """The token of the last page's forms."""
        assert self.last is not None
        return field(self.last.text, "form_token")

    def sign_in(self, token: str = TOKEN, **fields: str) -> httpx.Response:
        """By token."""
        self.get("/sign-in")
        return self.post("/sign-in", token=token, **fields)

    def is_signed_in(self) -> bool:
        """Whether pages are shown."""
        return self.http.get("/console/audit").status_code == 200

    def cookie(self) -> str:
        """The session's cookie."""
        return self.http.cookies[SESSION]


def field(page: str, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"the page has no field {name}"
    return html.unescape(found[1])


def signed_in(url: str, token: str = TOKEN) -> Visitor:
    """Somebody who has signed in by token."""
    visitor = Visitor(url)
    assert visitor.sign_in(token).status_code == 303
    visitor.get("/audit")
    return visitor
