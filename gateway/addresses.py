"""Whose address a request comes from: the peer's, or what trusted proxies say of theirs."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAX_HOPS = 32
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d{1,5})?|([^:]*):\d{1,5}")
"""`[2001:db8::1]`, `[2001:db8::1]:443`, `192.0.2.1:443`: the spellings with a port that proxies write."""


def caller_address(
    peer: str | None, forwarded_for: Iterable[bytes], trusted_proxies: Sequence[Network]
) -> Address | None:
    """The caller's address; None where the peer has none, as on a Unix socket.

    `forwarded_for` are the values of all X-Forwarded-For headers in the order received. They are read from the
    right: each entry was written by the hop after it, and is believed while that hop is in `trusted_proxies`.
    An entry that is no address ends the walk: the hop that wrote it is the answer.
    """
    address = parse_address(peer or "")
    if address is None or not _is_in(address, trusted_proxies):
        return address
    entries = b",".join(forwarded_for).rsplit(b",", _MAX_HOPS)[-_MAX_HOPS:]
    for entry in reversed(entries):
        hop = parse_address(entry.decode("latin-1").strip(" \t"))
        if hop is None:
            break
        address = hop
        if not _is_in(address, trusted_proxies):
            break
    return address


def parse_address(text: str) -> Address | None:
    """An IP address, with or without a port; an IPv4 address in IPv6's clothes is the IPv4 address. Else None."""
    match = _WITH_PORT.fullmatch(text)
    bare = (match[1] or match[2] or "") if match else text
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    # without its zone (fe80::1%eth0), which means something on one host only
    return address.ipv4_mapped or IPv6Address(int(address))


def limit_key(address: Address | None) -> str:
    """What a limit per address counts by: an IPv4 address, or the /64 network of an IPv6 one.

    One subscriber commonly owns a whole /64 (RFC 6177), so single IPv6 addresses would be no limit.
    """
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address)


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)
