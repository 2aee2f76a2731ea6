"""Comparing presented secrets with stored digests, in a time that tells nothing about what is stored.

Every connection's row is padded with digests that nothing matches up to the largest one's size, and an unknown
connection has a row of such digests only: right, wrong and unknown all cost the same number of comparisons.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Literal

from pydantic import SecretStr

from gateway.auth.credentials import Presented, digest
from gateway.auth.settings import BasicCredential

Method = Literal["api_key", "basic", "jwt", "url_token"]


@dataclass(frozen=True, slots=True)
class Proof:
    """A credential that matched."""

    method: Method
    name: str
    """A stable identity that is no secret: the user name, or 12 hex digits of the digest's own digest."""


@dataclass(frozen=True, slots=True)
class ComparedSecrets:
    """The credentials of one connection that are compared with what is presented."""

    api_keys: tuple[SecretStr, ...] = ()
    basic: tuple[BasicCredential, ...] = ()
    url_tokens: tuple[SecretStr, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    api_keys: tuple[bytes, ...]
    users: tuple[bytes, ...]
    passwords: tuple[bytes, ...]
    usernames: tuple[str, ...]
    url_tokens: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How many credentials of each kind every row holds after padding."""

    api_keys: int
    basic: int
    url_tokens: int


class ProofTable:
    """Connection → its compared credentials; connections that are not in it cost the same."""

    def __init__(self, connections: Mapping[str, ComparedSecrets]) -> None:
        rows = connections.values()
        self._size = _Sizes(
            max((len(row.api_keys) for row in rows), default=1),
            max((len(row.basic) for row in rows), default=1),
            max((len(row.url_tokens) for row in rows), default=1),
        )
        self._rows = {name: _row(given, self._size) for name, given in connections.items()}
        self._decoy = _row(ComparedSecrets(), self._size)

    def match(self, connection: str, presented: Presented) -> Proof | None:
        """The credential of `connection` that is presented, or None. Compares everything, whatever matches."""
        row = self._rows.get(connection, self._decoy)
        key = None if presented.api_key is None else position(presented.api_key, row.api_keys)
        user = None if presented.basic is None else _user_position(presented.basic, row)
        token = None if presented.url_token is None else position(presented.url_token, row.url_tokens)
        if key is not None:
            return Proof("api_key", name_of(row.api_keys[key]))
        if user is not None:
            return Proof("basic", row.usernames[user])
        if token is not None:
            return Proof("url_token", name_of(row.url_tokens[token]))
        return None


def stored_digests(stored: Iterable[SecretStr]) -> tuple[bytes, ...]:
    """The digests of settings' `SecretDigest`s, in bytes."""
    return tuple(bytes.fromhex(each.get_secret_value()) for each in stored)


def position(presented: bytes, stored: Sequence[bytes]) -> int | None:
    """Where `presented` stands in `stored`, or None; always compares with every one, each in constant time."""
    found = None
    for index, each in enumerate(stored):
        if compare_digest(presented, each):
            found = index
    return found


def name_of(stored: bytes) -> str:
    """A stable name for a stored digest that does not give the digest away."""
    return digest(stored).hex()[:12]


def _user_position(presented: tuple[bytes, bytes], row: _Row) -> int | None:
    username, password = presented
    found = None
    for index, (user, secret) in enumerate(zip(row.users, row.passwords, strict=True)):
        # `&`, not `and`: the password is compared even when the user name is wrong
        if compare_digest(username, user) & compare_digest(password, secret):
            found = index
    return found


def _row(given: ComparedSecrets, size: _Sizes) -> _Row:
    usernames = [each.username for each in given.basic]
    users = [digest(name.encode("utf-8", "surrogatepass")) for name in usernames]
    return _Row(
        api_keys=_padded(stored_digests(given.api_keys), size.api_keys),
        users=_padded(users, size.basic),
        passwords=_padded(stored_digests(each.password for each in given.basic), size.basic),
        usernames=tuple(usernames),
        url_tokens=_padded(stored_digests(given.url_tokens), size.url_tokens),
    )


def _padded(digests: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    return (*digests, *(secrets.token_bytes(32) for _ in range(size - len(digests))))
