"""What an upstream address in the settings must look like (CONTRACT section 3)."""

from ipaddress import ip_address
from urllib.parse import urlsplit

_EXPECTED = "expected an address such as https://api.example.com"


def check_base_url(value: str, *, allow_http: bool) -> str:
    """The address without its trailing slash; ValueError says what is wrong with it.

    `https://`, or `http://` on loopback or with `allow_http = true`; no credentials, query or fragment inside.
    """
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
        host.encode("idna")  # a label that is empty or over 63 would fail at the first call only
    except ValueError:
        raise ValueError(_EXPECTED) from None
    if parts.scheme not in ("http", "https") or not host or not value.isprintable() or " " in value:
        raise ValueError(_EXPECTED)
    if parts.username or parts.password:
        raise ValueError("credentials do not belong into the address; use the settings beside it")
    if parts.query or parts.fragment:
        raise ValueError("expected an address without ? and #")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ValueError("expected https:// (http:// only on loopback, or with allow_http = true beside it)")
    return value.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
