"""`GET /openapi.json` and `GET /docs`: the contract, readable without the internet."""

import asyncio
import base64
import hashlib
import re
from functools import cache
from pathlib import Path

import msgspec
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

_TEMPLATES = Path(__file__).parent / "templates"
_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


async def openapi_json(_request: Request) -> Response:
    """The OpenAPI document as JSON."""
    return Response(
        await asyncio.to_thread(_json), media_type="application/json", headers={"X-Content-Type-Options": "nosniff"}
    )


async def docs_page(_request: Request) -> Response:
    """The document as one page: no scripts, no request to anywhere, its style admitted by its hash."""
    page, policy = await asyncio.to_thread(_page)
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(page, media_type="text/html", headers=headers)


@cache
def _json() -> bytes:
    # imported here, as below: most gateways are never asked
    from gateway.openapi import document

    return msgspec.json.encode(document())


@cache
def _page() -> tuple[bytes, str]:
    """The page, and the content security policy that lets its own style apply and nothing else."""
    from gateway.openapi import document
    from gateway.openapi.page import groups, schema_views
    from gateway.templates import environment

    style = (_TEMPLATES / "docs.css").read_text(encoding="utf-8")
    shown = document()
    templates = environment(_TEMPLATES)
    templates.filters["prose"] = _prose
    html = templates.get_template("docs.html").render(
        document=shown,
        groups=groups(shown),
        schemas=schema_views(shown),
        style=Markup(style),  # noqa: S704 - our own file
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return html.encode(), policy


def _prose(text: str) -> Markup:
    """The little CommonMark that the document's descriptions use: paragraphs, `code` and **bold**."""
    marked = _BOLD.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", str(escape(text.strip()))))
    return Markup("<br><br>".join(marked.split("\n\n")))  # noqa: S704 - escaped above
