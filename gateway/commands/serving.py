"""`gateway serve`."""

import socket

from gateway import logs
from gateway.commands.configuration import load_settings
from gateway.commands.failures import WorkFailed
from gateway.serve import bind, serve
from gateway.store import StoreUnavailable
from gateway.supervise import Supervisor


def run(config: str | None, host: str | None, port: int | None, workers: int, fd: int | None) -> int:
    """Serve until told to stop; the exit code."""
    logs.configure()
    path, settings = load_settings(config)
    changed = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = settings.model_copy(update={"server": settings.server.model_copy(update=changed)})
    try:
        listening = socket.socket(fileno=fd) if fd is not None else bind(settings.server.host, settings.server.port)
    except (OSError, OverflowError) as error:
        where = f"{settings.server.host}:{settings.server.port}"
        raise WorkFailed(f"cannot listen on {where}: {getattr(error, 'strerror', error)}") from None
    if workers > 1:
        return Supervisor(path, listening, workers).run()
    try:
        serve(settings, path, listening)
    except StoreUnavailable as error:
        raise WorkFailed(str(error)) from None
    return 0
