"""`gateway serve`: uvicorn around the application, with our own signals: drain on TERM, reload on HUP."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import structlog
import uvicorn

from gateway import tracing
from gateway.app import create_app
from gateway.http.protocol import Protocol
from gateway.metrics.exchange import Siblings
from gateway.service import Service
from gateway.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = structlog.get_logger()

_NOT_READY_SECONDS = 1.0
"""How long a draining gateway still answers at least, so that load balancers see that it is not ready."""
_LOOK_SECONDS = 0.05
_ORPHANED_SECONDS = 1.0
"""How often a worker looks whether its supervisor still lives."""
_GARBAGE_AFTER = 20_000
"""New containers before the collector looks at them: at Python's 700 it looks at every tenth request."""
_SWITCH_SECONDS = 0.0003
"""How long a busy event loop keeps the store's thread from the interpreter: a commit asks for it half a dozen times."""
_KEEP_ALIVE_SECONDS = 75
"""Longer than load balancers commonly keep idle connections (60 s), so that none sends into one that we just closed."""


class _Server(uvicorn.Server):
    """uvicorn, but TERM begins a drain before it closes the listening socket, and HUP reads the settings again."""

    def __init__(
        self, config: uvicorn.Config, service: Service, on_ready: Callable[[], None], siblings: Siblings | None
    ) -> None:
        super().__init__(config)
        self._service = service
        self._on_ready = on_ready
        self._siblings = siblings
        self._tasks: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self._on_ready()
        if self._siblings is not None:
            self._spawn(self._leave_with(self._siblings))

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: `hearing_signals` does it, and for longer."""
        yield

    @contextlib.contextmanager
    def hearing_signals(self) -> Iterator[None]:
        """Hear signals, until the last work is given back: a second TERM must not kill the process before that."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._drain)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del sig, frame
        self._drain()

    def _drain(self) -> None:
        if self._service.leaving:
            # asked twice: somebody is in a hurry
            self._service.hurry()
            self.should_exit = self.force_exit = True
            return
        self._service.begin_drain()
        log.info("serve.draining")
        self._spawn(self._stop_listening())

    async def _leave_with(self, siblings: Siblings) -> None:
        """Drain when the supervisor is gone: nobody else would tell this process to end, or see that it hangs."""
        while not siblings.is_cut:  # noqa: ASYNC110 - a stream has no event for its end
            await asyncio.sleep(_ORPHANED_SECONDS)
        if not self._service.leaving:
            log.error("serve.supervisor_gone")
            self._drain()

    async def _stop_listening(self) -> None:
        """Answer on, as long as is good for whoever calls; the rest of the time is for what is in flight to finish."""
        if notice := self._service.notice_seconds:
            # then nobody sends here any more; who does all the same finds no listener, which proxies try elsewhere
            await asyncio.sleep(notice)
        else:
            await self._answer_what_is_under_way()
        # whole seconds are its type; asyncio.wait_for, which gets them, takes fractions as well
        self.config.timeout_graceful_shutdown = self._service.drain_seconds_left  # type: ignore[assignment]  # as said above
        self.should_exit = True

    async def _answer_what_is_under_way(self) -> None:
        """While requests are in flight, for half of the time at most."""
        seconds = self._service.drain_seconds_left
        await asyncio.sleep(min(_NOT_READY_SECONDS, seconds / 2))
        while self.server_state.tasks and self._service.drain_seconds_left > seconds / 2:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(_LOOK_SECONDS)

    def _reload(self) -> None:
        self._spawn(self._reloaded())

    async def _reloaded(self) -> None:
        await self._service.reload()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to host and port; OSError if it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # the protocol is named, or asyncio would leave Nagle's algorithm on: 40 ms an answer
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def serve(
    settings: Settings,
    config: Path | None,
    listening: socket.socket,
    on_ready: Callable[[], None],
    siblings: socket.socket | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Run one gateway process on a bound socket until it is told to stop; `StoreUnavailable` if it cannot start.

    `on_ready` is called when it listens. `siblings` is the line to the other processes on the socket, where there are
    any; `environ` may ask for traces.
    """
    line = Siblings(siblings) if siblings else None
    service = Service(settings, config=config, siblings=line, trace_provider=_trace_provider(environ))
    server_config = uvicorn_config(settings, service)
    server = _Server(server_config, service, on_ready, line)
    with asyncio.Runner(loop_factory=server_config.get_loop_factory()) as runner:
        runner.run(_serve(server, service, listening))


def _trace_provider(environ: Mapping[str, str]) -> "TracerProvider | None":
    if not tracing.is_wanted(environ):
        return None
    try:
        from gateway.tracing.spans import provider_by_environment
    except ImportError:
        log.warning("tracing.not_installed", expected="pip install vainu-gateway[otel]")
        return None
    return provider_by_environment()


async def _serve(server: _Server, service: Service, listening: socket.socket) -> None:
    # started here and not in the lifespan, whose failures uvicorn prints as tracebacks
    await service.start()
    # what is there by now stays: no collection needs to look at it again, nor at the little of it that is garbage
    gc.freeze()
    gc.set_threshold(_GARBAGE_AFTER, 10, 10)
    gc.enable()
    sys.setswitchinterval(_SWITCH_SECONDS)
    host, port = listening.getsockname()[:2]
    log.info("serve.listening", host=host, port=port, connections=sorted(service.runtime.connections))
    with server.hearing_signals():
        try:
            await server.serve(sockets=[listening])
        finally:
            await service.stop()


def uvicorn_config(settings: Settings, service: Service) -> uvicorn.Config:
    """uvicorn's settings for a service."""
    return uvicorn.Config(
        create_app(service),
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # X-Forwarded-For is read by gateway.addresses, through trusted_proxies only
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, int(settings.server.drain_seconds)),
        lifespan="off",
    )
