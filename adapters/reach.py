"""Where a call may go: not to private or link-local addresses, unless the configured address itself says so.

A name that leads inside, by mistake or because its owner wants it to, would make the gateway a door into the network it
stands in (server-side request forgery). So the addresses that a name has are looked at when a connection is made, and
exactly these are connected to: a name cannot change its mind between the look and the connection.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from adapters.addresses import is_loopback
from adapters.upstream import UpstreamSettings

_NAT64 = IPv6Network("64:ff9b::/96")


class Refusing(Protocol):
    """Tells why an address may not be called; None if it may."""

    def __call__(self, address: str) -> str | None:
        """The reason, for a person."""
        ...


def refusal_of(base_url: str, upstream: UpstreamSettings) -> Refusing | None:
    """What must not be called for this configured address; None where it names its own place in the network.

    That does an IP address, `localhost`, and plain http, which the configuration permits for one's own network only.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if parts.scheme == "http" or is_loopback(host) or _address(host) is not None:
        return None
    return link_local if upstream.allow_private else not_public


def not_public(address: str) -> str | None:
    """Why this is no public address; None if it is one."""
    reason = link_local(address)
    if reason is None and not _is_public(address):
        return f"{address} is a private address: set allow_private = true beside the address if that is meant"
    return reason


def link_local(address: str) -> str | None:
    """Why this is no address to call even inside: a cloud's metadata, this network's own, nobody's; or None."""
    found = _address(address)
    if found is None or found.is_link_local or found.is_multicast or found.is_unspecified:
        return f"{address} is a link-local address or nobody's, which is never called by a name"
    return None


def _is_public(address: str) -> bool:
    found = _address(address)
    return found is not None and found.is_global


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, out of the clothes of IPv6 that one of IPv4 may wear; None if it is none."""
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv4Address):
        return found
    if found in _NAT64:
        return IPv4Address(int(found) & 0xFFFF_FFFF)
    return found.ipv4_mapped or found.sixtofour or found


class GuardedResolver(AbstractResolver):
    """Resolves names to addresses that may be called; OSError where a name has no other."""

    def __init__(self, refuses: Refusing, inner: AbstractResolver | None = None) -> None:
        self._refuses = refuses
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a name, without those that are refused."""
        found = await self._inner.resolve(host, port, family)
        reasons = [self._refuses(each["host"]) for each in found]
        allowed = [each for each, reason in zip(found, reasons, strict=True) if reason is None]
        if not allowed:
            raise OSError(None, next((reason for reason in reasons if reason), f"{host} has no address"))
        return allowed

    async def close(self) -> None:
        """Let go of what resolves."""
        await self._inner.close()
