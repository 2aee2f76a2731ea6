"""The console's three cookies: the session, the visitor who is about to sign in, a sign-in under way elsewhere.

All are HttpOnly and, where the public address is https, Secure under the prefix `__Host-` (RFC 6265bis section
4.1.3.2), so that no other host of the domain can set them. The session and the visitor are SameSite=Strict. What is
kept during a sign-in at the identity provider must be Lax: the way back is a navigation from another site.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

_SESSION = "gateway_console"
_VISITOR = "gateway_console_visitor"
_TRANSACTION = "gateway_console_oidc"
TRANSACTION_SECONDS = 600
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and sets them."""

    is_secure: bool

    def session_in(self, request: Request) -> str | None:
        """The session's cookie, as it came."""
        return self._in(request, _SESSION)

    def visitor_in(self, request: Request) -> str | None:
        """The visitor's id."""
        return self._in(request, _VISITOR)

    def transaction_in(self, request: Request) -> str | None:
        """The sign-in under way, signed."""
        return self._in(request, _TRANSACTION)

    def set_session(self, response: Response, value: str) -> None:
        """Signed in: until the browser closes or the session ends, whichever is first."""
        self._set(response, _SESSION, value)

    def set_visitor(self, response: Response, value: str) -> None:
        """Remember who asked for the sign-in form."""
        self._set(response, _VISITOR, value)

    def set_transaction(self, response: Response, value: str) -> None:
        """Remember what was sent to the identity provider."""
        self._set(response, _TRANSACTION, value, same_site="lax", max_age=TRANSACTION_SECONDS)

    def forget_session(self, response: Response) -> None:
        """Signed out."""
        self._set(response, _SESSION, "", max_age=0)

    def forget_transaction(self, response: Response) -> None:
        """The sign-in is over."""
        self._set(response, _TRANSACTION, "", same_site="lax", max_age=0)

    def _in(self, request: Request, name: str) -> str | None:
        value = request.cookies.get(self._name(name))
        return value if value and len(value) <= _LONGEST else None

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.is_secure else name

    def _set(
        self, response: Response, name: str, value: str, same_site: str = "strict", max_age: int | None = None
    ) -> None:
        response.set_cookie(
            self._name(name),
            value,
            max_age=max_age,
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax" if same_site == "lax" else "strict",
        )
