"""Ids that sort by time and cannot be guessed: 48 bits of milliseconds, 80 random bits, in Crockford's base 32."""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]


def new_id(prefix: str, now_ms: int) -> str:
    """`prefix_` and 26 characters of `[0-9a-z]`, safe in any URL (the ULID layout, lower case)."""
    number = (now_ms & (1 << 48) - 1) << 80 | secrets.randbits(80)
    digits = [_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(digits)}"


def made_at(any_id: str) -> int | None:
    """The time inside an id, Unix milliseconds; None if it is not one of ours."""
    _prefix, _, digits = any_id.partition("_")
    if len(digits) != _LENGTH or not set(digits) <= set(_ALPHABET):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | _ALPHABET.index(digit)
    return number >> 80
