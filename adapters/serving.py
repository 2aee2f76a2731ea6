"""An application served on a thread of its own, over real HTTP, for the demo and the tests."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import IPPROTO_TCP, TCP_NODELAY
from threading import Thread

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def serving(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve `app` on a thread of its own, over real HTTP; gives the base URL. Loopback, for demo and tests."""
    config = uvicorn.Config(app, host=host, port=port, log_level="critical", access_log=False, lifespan="off")
    config.load()
    listening = config.bind_socket()
    # asyncio switches Nagle's algorithm off only for sockets made with an explicit protocol, which uvicorn's is not;
    # with it on, every answer waits some 40 ms for the caller's delayed ACK
    listening.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    # callers may come before the thread does: from now on they wait instead of being turned away
    listening.listen()
    server = PromptServer(config)
    thread = Thread(target=_run, args=(server, listening), daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        server.end()
        # a call that is under way is cut off: nobody waits for what an application that ends would have said
        thread.join(0.5)
        server.force_exit = True
        thread.join(5)
        listening.close()


class PromptServer(uvicorn.Server):
    """Ends when it is told: uvicorn looks every tenth of a second, and then pauses for another, call under way or not.

    `end` may be called from any thread, and before it serves.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def end(self) -> None:
        """Have it stop serving, once the calls that are under way have ended."""
        self.should_exit = True
        if self._loop is not None:
            # RuntimeError: it has ended already
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Keep the `Date` of answers up to date until told to end."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close at once what waits for its next call; only a call under way is waited for, as uvicorn does."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        # the transports that were closed say so in the loop's next round
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)


def _run(server: uvicorn.Server, listening: socket.socket) -> None:
    asyncio.run(server.serve(sockets=[listening]))
