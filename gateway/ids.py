"""Ids that sort by time and cannot be guessed: 48 bits of milliseconds, 80 random bits, in Crockford's base 32."""

import os
from functools import lru_cache

ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, lower case."""
_LENGTH = 26
_RANDOM = 16
_AT_ONCE = 256
_OF_BYTE = (ID_DIGITS * 8).encode()
"""The digit of each byte: its lowest five bits."""
_ready: list[str] = []
"""Random halves, made many at once: the system's source is asked without the interpreter, which others then take."""
os.register_at_fork(after_in_child=_ready.clear)


def new_id(prefix: str, now_ms: int) -> str:
    """`prefix_` and 26 characters of `[0-9a-z]`, safe in any URL (the ULID layout, lower case)."""
    try:
        random = _ready.pop()
    except IndexError:
        random = _make_ready()
    return f"{prefix}_{_of_time(now_ms)}{random}"


def _make_ready() -> str:
    digits = os.urandom(_RANDOM * _AT_ONCE).translate(_OF_BYTE).decode()
    first, *others = (digits[at : at + _RANDOM] for at in range(0, len(digits), _RANDOM))
    _ready.extend(others)
    return first


@lru_cache(maxsize=8)
def _of_time(now_ms: int) -> str:
    number = now_ms & (1 << 48) - 1
    return "".join(ID_DIGITS[number >> shift & 31] for shift in range(45, -1, -5))


def made_at(any_id: str) -> int | None:
    """The time inside an id, Unix milliseconds; None if it is not one of ours."""
    _prefix, _, digits = any_id.partition("_")
    if len(digits) != _LENGTH or not set(digits) <= set(ID_DIGITS):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | ID_DIGITS.index(digit)
    return number >> 80
