"""Takes secrets out of text that a person, a log or a caller may see."""

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "[redacted]"
_SHORTEST = 4
"""Shorter secrets would mask ordinary words; settings warn of them."""
_SPOKEN = re.compile(
    r"((?i:\b(?:bearer|basic)\s+"
    r"|\b[\w-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|authorization)[\"']?\s*[:=]\s*"
    r"[\"']?(?:bearer\s+|basic\s+)?))"
    r"(?=[^\s\"',;&<>}]*[0-9]|[^\s\"',;&<>}]+[A-Z])[^\s\"',;&<>}]{6,}"
)
"""A credential by what stands before it: remote systems repeat some that are not ours. Its value has a digit, or a
capital letter after its first, so that `token: invalid` still says what is wrong."""


class Redactor:
    """Replaces every known secret, also in its percent-encoded and JSON spellings, by `[redacted]`.

    So it does with what is called a password, a key or a token in the text, whoever's it is.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                spellings |= {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        # longest first, so that a secret that contains another goes whole
        ordered = sorted(spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        """`text` without secrets."""
        known = self._pattern.sub(MASK, text) if self._pattern else text
        return _SPOKEN.sub(rf"\1{MASK}", known)
