"""`gateway serve`."""

import gc
import os
import socket
from functools import partial

from gateway import failpoints, logs, notify
from gateway.commands.configuration import load_settings
from gateway.commands.failures import WorkFailed
from gateway.http.occupancy import lift_limit
from gateway.serve import bind, serve
from gateway.settings import Settings
from gateway.storage import store_of
from gateway.store import StoreUnavailable
from gateway.supervise import Supervisor


def run(
    config: str | None, host: str | None, port: int | None, workers: int, fd: int | None, siblings_fd: int | None = None
) -> int:
    """Serve until told to stop; the exit code."""
    logs.configure(batched=True)
    path, settings = load_settings(config)
    changed = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"server": settings.server.model_copy(update=changed)})
    try:
        listening = socket.socket(fileno=fd) if fd is not None else bind(settings.server.host, settings.server.port)
    except (OSError, OverflowError) as error:
        where = f"{settings.server.host}:{settings.server.port}"
        reason = getattr(error, "strerror", None) or str(error)
        raise WorkFailed(f"cannot listen on {where}: {reason}; choose with --host and --port") from None
    with listening:
        try:
            if workers > 1:
                # from here on this process only looks after its workers
                gc.enable()
                _prepare_store(settings)
                return Supervisor(path, listening, workers, settings.server.drain_seconds).run()
            lift_limit()
            failpoints.arm(os.environ.get("GATEWAY_FAILPOINT"))
            siblings = socket.socket(fileno=siblings_fd) if siblings_fd is not None else None
            # of several workers each says it, and the first is heard
            serve(settings, path, listening, partial(notify.ready, os.environ.get("NOTIFY_SOCKET")), siblings)
        except StoreUnavailable as error:
            raise WorkFailed(str(error)) from None
    return 0


def _prepare_store(settings: Settings) -> None:
    """Once, before any worker starts: a store that cannot be opened is then told once."""
    store = store_of(settings.storage)
    store.open()
    store.close()
