"""`gateway serve`: where it listens, how it stops, and what it says when it cannot start."""

import json
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import AUTH, configuration, toml


def _address(line: str) -> str:
    event = json.loads(line)
    return f"http://{event['host']}:{event['port']}"


def _status(address: str, path: str) -> int:
    return httpx.get(address + path, headers=AUTH, trust_env=False, timeout=10).status_code


@pytest.mark.parametrize("name", ["notify.sock", "@"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_tells_the_service_manager_that_it_is_ready(start: Any, config: Path, name: str, workers: str) -> None:
    """systemd's READY=1 comes when the port answers, at a socket's path as at an abstract address."""
    address = str(config.parent / name) if name != "@" else f"@vainu-gateway-{config.parent.name}-{workers}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, socket.socket() as probe:
        manager.bind(address.replace("@", "\0", 1) if name == "@" else address)
        manager.settimeout(20)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = ("--port", str(port), "--workers", workers, "--config", str(config))
        running = start("serve", *options, environ={"NOTIFY_SOCKET": address})
        assert manager.recv(100) == b"READY=1"
        assert _status(f"http://127.0.0.1:{port}", "/health/ready") == 200
        assert running.end(signal.SIGTERM)[0] == 0


def test_a_service_manager_that_does_not_listen(start: Any, config: Path) -> None:
    """It is told in the log, and the service runs."""
    running = start("serve", "--port", "0", "--config", str(config), environ={"NOTIFY_SOCKET": "/nowhere/notify"})
    running.line_with("serve.cannot_notify")
    assert running.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_told_to_stop(start: Any, config: Path, number: int) -> None:
    """Ctrl-C and TERM end it in good order: exit 0, no traceback."""
    running = start("serve", "--port", "0", "--config", str(config))
    address = _address(running.line_with("serve.listening"))
    assert _status(address, "/health/live") == 200
    code, rest = running.end(number)
    assert code == 0
    assert "Traceback" not in rest


def test_host_and_port(start: Any, config: Path) -> None:
    """The options go before the file; the file may come from the environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        port = probe.getsockname()[1]
    environ = {"GATEWAY_CONFIG": str(config)}
    running = start("serve", "--host", "127.0.0.2", "--port", str(port), environ=environ)
    address = _address(running.line_with("serve.listening"))
    assert address == f"http://127.0.0.2:{port}"
    assert _status(address, "/vainu/acme/activities/none") == 404


def test_two_workers(start: Any, config: Path) -> None:
    """Two processes share one port and the file's own folder; one signal stops both."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = start("serve", "--port", str(port), "--workers", "2", folder=config.parent)
    for _worker in range(2):
        running.line_with("serve.listening")
    assert _status(f"http://127.0.0.1:{port}", "/health/ready") == 200
    code, rest = running.end(signal.SIGINT)
    assert code == 0
    assert rest.count("serve.draining") == 2
    assert "Traceback" not in rest


@pytest.mark.parametrize("name", ["serve", "simulate"])
def test_a_port_in_use(command: Any, config: Path, name: str) -> None:
    """Exit 1, and which port it was."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = ["--config", str(config)] if name == "serve" else []
        ended = command(name, "--port", str(port), *options)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"gateway: cannot listen on 127.0.0.1:{port}: Address already in use; choose")


@pytest.mark.parametrize("host", ["no such host", "192.0.2.1"])
def test_a_host_that_is_not_here(command: Any, config: Path, host: str) -> None:
    """Exit 1, and what was asked for."""
    ended = command("serve", "--host", host, "--config", str(config))
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"gateway: cannot listen on {host}:8080: ")


@pytest.mark.parametrize(
    ("place", "arguments"),
    [
        ("missing/gateway.db", ["serve", "--port", "0"]),
        ("missing/gateway.db", ["serve", "--port", "0", "--workers", "2"]),
        ("missing/gateway.db", ["feed", "acme", "1"]),
        ("folder", ["serve", "--port", "0"]),
        ("letter.txt", ["serve", "--port", "0"]),
        ("letter.txt", ["feed", "acme", "1"]),
    ],
)
def test_a_store_that_cannot_be_opened(command: Any, tmp_path: Path, place: str, arguments: list[str]) -> None:
    """A missing folder, a folder, a file that is no database: one line with the store's address, exit 1."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "letter.txt").write_text("Dear Jane,\n" * 500)
    url = f"sqlite:///{tmp_path / place}"
    config = tmp_path / "gateway.toml"
    config.write_text(toml(configuration("http://127.0.0.1:1", tmp_path, storage={"url": url})))
    ended = command(*arguments, "--config", str(config))
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"gateway: the store at {url} cannot be opened: ")
    assert "Dear Jane" in (tmp_path / "letter.txt").read_text()


def test_a_database_that_does_not_answer(command: Any, tmp_path: Path) -> None:
    """The address of a database is told without its password."""
    config = tmp_path / "gateway.toml"
    url = "postgresql://user:planted-password@127.0.0.1:1/db"
    config.write_text(toml(configuration("http://127.0.0.1:1", tmp_path, storage={"url": url})))
    ended = command("serve", "--port", "0", "--config", str(config))
    assert ended.returncode == 1
    assert "gateway: the store at postgresql://user:***@127.0.0.1:1/db cannot be opened: " in ended.stderr
    assert "planted-password" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2
