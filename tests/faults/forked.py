"""Gateway processes forked from one that has loaded the program: a start takes 0.2 s of CPU instead of 1.4 s.

It is `gateway serve` all the same: a process of its own with its own store, worker and sockets, and kill -9 ends it.
"""

import multiprocessing
import os
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx

from tests.harness import client, spare_migrations, toml, wait_until

PRELOADED = ["gateway.commands.serving", "gateway.store.migrate", "alembic.command", "adapters.apptivo"]
START_SECONDS = 30.0
"""What a start may take on a machine that is busy with many of them; alone it takes a tenth of a second or two."""


@dataclass
class ForkedGateway:
    """A gateway process which can be killed and started again."""

    config: Path
    log: Path
    process: ForkServerProcess | None = None
    url: str = ""
    clients: list[httpx.Client] = field(default_factory=list)

    def start(self, failpoint: str | None = None) -> httpx.Client:
        """Start it on a free port and wait until it is ready, or dead if a failpoint is armed; a client of it."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen(1024)
            self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            self.process = context.Process(target=_serve, args=(str(self.config), str(self.log), listening, failpoint))
            self.process.start()
        self.clients.append(
            client(self.url, verify=False)
        )  # loopback: to load certificates would cost a tenth of a second
        wait_until(lambda: self.is_ready() or (failpoint and self.died), "the gateway is ready", START_SECONDS)
        return self.clients[-1]

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        assert self.process.pid is not None
        return self.process.pid

    @property
    def died(self) -> bool:
        """Whether it was killed by its failpoint."""
        return self.process is not None and self.process.exitcode == -signal.SIGKILL

    def is_ready(self) -> bool:
        """Whether it says that it can accept and keep work."""
        assert self.process is not None
        assert self.process.exitcode in (None, -signal.SIGKILL), f"the gateway ended: {self.log.read_text()[-2000:]}"
        with suppress(httpx.TransportError):
            return self.clients[-1].get("/health/ready", timeout=2).status_code == 200
        return False

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, so long at most."""
        assert self.process is not None
        self.process.join(seconds)

    def terminate(self) -> None:
        """TERM."""
        assert self.process is not None
        self.process.terminate()

    def kill(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """TERM, and wait."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, number)
        process.join(START_SECONDS)
        assert process.exitcode is not None, "the gateway process does not end"
        process.close()


@contextmanager
def forked_gateway(document: Mapping[str, Any], folder: Path) -> Iterator[ForkedGateway]:
    """A gateway process that is not started yet; killed at the end."""
    folder.mkdir(exist_ok=True)
    config = folder / "gateway.toml"
    config.write_text(toml(document), encoding="utf-8")
    spare_migrations(document)
    gateway = ForkedGateway(config, folder / "gateway.log")
    try:
        yield gateway
    finally:
        gateway.kill()
        for each in gateway.clients:
            each.close()


def _serve(config: str, log: str, listening: socket.socket, failpoint: str | None) -> None:
    from gateway.commands.serving import run

    if failpoint is not None:
        os.environ["GATEWAY_FAILPOINT"] = failpoint
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 2)
    os._exit(run(config, None, None, 1, listening.detach()))
