"""`gateway serve --workers N`: one listening socket, N processes; one that dies is started again."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

import structlog

from gateway.metrics.exchange import Switchboard

log = structlog.get_logger()

_LOOK_SECONDS = 0.2
_QUICK_DEATH_SECONDS = 2.0
_PATIENCE_SECONDS = 2.0
"""What a worker gets beyond `server.drain_seconds` before it is killed: it would have ended by itself, if it could."""
_MAX_QUICK_DEATHS = 5
"""A worker that dies this often right after its start will not do better the next time."""


class Supervisor:
    """Starts the workers, passes signals on, and replaces workers that die."""

    def __init__(self, config: Path, listening: socket.socket, workers: int, drain_seconds: float) -> None:
        listening.set_inheritable(True)
        self._command = [sys.executable, "-m", "gateway", "serve", "--config", str(config)]
        self._descriptor = listening.fileno()
        self._wanted = workers
        self._drain_seconds = drain_seconds
        self._stopped_at = 0.0
        self._running: dict[subprocess.Popen[bytes], float] = {}
        self._quick_deaths = 0
        self._stopping = False
        self._metrics = Switchboard()

    def run(self) -> int:
        """Supervise until told to stop; the exit code: 0, or 1 if the workers cannot live."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        while not self._stopping or self._running:
            self._bury()
            if self._quick_deaths >= _MAX_QUICK_DEATHS:
                log.error("supervise.workers_keep_dying")
                self._stop(signal.SIGTERM, None)
                self._wait_for_all()
                return 1
            self._kill_what_hangs()
            while not self._stopping and len(self._running) < self._wanted:
                self._start()
            time.sleep(_LOOK_SECONDS)
        return 0

    def _start(self) -> None:
        with self._metrics.connect() as line:
            passed = self._descriptor, line.fileno()
            command = [*self._command, "--fd", str(passed[0]), "--siblings-fd", str(passed[1])]
            worker = subprocess.Popen(command, pass_fds=passed)  # noqa: S603 - our own program
        self._running[worker] = time.monotonic()
        log.info("supervise.started", pid=worker.pid)

    def _bury(self) -> None:
        for worker in [each for each in self._running if each.poll() is not None]:
            age = time.monotonic() - self._running.pop(worker)
            if not self._stopping:
                self._metrics.restarts += 1
                self._quick_deaths = self._quick_deaths + 1 if age < _QUICK_DEATH_SECONDS else 0
                log.error("supervise.died", pid=worker.pid, code=worker.returncode)

    def _kill_what_hangs(self) -> None:
        """End workers that a drain has not ended: what they hold is taken over by whoever runs next."""
        if self._stopping and time.monotonic() - self._stopped_at > self._drain_seconds + _PATIENCE_SECONDS:
            for worker in self._running:
                log.error("supervise.killed", pid=worker.pid)
                worker.kill()

    def _wait_for_all(self) -> None:
        while self._running:
            self._bury()
            self._kill_what_hangs()
            time.sleep(_LOOK_SECONDS)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopped_at = time.monotonic()
        self._stopping = True
        self._pass_on(signal.SIGTERM if number == signal.SIGINT else number, None)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        for worker in self._running:
            worker.send_signal(number)
