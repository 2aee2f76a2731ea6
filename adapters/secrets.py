"""Secrets in settings: written plainly, or by the name of an environment variable or a file (CONTRACT section 3).

The environment comes in through pydantic's validation context (`{"environ": …}`), so that one place,
the gateway's settings, reads it. Errors name the variable or the file, never a value.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationInfo

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What POSIX calls a name. Nothing else is repeated in an error: it may be the secret itself, in the wrong place."""


class SecretFault(ValueError):
    """A secret that cannot be had; the message is safe to print."""


def _from_environment(name: object, environ: Mapping[str, str]) -> str:
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
        raise SecretFault("env: expected the name of an environment variable")
    if name not in environ:
        raise SecretFault(f"environment variable {name} is not set")
    if not environ[name]:
        raise SecretFault(f"environment variable {name} is empty")
    return environ[name]


def _from_file(path: object) -> str:
    if not isinstance(path, str) or not path:
        raise SecretFault("file: expected a path")
    try:
        text = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        raise SecretFault(f"file {path} does not exist") from None
    except (OSError, UnicodeDecodeError, ValueError):
        raise SecretFault(f"file {path} cannot be read") from None
    if not text:
        raise SecretFault(f"file {path} is empty")
    return text


def _resolve(value: object, info: ValidationInfo) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, str):
        if not value:
            raise SecretFault("a secret cannot be empty")
        return value
    if isinstance(value, Mapping) and len(value) == 1:
        (form, content), *_ = value.items()
        if form == "env":
            return _from_environment(content, (info.context or {}).get("environ", {}))
        if form == "file":
            return _from_file(content)
        if form == "sha256":
            raise SecretFault("sha256 is for secrets that are only compared; this one is sent, so it must be known")
    raise SecretFault('expected a string, { env = "NAME" } or { file = "PATH" }')


Secret = Annotated[SecretStr, BeforeValidator(_resolve)]
"""A secret the gateway sends onward, so it must know it: plain, `{ env }` or `{ file }`."""


def _resolve_reference(value: object, info: ValidationInfo) -> object:
    return _resolve(value, info) if isinstance(value, Mapping) else value


Referable = Annotated[str, BeforeValidator(_resolve_reference)]
"""A text that is no secret as such but may hold one: plain, `{ env }` or `{ file }`. Who shows it masks it."""


def _check_header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise SecretFault("expected visible ASCII characters only, since it travels in a header")
    return value


HeaderSecret = Annotated[Secret, AfterValidator(_check_header_value)]
"""A `Secret` that is sent as the value of an HTTP header."""


def digest(secret: str) -> str:
    """The stored form of a secret that is only compared: SHA-256 of its UTF-8 bytes, lower-case hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _resolve_digest(value: Any, info: ValidationInfo) -> str:
    if isinstance(value, Mapping) and set(value) == {"sha256"}:
        stored = value["sha256"]
        if not isinstance(stored, str) or not _SHA256.fullmatch(stored):
            raise SecretFault("sha256: expected 64 hex digits")
        return stored.lower()
    return digest(_resolve(value, info))


SecretDigest = Annotated[SecretStr, BeforeValidator(_resolve_digest)]
"""A secret the gateway only compares: as `Secret`, or `{ sha256 = "HEX" }`. Holds the digest, never the secret."""
