"""What a session was opened with, as text; and whether the configuration in force still admits it."""

from pydantic import SecretStr

from gateway.auth.gate import Operator
from gateway.auth.proofs import name_of, stored_digests
from gateway.settings.model import OidcSettings, OperatorSettings

_TOKEN = "token:"  # noqa: S105 - a word, no token
_OIDC = "oidc:"


def of_token(operator: Operator) -> str:
    """The credential of somebody who signed in with an operator token."""
    return _TOKEN + operator.name


def of_email(oidc: OidcSettings, email: str) -> str:
    """The credential of somebody whom the identity provider vouched for."""
    return f"{_OIDC}{oidc.issuer} {email.lower()}"


def still_admits(settings: OperatorSettings, credential: str) -> bool:
    """Whether these settings hold what a session was opened with: the token, or the provider and the address."""
    if credential.startswith(_TOKEN):
        return credential in {_TOKEN + name for name in _token_names(settings.tokens)}
    if settings.oidc is None:
        return False
    return credential in {of_email(settings.oidc, email) for email in settings.oidc.allowed_emails}


def _token_names(tokens: tuple[SecretStr, ...]) -> list[str]:
    return [name_of(digest) for digest in stored_digests(tokens)]
