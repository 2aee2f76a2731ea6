"""Why a caller is not admitted.

AuthError               any refusal; `reason` is a fixed word for logs and metrics, `detail` is for the caller
├── AmbiguousProof      a header of the proof came twice                                   400
├── Unauthorized        no or wrong credentials, or no such connection: one answer for all 401
├── Forbidden           a genuine JWT without the scope, or for another connection         403
└── AuthUnavailable     the JWT cannot be judged: its issuer's keys cannot be had          503
"""

from typing import Literal

Refusal = Literal[
    "no_credentials",
    "wrong_credentials",
    "malformed_token",
    "unknown_key",
    "wrong_signature",
    "expired_token",
    "wrong_claims",
]
"""Why credentials were not accepted; for the operator's logs and metrics, never for the caller."""

WWW_AUTHENTICATE = 'API-Key realm="gateway", Basic realm="gateway", charset="UTF-8", Bearer realm="gateway"'
"""The challenge of every 401 to callers of a connection (RFC 9110 section 11.6.1, RFC 7617, RFC 6750)."""
OPERATOR_WWW_AUTHENTICATE = 'Bearer realm="gateway"'
"""The challenge of every 401 on the operator's side."""


class AuthError(Exception):
    """A caller was not admitted. `detail` may be shown to the caller; it holds nothing that was presented."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class AmbiguousProof(AuthError):
    """A header of the proof came twice, so that nobody can say which one counts."""

    def __init__(self, header: str) -> None:
        super().__init__("ambiguous_proof", f"expected one {header} header, got several; send one")


class Unauthorized(AuthError):
    """No or wrong credentials, or no such connection: the detail is the same for all of them."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason, "the credentials are missing or not accepted here")


class Forbidden(AuthError):
    """A genuine JWT that lacks the needed scope, or is for other connections."""


class AuthUnavailable(AuthError):
    """The token may be good, but the keys of its issuer cannot be had now."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("jwks_unavailable", "the token issuer's keys cannot be fetched now; try again later")
        self.retry_after = retry_after
        """Seconds after which another attempt makes sense."""
