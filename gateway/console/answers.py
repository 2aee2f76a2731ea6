"""What the console answers: HTML with the headers that keep it to itself, redirects, bounces, files."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from gateway.console.rendering import render

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""The content security policy: our own files only, no inline style or script, in nobody's frame."""

_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # not no-referrer: a browser would then send `Origin: null` with our own forms
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_NOT_KEPT = {"Cache-Control": "no-store"}


def page(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any) -> Response:
    """A page, or a part of one, that no cache keeps."""
    return Response(
        render(template, **context),
        status,
        headers={**_ALWAYS, **_NOT_KEPT, **(headers or {})},
        media_type="text/html",
    )


def see_other(location: str) -> Response:
    """After a POST, or to sign in: go there. `location` must be a path of ours."""
    return Response(status_code=303, headers={**_ALWAYS, **_NOT_KEPT, "Location": location})


def bounce(location: str, base: str, says: str) -> Response:
    """A page that goes on to `location` by itself, with scripts off too.

    A redirect would not do: a browser counts a chain of redirects as one navigation of whoever began it. If that was
    another site it sends no `SameSite=Strict` cookie; and of a form it follows redirects to its `form-action` only.
    """
    return page("bounce.html", base=base, location=location, says=says)


def file(content: bytes, media_type: str) -> Response:
    """A static file, which its address names together with its content's digest: it may be kept for ever."""
    headers = {**_ALWAYS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, headers=headers, media_type=media_type)
