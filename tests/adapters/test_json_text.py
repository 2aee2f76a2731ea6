"""JSON of remote systems: read by the quicker reader, with the same outcome as by the standard library's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.json_text import decoded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


def of_standard_library(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return ValueError


def of_ours(text: bytes) -> Any:
    try:
        return decoded(text)
    except ValueError:
        return ValueError


@given(value=JSON, is_escaped=st.booleans())
def test_every_value_comes_back_as_the_standard_library_reads_it(value: Any, is_escaped: bool) -> None:
    """NaN and infinities among them, and floats to the last bit."""
    text = json.dumps(value, ensure_ascii=is_escaped).encode("utf-8", "surrogatepass")
    assert repr(of_ours(text)) == repr(of_standard_library(text))


@given(text=st.binary(max_size=40) | st.text('[]{}":,.0123456789eE+-ntfalsru\\ \n', max_size=30).map(str.encode))
def test_what_is_no_json_is_none(text: bytes) -> None:
    """Whatever the bytes, both readers take the same ones for JSON, and for the same."""
    assert repr(of_ours(text)) == repr(of_standard_library(text))


@pytest.mark.parametrize(
    "text",
    [
        b'"\\ud800"',
        b'"\\ud83d\\ude00"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf[1]",
        "[1]".encode("utf-16"),
        b"[1e400, -1e400, 1e-400, -0, -0.0]",
        b"[18446744073709551616, -9223372036854775809, 0.1, 5e-324]",
        b'{"a": 1, "a": 2}',
        b"9" * 4_301,
        b"[" * 100_000,
        b'"\x01"',
        b"[1]\x00",
        b"",
    ],
)
def test_odd_texts(text: bytes) -> None:
    """Halves of surrogate pairs, other encodings, numbers beyond a float, names twice, and what neither reads."""
    assert repr(of_ours(text)) == repr(of_standard_library(text))
