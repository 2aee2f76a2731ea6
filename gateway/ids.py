"""Ids that sort by time and cannot be guessed: 48 bits of milliseconds, 80 random bits, in Crockford's base 32."""

from os import urandom

ID_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32, lower case."""
_LENGTH = 26
_PAIRS = [high + low for high in ID_DIGITS for low in ID_DIGITS]


def new_id(prefix: str, now_ms: int) -> str:
    """`prefix_` and 26 characters of `[0-9a-z]`, safe in any URL (the ULID layout, lower case)."""
    number = (now_ms & (1 << 48) - 1) << 80 | int.from_bytes(urandom(10))
    # the first half and the second: shifting small numbers is cheaper than shifting one of 128 bits
    high, low = number >> 60, number & (1 << 60) - 1
    return (
        f"{prefix}_{_PAIRS[high >> 60]}{_PAIRS[high >> 50 & 1023]}{_PAIRS[high >> 40 & 1023]}"
        f"{_PAIRS[high >> 30 & 1023]}{_PAIRS[high >> 20 & 1023]}{_PAIRS[high >> 10 & 1023]}{_PAIRS[high & 1023]}"
        f"{_PAIRS[low >> 50]}{_PAIRS[low >> 40 & 1023]}{_PAIRS[low >> 30 & 1023]}"
        f"{_PAIRS[low >> 20 & 1023]}{_PAIRS[low >> 10 & 1023]}{_PAIRS[low & 1023]}"
    )


def made_at(any_id: str) -> int | None:
    """The time inside an id, Unix milliseconds; None if it is not one of ours."""
    _prefix, _, digits = any_id.partition("_")
    if len(digits) != _LENGTH or not set(digits) <= set(ID_DIGITS):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | ID_DIGITS.index(digit)
    return number >> 80
