"""Whether a POST comes from a page of ours: what browsers tell of where a request was made."""

from collections.abc import Mapping
from urllib.parse import urlsplit


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, as the header `Origin` writes them (RFC 6454 section 6.2)."""
    parts = urlsplit(address)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def is_ours(headers: Mapping[str, str], public_url: str | None) -> bool:
    """Whether `Origin` and `Sec-Fetch-Site` allow that one of our own pages made the request.

    `Origin` is the public address's, or has the host that the request was sent to. A browser sends it with every POST
    (Fetch, section 3.2); where both are missing it was no browser, whose cookies nobody else can use, and the form's
    token decides alone. `Origin: null` is never ours.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    if public_url is not None and origin == origin_of(public_url):
        return True
    scheme, found, host = origin.partition("://")
    return bool(found) and scheme in ("http", "https") and host == headers.get("host")
