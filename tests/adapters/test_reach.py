"""Where calls may go: TLS as the settings ask for it, no redirect, no proxy, no private address behind a name."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import ValidationError

from adapters.contract import RemoteError, Unreachable
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from adapters.reach import GuardedResolver, link_local, not_public, refusal_of
from adapters.upstream import PUBLIC, TlsSettings, UpstreamSettings
from tests.adapters.certificates import Authority

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers every request alike, over TLS or not, and keeps what it was sent."""

    def __init__(self, context: ssl.SSLContext | None = None, answer: bytes = ANSWER) -> None:
        self._context = context
        self._answer = answer
        self.requests: list[bytes] = []
        self.peers: list[Any] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                stack.callback(plain.close)
                plain.settimeout(5)
                wired = self._context.wrap_socket(plain, server_side=True) if self._context else plain
                stack.callback(wired.close)
                self.peers.append(wired.getpeercert() if isinstance(wired, ssl.SSLSocket) else None)
                self.requests.append(wired.recv(65_536))
                wired.sendall(self._answer)

    def close(self) -> None:
        """Listen no more."""
        # accept() in the thread is woken by this, not by a close
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "firm")


def tls_server(servers: list[Server], authority: Authority, **options: Any) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certificate("localhost"))
    for name, value in options.items():
        setattr(context, name, value)
    if context.verify_mode != ssl.CERT_NONE:
        context.load_verify_locations(authority.file)
    servers.append(Server(context))
    return servers[-1]


def call(url: str, upstream: UpstreamSettings = PUBLIC, seconds: float = 5) -> None:
    """One call, which succeeds or raises a `RemoteError`."""

    async def run() -> None:
        client = RemoteClient("remote", url, upstream=upstream, secrets=["s3cret"], headers={"X-Key": "s3cret"})
        try:
            await client.call("GET", "path", action="look", deadline=Deadline.after(seconds), safe=False)
        finally:
            await client.aclose()

    asyncio.run(run())


def trusting(authority: Authority, **more: Any) -> UpstreamSettings:
    return UpstreamSettings(tls=TlsSettings(ca_file=str(authority.file), **more))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_firms_own_authority_is_believed_where_it_is_set(
    servers: list[Server], authority: Authority, host: str
) -> None:
    """With ca_file a server of the firm's own authority is called; without it nothing is sent to it."""
    server = tls_server(servers, authority)
    with pytest.raises(Unreachable, match=r"certificate"):
        call(f"https://{host}:{server.port}")
    call(f"https://{host}:{server.port}", trusting(authority))
    assert b"s3cret" not in b"".join(server.requests[:-1])
    assert server.requests[-1].startswith(b"GET /path HTTP/1.1")


def test_another_authoritys_certificate_is_refused(servers: list[Server], authority: Authority, tmp_path: Path) -> None:
    """ca_file stands instead of every other authority."""
    server = tls_server(servers, Authority(tmp_path, "stranger"))
    with pytest.raises(Unreachable, match=r"certificate"):
        call(f"https://localhost:{server.port}", trusting(authority))
    assert b"".join(server.requests) == b""


def test_a_certificate_for_another_name_is_refused(servers: list[Server], authority: Authority) -> None:
    """The certificate must be for the address that is called."""
    server = tls_server(servers, authority)
    upstream = trusting(authority).model_copy(update={"allow_private": True})
    with pytest.raises(Unreachable, match=r"certificate|mismatch"):
        # the C library reads it as 127.0.0.1, the certificate does not
        call(f"https://0x7f000001:{server.port}", upstream)


@pytest.mark.parametrize(
    ("offered", "least", "works"), [("TLSv1_2", "1.2", True), ("TLSv1_2", "1.3", False), ("TLSv1_3", "1.3", True)]
)
def test_the_least_version(servers: list[Server], authority: Authority, offered: str, least: str, works: bool) -> None:
    """A server that offers an older version than minimum_version is not called."""
    server = tls_server(servers, authority, maximum_version=ssl.TLSVersion[offered])
    with contextlib.nullcontext() if works else pytest.raises(Unreachable, match=r"(?i)version|alert"):
        call(f"https://localhost:{server.port}", trusting(authority, minimum_version=least))


def test_a_client_certificate(servers: list[Server], authority: Authority) -> None:
    """A server that asks for a certificate gets ours, where one is set; else the call fails with a plain error."""
    server = tls_server(servers, authority, verify_mode=ssl.CERT_REQUIRED)
    certificate, key = authority.certificate("gateway.example.com")
    call(
        f"https://localhost:{server.port}",
        trusting(authority, certificate_file=certificate, key_file=key),
    )
    assert server.peers[-1]["subject"] == ((("commonName", "gateway.example.com"),),)
    with pytest.raises(RemoteError):
        call(f"https://localhost:{server.port}", trusting(authority))


@pytest.mark.parametrize(
    "settings",
    [
        {"ca_file": "/nowhere/ca.pem"},
        {"ca_file": "{config}"},
        {"certificate_file": "{config}"},
        {"certificate_file": "{certificate}", "key_file": "{other}"},
        {"certificate_file": "{certificate}", "key_file": "{locked}"},
        {"key_file": "{config}"},
        {"minimum_version": "1.1"},
    ],
)
def test_tls_settings_that_cannot_be_used(authority: Authority, tmp_path: Path, settings: dict[str, str]) -> None:
    """Files that are missing, broken, mismatched or locked are faults of the configuration, told without a prompt."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    (tmp_path / "config").write_text("not PEM")
    (tmp_path / "locked").write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"a password"),
        )
    )
    files = {
        "config": tmp_path / "config",
        "locked": tmp_path / "locked",
        "certificate": authority.certificate("a")[0],
        "other": authority.certificate("b")[1],
    }
    with pytest.raises(ValidationError, match=r"ca_file|certificate|key|1.2"):
        TlsSettings.model_validate({name: value.format(**files) for name, value in settings.items()})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(servers: list[Server], status: int) -> None:
    """A redirect is an error of the remote: neither the call nor its credentials go anywhere else."""
    servers.append(Server())
    to = f"Location: http://127.0.0.1:{servers[0].port}/elsewhere"
    servers.append(Server(answer=f"HTTP/1.1 {status} Moved\r\n{to}\r\nContent-Length: 0\r\n\r\n".encode()))
    with pytest.raises(RemoteError):
        call(f"http://127.0.0.1:{servers[1].port}")
    assert servers[0].requests == []


def test_proxies_of_the_environment_are_not_used(servers: list[Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls with credentials go to the configured address, whatever HTTP_PROXY says; nor is .netrc read."""
    servers += [Server(), Server()]
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{servers[1].port}")
    call(f"http://127.0.0.1:{servers[0].port}")
    assert [len(server.requests) for server in servers] == [1, 0]


def test_cookies_do_not_come_back(servers: list[Server]) -> None:
    """What a remote system sets is not kept between calls."""
    servers.append(Server(answer=ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\nSet-Cookie: a=b\r\n\r\n")))

    async def twice() -> None:
        client = RemoteClient("remote", f"http://localhost:{servers[0].port}")
        for _ in range(2):
            await client.call("GET", "path", action="look", deadline=Deadline.after(5), safe=False)
        await client.aclose()

    asyncio.run(twice())
    assert not [request for request in servers[0].requests if b"Cookie" in request]


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "127.1.2.3", "100.64.0.1", "0.0.0.1"),
        *("169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0x7f.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%lo", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "64:ff9b::a9fe:a9fe"),
        *("nonsense", ""),
    ],
)
def test_addresses_that_no_public_name_should_have(address: str) -> None:
    """Private, loopback, link-local, reserved and nobody's addresses are refused, in every spelling of IPv6 too."""
    assert not_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    """Anything else may be called."""
    assert not_public(address) is None


def test_a_clouds_metadata_is_never_reached_by_a_name() -> None:
    """allow_private opens private addresses, not the link-local ones where clouds keep their credentials."""
    assert link_local("10.0.0.1") is None
    assert link_local("169.254.169.254")
    assert link_local("::ffff:169.254.169.254")


@pytest.mark.parametrize(
    ("url", "guarded"),
    [
        ("https://crm.example.com", True),
        ("https://127.1", True),
        ("https://0x7f000001", True),
        ("https://localhost.", True),
        ("https://localhost", False),
        ("https://10.0.0.5:8443/api", False),
        ("https://[fd00::5]", False),
        ("http://crm.internal", False),
    ],
)
def test_what_an_address_says_of_itself(url: str, guarded: bool) -> None:
    """An IP address, localhost, and plain http, which must be allowed first, name one's own network; names do not."""
    assert (refusal_of(url, PUBLIC) is not None) is guarded


def test_a_name_that_leads_inside_is_not_called(servers: list[Server], authority: Authority) -> None:
    """A name with a private address gets no connection, and the error says what to set; then it does."""
    server = tls_server(servers, authority)
    # the C library resolves it as it would a name
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 is a private address: set allow_private"):
        call(f"https://0x7f000001:{server.port}", trusting(authority))
    assert server.peers == []


class Names(AbstractResolver):
    """A name server that gives one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = iter(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The next answer."""
        del family
        found = next(self._answers)
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in found
        ]

    async def close(self) -> None:
        """Nothing to let go of."""


def test_rebinding_gets_nowhere() -> None:
    """A name is judged by the very addresses that are connected to, each time it is resolved; mixed ones are sorted."""
    guarded = GuardedResolver(not_public, Names(["8.8.8.8"], ["8.8.8.8", "10.0.0.1"], ["10.0.0.1"], []))

    async def resolve() -> list[str]:
        return [each["host"] for each in await guarded.resolve("crm.example.com", 443)]

    assert asyncio.run(resolve()) == ["8.8.8.8"]
    assert asyncio.run(resolve()) == ["8.8.8.8"]
    for _ in range(2):
        with pytest.raises(OSError, match=r"10\.0\.0\.1|no address"):
            asyncio.run(resolve())
