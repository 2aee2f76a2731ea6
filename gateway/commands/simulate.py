"""`gateway simulate`: the upstream simulators alone."""

import uvicorn

from gateway.commands.failures import WorkFailed
from gateway.simulators import describe, simulators

HOST = "127.0.0.1"


def run(port: int) -> int:
    """Serve the simulators on loopback until told to stop."""
    config = uvicorn.Config(simulators(), host=HOST, port=port, log_level="warning", access_log=False, lifespan="off")
    config.load()
    try:
        listening = config.bind_socket()
    except SystemExit:
        raise WorkFailed(f"cannot listen on {HOST}:{port}: it is in use; choose another with --port") from None
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    print(describe(address), flush=True)  # noqa: T201 - a command's output
    uvicorn.Server(config).run(sockets=[listening])
    return 0
