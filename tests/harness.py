"""Starts real parts for the tests: the simulators over HTTP, and gateways in a thread or as processes of their own."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy
from starlette.types import ASGIApp

from adapters.apptivo.simulated_firm import DEMO_ACCESS_KEY, DEMO_API_KEY
from adapters.crmcom import simulator as crmcom
from adapters.serving import PromptServer, serving
from adapters.vainu.simulator import FAKE_API_KEY
from gateway.clock import Clock, now_ms
from gateway.serve import uvicorn_config
from gateway.service import Service
from gateway.settings import read
from gateway.simulators import simulators
from gateway.store.migrate import upgrade

KEY = "vainu-key-for-tests-0123456789"
AUTH = {"API-Key": KEY}
OPERATOR = {"Authorization": "Bearer operator-token-for-tests"}
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Upstream:
    """The simulators, running."""

    url: str
    http: httpx.Client

    def records(self, system: str) -> Any:
        """Everything a simulator holds."""
        return self.http.get(f"/{system}/_records").json()

    def calls(self, system: str) -> list[dict[str, str]]:
        """Every call a simulator has had."""
        return list(self.http.get(f"/{system}/_calls").json())

    def fault(self, system: str, fault: str, **rule: Any) -> None:
        """Put a fault into force (see adapters.simulation)."""
        self.http.post(f"/{system}/_faults", json={"fault": fault, **rule}).raise_for_status()

    def heal(self, system: str) -> None:
        """No more faults."""
        self.http.delete(f"/{system}/_faults").raise_for_status()


@contextlib.contextmanager
def running_upstream(app: ASGIApp | None = None) -> Iterator[Upstream]:
    """Fresh simulators on a free port; or another app in their place."""
    with serving(app or simulators()) as url, httpx.Client(base_url=url, trust_env=False, timeout=15) as http:
        yield Upstream(url, http)


def configuration(upstream: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """A configuration with `acme` on Apptivo and `globex` on CRM.COM; `changes` are merged in, table by table."""
    document: dict[str, Any] = {
        "storage": {"url": f"sqlite:///{folder / 'gateway.db'}"},
        "operator": {"tokens": ["operator-token-for-tests"]},
        "connections": {
            "acme": {
                "crm": "apptivo",
                "timezone": "Europe/Helsinki",
                "auth": {"api_keys": [KEY]},
                "apptivo": {
                    "base_url": f"{upstream}/apptivo",
                    "api_key": DEMO_API_KEY,
                    "access_key": DEMO_ACCESS_KEY,
                    "record_url": "https://app.apptivo.com/customers/{}",
                },
                "vainu": {"base_url": f"{upstream}/vainu", "api_key": FAKE_API_KEY},
            },
            "globex": {
                "crm": "crmcom",
                "timezone": "Europe/Helsinki",
                "auth": {"api_keys": [KEY]},
                "crmcom": {
                    "base_url": f"{upstream}/crmcom{crmcom.PREFIX}",
                    "username": crmcom.USERNAME,
                    "password": crmcom.PASSWORD,
                    "organisation": crmcom.ORGANISATION,
                    "unit": "Admin Unit",
                },
            },
        },
    }
    return merged(document, changes)


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, table by table; a change of None takes a key away."""
    result = dict(base)
    for key, change in changes.items():
        if change is None:
            result.pop(key, None)
        elif isinstance(change, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = merged(result[key], change)
        else:
            result[key] = change
    return result


@dataclass(frozen=True)
class Gateway:
    """A gateway that runs, and a client that calls it with the tests' API key."""

    url: str
    http: httpx.Client
    service: Service | None = None

    def push(self, connection: str, body: Any, **options: Any) -> httpx.Response:
        """Push a company as Vainu does."""
        return self.http.post(f"/vainu/{connection}/exports", json=body, **options)

    def feed(self, connection: str, unique_id: str, **options: Any) -> httpx.Response:
        """Ask for a feed as Vainu does."""
        return self.http.get(f"/vainu/{connection}/activities/{unique_id}", **options)

    def standing(self, connection: str, export_id: str) -> dict[str, Any]:
        """Where an export stands."""
        found: dict[str, Any] = self.http.get(f"/vainu/{connection}/exports/{export_id}").json()
        return found


def client(url: str, **options: Any) -> httpx.Client:
    """A client of a gateway; with the tests' API key unless told otherwise."""
    return httpx.Client(**{"base_url": url, "headers": AUTH, "trust_env": False, "timeout": 15, **options})


@cache
def _migrated() -> bytes:
    """An empty SQLite store at the newest revision."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "gateway.db")
        engine = sqlalchemy.create_engine(f"sqlite:///{place}")
        upgrade(engine)
        engine.dispose()
        return place.read_bytes()


def spare_migrations(document: Mapping[str, Any]) -> None:
    """Lay a migrated store where a SQLite one would be made: to migrate takes longer than all else at a start.

    Those are run in their own tests, and in those of stores.
    """
    url = document.get("storage", {}).get("url", "")
    place = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and place.is_absolute() and place.parent.is_dir() and not place.exists():
        place.touch(0o600)
        place.write_bytes(_migrated())


def _listen() -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1024)
    return listening


@contextlib.contextmanager
def running_gateway(
    document: Mapping[str, Any] | Callable[[str], Mapping[str, Any]], clock: Clock = now_ms, **parts: Any
) -> Iterator[Gateway]:
    """A gateway on a thread of its own, over real HTTP on a free port; a configuration may ask for its own address.

    `parts` are those of its `Service`.
    """
    listening = _listen()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    document = document(url) if callable(document) else document
    spare_migrations(document)
    service = Service(read(document), clock=clock, **parts)
    server = PromptServer(uvicorn_config(service.runtime.settings, service))
    failure: list[BaseException] = []

    async def main() -> None:
        await service.start()
        try:
            await server.serve(sockets=[listening])
        finally:
            await service.stop()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        wait_until(lambda: server.started or failure, "the gateway starts")
        if failure:
            raise failure[0]
        with client(url) as http:
            yield Gateway(url, http, service)
    finally:
        server.end()
        thread.join(PATIENCE_SECONDS)
        listening.close()
    if failure:
        raise failure[0]


@dataclass
class GatewayProcess:
    """A gateway in a process of its own, which can be killed and started again."""

    config: Path
    log: Path
    process: "subprocess.Popen[bytes] | None" = None
    url: str = ""
    clients: list[httpx.Client] = field(default_factory=list)
    prefix: tuple[str, ...] = ()
    """A program that starts it, with its options."""

    def start(self, *options: str, environ: Mapping[str, str] | None = None, port: int | None = None) -> Gateway:
        """Start it, on a free port or on `port`, where nobody listens before it does, and wait until it is ready."""
        command = [*self.prefix, sys.executable, "-m", "gateway", "serve", "--config", str(self.config), *options]
        surroundings = {**os.environ, **(environ or {})}
        with self.log.open("ab") as output:
            if port is not None:
                self.url = f"http://127.0.0.1:{port}"
                self.process = subprocess.Popen([*command, "--port", str(port)], stderr=output, env=surroundings)
            else:
                with _listen() as listening:
                    self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
                    number = listening.fileno()
                    command += ["--fd", str(number)]
                    self.process = subprocess.Popen(command, pass_fds=(number,), stderr=output, env=surroundings)
        wait_until(self._is_ready, "the gateway process is ready")
        self.clients.append(client(self.url))
        return Gateway(self.url, self.clients[-1])

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the gateway process ended: {self.log.read_text()[-2000:]}"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health/ready", trust_env=False, timeout=2).status_code == 200
        return False

    def kill(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """TERM, and wait; the exit code."""
        return self._signal(signal.SIGTERM)

    def hang_up(self) -> None:
        """HUP: read the configuration again."""
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def _signal(self, number: int) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def gateway_process(document: Mapping[str, Any], folder: Path) -> Iterator[GatewayProcess]:
    """A gateway process that is not started yet; stopped at the end."""
    config = folder / "gateway.toml"
    config.write_text(toml(document), encoding="utf-8")
    spare_migrations(document)
    process = GatewayProcess(config, folder / "gateway.log")
    try:
        yield process
    finally:
        process.kill()
        for each in process.clients:
            each.close()


def toml(document: Mapping[str, Any]) -> str:
    """A document of tables, lists, texts, numbers and booleans as TOML: JSON's scalars and lists are TOML's too."""
    return "".join(f"{key} = {_toml_value(value)}\n" for key, value in document.items())


def _toml_value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    return json.dumps(value)


def wait_until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Look until `holds` gives something true, and return that; AssertionError after `seconds`."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        found = holds()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} s in vain: {what}")


def run_command(
    *arguments: str, folder: Path | None = None, environ: Mapping[str, str] | None = None, stdin: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run the command line as a user does, in `folder`; no configuration of the outside is seen."""
    repository = Path(__file__).parents[1]
    surroundings = {key: value for key, value in os.environ.items() if key not in ("GATEWAY_CONFIG", "COLUMNS")}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=folder,
        env={**surroundings, "PYTHONPATH": str(repository), **(environ or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
