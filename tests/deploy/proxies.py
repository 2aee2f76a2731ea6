"""The proxies of Debian's packages, with the configurations of deploy/, before gateways on this machine."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deploy.installed import DEPLOY, free_port
from tests.harness import wait_until

CADDYFILE = DEPLOY / "caddy" / "Caddyfile"
NGINX = DEPLOY / "nginx" / "gateway.conf"


def program(name: str) -> str:
    """Where a proxy is; without it the test is skipped, but not in a CI, which installs it."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    missing = f"{name} is not installed; Debian's package is {name}"
    assert found or not os.environ.get("CI"), f"{missing}: see .ci/run"
    return found or pytest.skip(missing)


def caddy_environ(folder: Path, site: str, upstreams: str) -> dict[str, str]:
    """Caddy's own variables, and those that the Caddyfiles read."""
    own = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "CADDY_ADMIN": "off"}
    return {**own, "GATEWAY_SITE": site, "GATEWAY_UPSTREAMS": upstreams}


@contextlib.contextmanager
def caddy(folder: Path, *ports: int) -> Iterator[str]:
    """Caddy before gateways on these ports; its address. Without TLS: the site's address says http."""
    address = f"http://127.0.0.1:{free_port()}"
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    environ = caddy_environ(folder, address, " ".join(f"127.0.0.1:{port}" for port in ports))
    with _started(command, environ, folder / "caddy.log", address):
        yield address


def nginx_files(folder: Path, tls: int, plain: int, *ports: int) -> Path:
    """gateway.conf with its places moved into `folder` and its ports to free ones; a main file that includes it."""
    text = NGINX.read_text()
    for line in ("    listen [::]:80;\n", "    listen [::]:443 ssl http2;\n"):
        assert line in text
        text = text.replace(line, "")
    moves = {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl": f"listen 127.0.0.1:{tls} ssl",
        "/etc/ssl/gateway/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
        "127.0.0.1:8080 ": f"127.0.0.1:{ports[0]} ",
        "127.0.0.1:8081 ": f"127.0.0.1:{ports[1]} ",
    }
    for before, after in moves.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "gateway.conf").write_text(text)
    _certificate(folder)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"{_same_user()} daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;"
        f"events {{}} http {{ {temporary} include {folder}/gateway.conf; }}"
    )
    return main


def _same_user() -> str:
    # root's nginx would have its workers run as another user, who may not write into the tests' folders
    return "user root root;" if os.geteuid() == 0 else ""


def _certificate(folder: Path) -> None:
    options = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=gateway.example.com"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([program("openssl"), *options, *files], check=True, capture_output=True)


@contextlib.contextmanager
def nginx(folder: Path, *ports: int) -> Iterator[str]:
    """nginx before gateways on these ports; its https address, whose certificate nobody has signed."""
    tls = free_port()
    main = nginx_files(folder, tls, free_port(), *ports)
    address = f"https://127.0.0.1:{tls}"
    command = [program("nginx"), "-c", str(main), "-p", str(folder), "-e", str(folder / "nginx.log")]
    with _started(command, {}, folder / "nginx.out", address):
        yield address


@contextlib.contextmanager
def _started(command: list[str], environ: dict[str, str], log: Path, address: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()[-2000:]
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{address}/metrics", trust_env=False, verify=False, timeout=2)  # noqa: S501 - made up a moment ago
            return True
        return False

    try:
        wait_until(answers, "the proxy answers")
        yield
    finally:
        process.terminate()
        process.wait(20)
