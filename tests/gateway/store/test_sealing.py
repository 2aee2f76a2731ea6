"""Sealed values: opened by the right key at their own place only, whatever is done to them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gateway.store import CannotOpen, Seal

KEY, OTHER = SecretStr("11" * 32), SecretStr("22" * 32)
PASSPHRASE = SecretStr("a long enough passphrase")
BOUNDED = settings(max_examples=100, deadline=None, derandomize=True, database=None)
SEAL = Seal(KEY)


@BOUNDED
@given(value=st.binary(), place=st.binary())
def test_bytes_come_back(value: bytes, place: bytes) -> None:
    """What is sealed is opened as it was; twice the same is sealed twice differently."""
    stored = SEAL.shut(value, place)
    assert Seal(KEY).open(stored, place) == value
    assert stored != SEAL.shut(value, place)
    assert SEAL.is_current(stored)


@BOUNDED
@given(value=st.text(st.characters()), place=st.binary())
def test_texts_come_back(value: str, place: bytes) -> None:
    """A text, of any characters, comes back; its sealed form is plain ASCII without NUL, which both stores keep."""
    stored = SEAL.shut_text(value, place)
    assert SEAL.open_text(stored, place) == value
    assert stored.isascii()
    assert "\0" not in stored
    assert SEAL.is_current(stored)


@BOUNDED
@given(value=st.binary(max_size=50), at=st.integers(3, 200), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(value: bytes, at: int, bit: int) -> None:
    """A value that was touched anywhere behind its mark is refused, not opened as something else."""
    stored = bytearray(SEAL.shut(value, b"here"))
    stored[3 + at % (len(stored) - 3)] ^= 1 << bit
    with pytest.raises(CannotOpen):
        SEAL.open(bytes(stored), b"here")


@BOUNDED
@given(rest=st.binary(max_size=60))
def test_what_only_looks_sealed_is_refused(rest: bytes) -> None:
    """Bytes behind the mark that nobody has sealed are an error of one kind; so is a text."""
    for key_id in (b"", bytes.fromhex(SEAL.key_id or "")):
        with pytest.raises(CannotOpen):
            SEAL.open(b"\x01g1" + key_id + rest, b"")
    with pytest.raises(CannotOpen):
        SEAL.open_text("\x01g1:" + rest.decode("latin-1"), b"")


def test_another_row_s_value_is_refused() -> None:
    """A value does not open at another place than its own."""
    with pytest.raises(CannotOpen, match="moved"):
        SEAL.open(SEAL.shut(b"hers", b"row 1"), b"row 2")


def test_an_unknown_key_is_named() -> None:
    """Without its key a value is refused with the key's id, and what to do; the id tells nothing of the key."""
    for without in (Seal(OTHER), Seal()):
        with pytest.raises(CannotOpen, match=rf"{SEAL.key_id}.*storage\.previous_encryption_keys"):
            without.open(SEAL.shut(b"hers", b""), b"")
    assert SEAL.key_id
    assert SEAL.key_id not in KEY.get_secret_value()


def test_previous_keys_open_and_do_not_seal() -> None:
    """After a rotation the new key seals, and both open."""
    rotated = Seal(OTHER, [KEY])
    old = SEAL.shut(b"old", b"")
    assert rotated.open(old, b"") == b"old"
    assert not rotated.is_current(old)
    assert Seal(OTHER).open(rotated.shut(b"new", b""), b"") == b"new"


def test_without_a_key_values_stay_as_they_are() -> None:
    """No key: what is written is clear; and clear values are read whatever key there is."""
    assert Seal().shut(b"{}", b"") == b"{}"
    assert Seal().shut_text("plain", b"") == "plain"
    assert SEAL.open(b"{}", b"") == b"{}"
    assert SEAL.open_text("plain", b"") == "plain"
    assert Seal().is_current(b"{}")
    assert not SEAL.is_current("plain")


def test_a_passphrase_is_a_key() -> None:
    """What is not 64 hex digits is stretched; the same passphrase is the same key, in upper or lower case it is not."""
    stored = Seal(PASSPHRASE).shut(b"hers", b"")
    assert Seal(SecretStr(PASSPHRASE.get_secret_value())).open(stored, b"") == b"hers"
    assert Seal(PASSPHRASE).key_id != Seal(SecretStr("A long enough passphrase")).key_id
    assert Seal(SecretStr("AB" * 32)).key_id == Seal(SecretStr("ab" * 32)).key_id
