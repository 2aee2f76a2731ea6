"""The headers of a request, of which those of a proof may come only once."""

from collections.abc import Iterable

from gateway.auth.errors import AmbiguousProof

Raw = Iterable[tuple[bytes, bytes]]
"""Names and values as they came."""
_SHOWN = {b"api-key": "API-Key", b"authorization": "Authorization"}


class ProofHeaders:
    """Headers by name, read once for all proofs that a request may carry."""

    __slots__ = ("_by_name", "_twice")

    def __init__(self, headers: Raw) -> None:
        raw = list(headers)
        self._by_name = {name.lower(): value for name, value in raw}
        self._twice = frozenset() if len(self._by_name) == len(raw) else _twice(raw)

    @classmethod
    def of(cls, headers: "Raw | ProofHeaders") -> "ProofHeaders":
        """The headers themselves, if they have been read already."""
        return headers if isinstance(headers, ProofHeaders) else cls(headers)

    def only(self, name: bytes) -> bytes | None:
        """The value without blanks around it, None without such a header; `AmbiguousProof` if it comes twice."""
        value = self._by_name.get(name)
        if value is None:
            return None
        if name in self._twice:
            raise AmbiguousProof(_SHOWN.get(name) or name.decode("latin-1"))
        return value.strip(b" \t")

    def is_repeated(self, name: bytes) -> bool:
        """Whether there is more than one header of this name."""
        return name in self._twice


def _twice(raw: list[tuple[bytes, bytes]]) -> frozenset[bytes]:
    names = [name.lower() for name, _value in raw]
    return frozenset(name for name in names if names.count(name) > 1)
