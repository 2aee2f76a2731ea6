"""A sign-in through an OpenID provider while it is under way, and how it can fail. The provider is `oidc`."""

import secrets
from dataclasses import asdict, dataclass
from typing import Any


class SignInRefused(Exception):
    """The provider, or what it said, admits nobody. `reason` is a fixed word; the text is for the person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class ProviderUnavailable(Exception):
    """The provider cannot be asked now; the message is safe to show."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One sign-in under way: what the browser keeps for us, signed, from the way there to the way back."""

    state: str
    nonce: str
    verifier: str
    """Of PKCE: 43 characters, known to us and that browser only."""
    goes_on_to: str

    @classmethod
    def begin(cls, goes_on_to: str) -> "Transaction":
        """A new one that ends at a page of ours."""
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(32), goes_on_to)

    @classmethod
    def read(cls, kept: Any) -> "Transaction":
        """What `written` gave."""
        return cls(**kept)

    def written(self) -> dict[str, str]:
        """As JSON can hold it."""
        return asdict(self)
