"""`gateway simulate`: the upstream simulators alone."""

import contextlib

import uvicorn

from gateway.commands.failures import WorkFailed
from gateway.serve import bind
from gateway.simulators import describe, simulators

HOST = "127.0.0.1"


def run(port: int) -> int:
    """Serve the simulators on loopback until told to stop."""
    try:
        listening = bind(HOST, port)
    except OSError as error:
        raise WorkFailed(f"cannot listen on {HOST}:{port}: {error.strerror}; choose another with --port") from None
    # from here on a call waits instead of being refused: the addresses are good as soon as they are printed
    listening.listen()
    config = uvicorn.Config(simulators(), log_level="warning", access_log=False, lifespan="off")
    address = f"http://{HOST}:{listening.getsockname()[1]}"
    print(f"{describe(address)}\nCtrl-C stops them.", flush=True)  # noqa: T201 - a command's output
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])
    return 0
