"""`gateway serve --workers N`: one listening socket, N processes; one that dies, or hangs, is started again."""

import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import structlog

from gateway.metrics.exchange import Line, Switchboard

log = structlog.get_logger()

_LOOK_SECONDS = 0.2
_LATE_LOOK_SECONDS = 2.0
"""A look that comes this late says that the machine stood still, not that a worker does."""
_SILENT_SECONDS = 15.0
"""A worker tells its figures once a second. One that is silent for so long hangs, perhaps with the store's lock."""
_PATIENCE_SECONDS = 2.0
"""What a worker gets beyond `server.drain_seconds` before it is killed: it would have ended by itself, if it could."""
_QUICK_DEATH_SECONDS = 2.0
_MAX_QUICK_DEATHS = 5
"""A worker that dies this often right after its start will not do better the next time."""


@dataclass(slots=True)
class _Worker:
    process: "subprocess.Popen[bytes]"
    line: Line
    started: float = field(default_factory=time.monotonic)

    def hangs(self) -> bool:
        """Whether it said something once, and nothing for long."""
        heard_at = self.line.heard_at
        return heard_at is not None and time.monotonic() - heard_at > _SILENT_SECONDS


class Supervisor:
    """Starts the workers, passes signals on, and replaces workers that die or hang."""

    def __init__(self, config: Path, listening: socket.socket, workers: int, drain_seconds: float) -> None:
        listening.set_inheritable(True)
        self._command = [sys.executable, "-m", "gateway", "serve", "--config", str(config)]
        self._descriptor = listening.fileno()
        self._wanted = workers
        self._drain_seconds = drain_seconds
        self._running: list[_Worker] = []
        self._quick_deaths = 0
        self._stopping = False
        self._stopped_at = 0.0
        self._looked_at = time.monotonic()
        self._metrics = Switchboard()

    def run(self) -> int:
        """Supervise until told to stop; the exit code: 0, or 1 if the workers cannot live."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._pass_on)
        while not self._stopping or self._running:
            self._look()
            if self._quick_deaths >= _MAX_QUICK_DEATHS:
                log.error("supervise.workers_keep_dying")
                self._stop(signal.SIGTERM, None)
                self._wait_for_all()
                return 1
            while not self._stopping and len(self._running) < self._wanted:
                self._start()
            time.sleep(_LOOK_SECONDS)
        return 0

    def _start(self) -> None:
        line = self._metrics.connect()
        with line.theirs:
            passed = self._descriptor, line.theirs.fileno()
            command = [*self._command, "--fd", str(passed[0]), "--siblings-fd", str(passed[1])]
            process = subprocess.Popen(command, pass_fds=passed)  # noqa: S603 - our own program
        self._running.append(_Worker(process, line))
        log.info("supervise.started", pid=process.pid)

    def _look(self) -> None:
        """Bury the dead, and end what hangs: what it holds is taken over by whoever runs next."""
        now = time.monotonic()
        if now - self._looked_at > _LATE_LOOK_SECONDS:
            for worker in self._running:
                worker.line.heard_at = now
        self._looked_at = now
        self._bury()
        is_over = self._stopping and now - self._stopped_at > self._drain_seconds + _PATIENCE_SECONDS
        for worker in self._running:
            if is_over or (not self._stopping and worker.hangs()):
                log.error("supervise.killed", pid=worker.process.pid)
                worker.process.kill()

    def _bury(self) -> None:
        dead = [worker for worker in self._running if worker.process.poll() is not None]
        self._running = [worker for worker in self._running if worker not in dead]
        for worker in dead:
            age = time.monotonic() - worker.started
            if not self._stopping:
                self._metrics.restarts += 1
                self._quick_deaths = self._quick_deaths + 1 if age < _QUICK_DEATH_SECONDS else 0
                log.error("supervise.died", pid=worker.process.pid, code=worker.process.returncode)

    def _wait_for_all(self) -> None:
        while self._running:
            self._look()
            time.sleep(_LOOK_SECONDS)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopped_at = time.monotonic()
        self._stopping = True
        self._pass_on(signal.SIGTERM if number == signal.SIGINT else number, None)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        for worker in self._running:
            worker.process.send_signal(number)
