"""Caddy and nginx with our configurations: they take them, they keep secrets out of their logs, nobody is lost."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.installed import free_port
from tests.deploy.proxies import CADDYFILE, caddy, caddy_environ, nginx, nginx_files, program
from tests.harness import AUTH, GatewayProcess, Upstream, configuration, gateway_process, wait_until
from tests.postgres import Cluster

URL_TOKEN = "planted-token-0123456789"
SIGNINS = 5
SERVER = {
    "drain_seconds": 12,
    "drain_notice_seconds": 2,
    "trusted_proxies": ["127.0.0.0/8"],
    "failed_signins_per_minute": SIGNINS,
}
Proxy = Callable[..., AbstractContextManager[str]]


def test_caddy_takes_its_file(tmp_path: Path) -> None:
    """`caddy validate` finds nothing, with the host name that an operator sets; `caddy fmt` would change nothing."""
    environ = caddy_environ(tmp_path, "gateway.example.com", "127.0.0.1:8080")
    command = [program("caddy"), "validate", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    formatted = subprocess.run(
        [program("caddy"), "fmt", str(CADDYFILE)], env=environ, capture_output=True, text=True, check=True
    )
    assert formatted.stdout == CADDYFILE.read_text()


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    """`nginx -t` finds nothing."""
    main = nginx_files(tmp_path, free_port(), free_port(), 8080, 8081)
    command = [program("nginx"), "-t", "-c", str(main), "-p", str(tmp_path), "-e", str(tmp_path / "nginx.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr


def start(process: GatewayProcess, port: int) -> None:
    """On this port, ready."""
    process.start(port=port)


@contextlib.contextmanager
def pair(upstream: Upstream, folder: Path, storage: str, number: int = 2) -> Iterator[list[tuple[GatewayProcess, int]]]:
    """Gateways on one store, each with its port, running."""
    acme = {"auth": {"url_tokens": [URL_TOKEN]}}
    document = configuration(upstream.url, folder, server=SERVER, storage={"url": storage}, connections={"acme": acme})
    with contextlib.ExitStack() as stack:
        made = []
        for each in range(number):
            (folder / str(each)).mkdir()
            made.append((stack.enter_context(gateway_process(document, folder / str(each))), free_port()))
            start(*made[-1])
        yield made


def call(address: str, method: str, path: str, **options: Any) -> httpx.Response:
    options = {"headers": AUTH, "trust_env": False, "verify": False, "timeout": 30, **options}
    return httpx.request(method, address + path, **options)


@pytest.mark.parametrize("proxy", [caddy, nginx])
def test_what_passes_and_what_is_written_down(proxy: Proxy, upstream: Upstream, tmp_path: Path) -> None:
    """The caller's address is the proxy's word; keys and ?token=… are in no log; the gateway says what is too large."""
    storage = f"sqlite:///{tmp_path}/gateway.db"
    with pair(upstream, tmp_path, storage, 1) as gateways, proxy(tmp_path, *[gateways[0][1]] * 2) as address:
        answer = call(address, "GET", f"/vainu/acme/activities/none?token={URL_TOKEN}", headers={})
        assert answer.status_code == 404
        assert answer.json()["type"]
        too_large = call(address, "POST", "/vainu/acme/exports", content=b"x" * 1_200_000)
        assert (too_large.status_code, too_large.headers["content-type"]) == (413, "application/problem+json")
        chunked = call(address, "POST", "/vainu/acme/exports", content=iter([b"x" * 400_000] * 3))
        assert chunked.status_code == 413
        assert call(address, "GET", "/metrics").status_code == 404
        assert call(address, "GET", "/health/ready").json()["status"] == "ready"
        guesses = [
            {"API-Key": f"guess-{AUTH['API-Key']}", "X-Forwarded-For": f"203.0.113.{each}"}
            for each in range(SIGNINS + 1)
        ]
        answers = [call(address, "GET", "/vainu/acme/activities/1", headers=guess) for guess in guesses]
        assert answers[-1].status_code == 429, "all are of one address, whatever they claim"
    written = "".join(
        path.read_text(errors="replace")
        for path in tmp_path.glob("*")
        if path.is_file() and path.suffix in (".log", ".out")
    )
    assert "/vainu/acme/activities/none" in written
    assert URL_TOKEN not in written
    assert AUTH["API-Key"] not in written


@dataclass
class Traffic:
    """Exports, feeds and webhooks through a proxy, one after the other, on a thread."""

    address: str
    answers: list[tuple[str, int, float]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _numbers: Any = field(default_factory=lambda: count(1))

    def run(self) -> None:
        with httpx.Client(base_url=self.address, headers=AUTH, trust_env=False, verify=False, timeout=30) as http:  # noqa: S501 - a certificate of this test
            while not self._stop.is_set():
                number = next(self._numbers)
                company = {"company_name": f"Liikenne {number} Oy", "country": "FI"}
                self._note("export", lambda body=company: http.post("/vainu/acme/exports", json=body))
                self._note("feed", lambda: http.get("/vainu/acme/activities/C1"))
                change = {"unique_id": f"gone-{number}", "type": "company_change_webhook", "data": {}}
                self._note("webhook", lambda body=change: http.post("/vainu/acme/webhooks", json=body))

    def _note(self, kind: str, send: Callable[[], httpx.Response]) -> None:
        started = time.monotonic()
        try:
            code = send().status_code
        except httpx.TransportError:
            code = 0
        self.answers.append((kind, code, time.monotonic() - started))

    @contextlib.contextmanager
    def flowing(self) -> Iterator[None]:
        """While this is entered."""
        threads = [threading.Thread(target=self.run) for _each in range(3)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()

    def refused(self) -> list[tuple[str, int, float]]:
        """What did not get the answer of a gateway that works."""
        return [each for each in self.answers if each[1] not in (200, 201, 202, 404)]

    def count(self) -> int:
        """How many answers there were so far."""
        return len(self.answers)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("proxy", [caddy, nginx])
def test_two_gateways_are_renewed_without_a_refusal(
    proxy: Proxy, upstream: Upstream, tmp_path: Path, cluster: Cluster
) -> None:
    """On PostgreSQL, one after the other is stopped and started under load: nobody gets an error, all work is done."""
    storage = cluster.create_database(f"renewed_{proxy.__name__}")
    with pair(upstream, tmp_path, storage) as gateways, proxy(tmp_path, *(port for _each, port in gateways)) as address:
        traffic = Traffic(address)
        with traffic.flowing():
            wait_until(lambda: traffic.count() > 20, "the load flows")
            for process, port in gateways:
                assert process.stop() == 0
                start(process, port)
                before = traffic.count()
                wait_until(lambda before=before: traffic.count() > before + 20, "the load goes on")
        assert traffic.refused() == []
        assert traffic.count() > 60


@pytest.mark.timeout(120)
def test_one_gateway_is_renewed_while_caddy_waits(upstream: Upstream, tmp_path: Path) -> None:
    """On SQLite with Caddy a restart costs webhooks nothing but time; exports and feeds may get 503. It is printed."""
    storage = f"sqlite:///{tmp_path}/gateway.db"
    with pair(upstream, tmp_path, storage, 1) as gateways, caddy(tmp_path, gateways[0][1]) as address:
        ((process, port),) = gateways
        traffic = Traffic(address)
        with traffic.flowing():
            wait_until(lambda: traffic.count() > 20, "the load flows")
            started = time.monotonic()
            assert process.stop() == 0
            stopped = time.monotonic()
            start(process, port)
            ready = time.monotonic()
            before = traffic.count()
            wait_until(lambda: traffic.count() > before + 20, "the load goes on")
        longest = max(traffic.answers, key=lambda each: each[2])
        print(f"stopped in {stopped - started:.1f} s, ready {ready - stopped:.1f} s later; slowest {longest}")
        print(f"refused {traffic.refused()} of {traffic.count()}")
        assert {(kind, code) for kind, code, _seconds in traffic.refused()} <= {("export", 503), ("feed", 503)}
        assert call(address, "GET", "/health/ready").status_code == 200
