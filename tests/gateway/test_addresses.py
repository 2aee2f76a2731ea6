"""Whose address a request comes from."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.addresses import caller_address, limit_key, parse_address

PROXIES: list[IPv4Network | IPv6Network] = [ip_network("198.51.100.0/24"), ip_network("2001:db8:1::/48")]
NEAR, FAR = "198.51.100.1", "198.51.100.2"


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", [b"203.0.113.9"], "192.0.2.1"),
        (NEAR, [], NEAR),
        (NEAR, [b"203.0.113.9"], "203.0.113.9"),
        (NEAR, [b"203.0.113.9, 203.0.113.10"], "203.0.113.10"),
        (NEAR, [b"203.0.113.9, 198.51.100.2"], "203.0.113.9"),
        (NEAR, [b"10.9.9.9, 203.0.113.9", b"198.51.100.2"], "203.0.113.9"),
        (NEAR, [b"198.51.100.7, 198.51.100.2"], "198.51.100.7"),
        (NEAR, [b"203.0.113.9:51000"], "203.0.113.9"),
        (NEAR, [b"[2001:db8:9::1]:443"], "2001:db8:9::1"),
        (NEAR, [b"[2001:db8:9::1]"], "2001:db8:9::1"),
        (NEAR, [b"2001:db8:9::1"], "2001:db8:9::1"),
        (NEAR, [b"::ffff:203.0.113.9"], "203.0.113.9"),
        ("::ffff:198.51.100.1", [b"203.0.113.9"], "203.0.113.9"),
        ("2001:db8:1::5", [b"203.0.113.9"], "203.0.113.9"),
        (NEAR, [b""], NEAR),
        (NEAR, [b","], NEAR),
        (NEAR, [b"203.0.113.9,"], NEAR),
        (NEAR, [b"unknown"], NEAR),
        (NEAR, [b"203.0.113.9, _hidden, 198.51.100.2"], FAR),
        (NEAR, [b"203.0.113.9, \xff\x00, 198.51.100.2"], FAR),
        (NEAR, [b"203.0.113.9.4"], NEAR),
        (NEAR, [b"0203.0.113.9"], NEAR),
        (NEAR, [b"203.0.113.9%eth0"], NEAR),
        (NEAR, [b"203.0.113.9:http"], NEAR),
        ("fe80::1%eth0", [b"203.0.113.9"], "fe80::1"),
        (None, [b"203.0.113.9"], None),
        ("", [b"203.0.113.9"], None),
        ("testclient", [b"203.0.113.9"], None),
    ],
)
def test_the_walk_stops_at_the_first_hop_that_is_not_trusted(
    peer: str | None, forwarded: list[bytes], expected: str | None
) -> None:
    """From the right, entry by entry; what an outsider writes to the left of it is never believed."""
    address = caller_address(peer, forwarded, PROXIES)
    assert address == (ip_address(expected) if expected else None)


def test_without_trusted_proxies_the_peer_is_the_caller() -> None:
    """The default believes no header."""
    assert caller_address(NEAR, [b"203.0.113.9"], []) == ip_address(NEAR)


def test_an_endless_header_is_not_walked_to_its_end() -> None:
    """A few dozen hops are read, whatever comes before them."""
    assert caller_address(NEAR, [b"203.0.113.9" + b",198.51.100.2" * 5_000], PROXIES) == ip_address(FAR)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("no address", "unknown"),
    ],
)
def test_limits_count_ipv6_by_network(address: str, expected: str) -> None:
    """One subscriber owns 2^64 addresses: they count as one."""
    assert expected == limit_key(parse_address(address))


@given(st.text(max_size=30) | st.none(), st.lists(st.binary(max_size=40), max_size=4))
def test_hostile_addresses_raise_nothing(peer: str | None, forwarded: list[bytes]) -> None:
    """Whatever the header holds, there is an answer."""
    everything = [ip_network("0.0.0.0/0"), ip_network("::/0")]
    limit_key(caller_address(peer, forwarded, everything))
    limit_key(caller_address(NEAR, forwarded, everything))
