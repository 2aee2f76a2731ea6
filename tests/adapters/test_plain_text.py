"""Texts of CRMs: those that hold nothing to take out go a quicker way, to the same end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.plain_text import one_line, plain_text

CONTROL = "\x01"
"""Sends a text the long way, and is taken out there."""


TEXTS = st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" \t\n\r\u00a0\u2028<>&;/pbr#xA1")), max_size=60)


@given(TEXTS | st.text("a \n", max_size=12))
def test_both_ways_give_the_same(text: str) -> None:
    """Whatever the text, whether or not the patterns are asked to look through it."""
    assert plain_text(text) == plain_text(text + CONTROL)


@given(TEXTS | st.text("a \n", max_size=12), st.integers(1, 70))
def test_one_line_is_the_same_text_on_one_line(text: str, limit: int) -> None:
    """Whatever the text and the limit."""
    assert one_line(text, limit) == " ".join(plain_text(text, limit).split())


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Spoke about the offer. ", 10_000, "Spoke about the offer."),
        ("a  b", 10_000, "a b"),
        ("a\u00a0b", 10_000, "a b"),
        ("Fish &amp; chips", 10_000, "Fish & chips"),
        ("1 < 2 & 3", 10_000, "1 < 2 & 3"),
        ("<b>bold</b>", 10_000, "bold"),
        ("a\n\n\nb", 10_000, "a\nb"),
        ("a\n \nb", 10_000, "a\nb"),
        (" a\nb\nc\n", 10_000, "a\nb\nc"),
        ("Äiti ja isä, 猫", 10_000, "Äiti ja isä, 猫"),
        ("abc def", 4, "abc"),
    ],
)
def test_texts_and_what_is_shown_of_them(text: str, limit: int, expected: str) -> None:
    """Spaces and blank lines are one, markup is text, the cut leaves no space at the end."""
    assert plain_text(text, limit) == expected
