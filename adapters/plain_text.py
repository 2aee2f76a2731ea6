"""A CRM's text as the feed shows it: HTML becomes text, control characters go (CONTRACT section 6)."""

import re
from html import unescape
from html.parser import HTMLParser

MAX_CHARACTERS = 10_000
_EMAIL = re.compile(r"[^@\s<>(),;:\"]{1,64}@[^@\s<>(),;:\"]{1,250}\.[^@\s<>(),;:\".]{2,}")
_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|<!--|&(?:#\d+|#[xX][0-9a-fA-F]+|[a-zA-Z][a-zA-Z0-9]*);")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPACES = re.compile(r"[ \t\u00a0]+")
_BLANK_LINES = re.compile(r" ?\n(?: ?\n)+ ?")
_NUMBER = (int, float)
_INVISIBLE = frozenset({"script", "style", "head", "title", "template", "noscript"})
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "br",
        "li",
        "ul",
        "ol",
        "tr",
        "table",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "hr",
        "section",
        "article",
        "header",
        "footer",
    ]
)


class _TextOfHtml(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        if tag in _INVISIBLE:
            self._hidden += 1
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _INVISIBLE:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _without_markup(text: str) -> str:
    parser = _TextOfHtml()
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError):
        # html.parser gives up on some malformed declarations; the words still count
        return unescape(re.sub(r"<[^>]*>", " ", text))
    return "".join(parser.parts)


def _is_plain_line(text: str) -> bool:
    """Whether this is one line without anything that the patterns would find; to look is half of a feed's time."""
    return text.isprintable() and "<" not in text and "&" not in text and "  " not in text


def _is_plain(text: str) -> bool:
    """As `_is_plain_line`, of one line or several: most texts are."""
    if _is_plain_line(text):
        return True
    return "\n" in text and "\n\n" not in text and "\n \n" not in text and _is_plain_line(text.replace("\n", ""))


def plain_text(value: object, limit: int = MAX_CHARACTERS) -> str:
    """`value` as text for a person: no markup, no control characters, at most `limit` characters.

    None gives ""; a number gives its digits; anything that is no text or number gives "". Never raises.
    """
    if not isinstance(value, str):
        return str(value) if isinstance(value, _NUMBER) and not isinstance(value, bool) else ""
    if len(value) <= limit and _is_plain(value):
        return value.strip()
    text = value[: limit * 10].replace("\r\n", "\n").replace("\r", "\n")
    if _MARKUP.search(text):
        text = _without_markup(text)
    text = _CONTROL.sub("", text)
    text = _BLANK_LINES.sub("\n", _SPACES.sub(" ", text))
    return text.strip()[:limit].rstrip()


def email_address(value: object) -> str | None:
    """`value` if it looks like one e-mail address and nothing else: where CRMs also write names. Else None."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= 254 and _EMAIL.fullmatch(text) else None


def one_line(value: object, limit: int = 200) -> str:
    """As `plain_text`, on one line: for headers, places, e-mail addresses."""
    if not value and value != 0:
        return ""
    if isinstance(value, str) and len(value) <= limit and _is_plain_line(value):
        # the only white space that is printable is the space
        return value.strip()
    return " ".join(plain_text(value, limit).split())
