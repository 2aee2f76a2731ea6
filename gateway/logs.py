"""Logging: events, not sentences. JSON in production, readable at a terminal; all of it on stderr."""

import atexit
import contextlib
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, TextIO

import msgspec

from gateway.lean_imports import structlog
from gateway.tracebacks import frames, print_frames

ERROR = logging.ERROR
_LATE_SECONDS = 0.02
_MOST_LINES = 100_000
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Of the request that is served; every line that is logged meanwhile tells it."""


def _with_request_id(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # one variable and not structlog's many, which cost a request as much as its proof
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


_SHARED: list[Any] = [
    _with_request_id,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class _BestEffort:
    """A stream whose failures are nobody's: a full disk, a closed stream, a reader that has gone cost no answer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, if that can be done."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        """As `write`."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class _Batched:
    """A stream that a thread of its own writes, many lines at once: at most `_LATE_SECONDS` late, the rest at exit.

    To write each line by itself costs a request a sixth of its time. A reader that stands still costs the oldest lines
    beyond `_MOST_LINES`, not the service.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = _BestEffort(stream)
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._wanted = threading.Event()
        self._writing = threading.Lock()
        atexit.register(self._write_all)
        threading.Thread(target=self._run, name="log-write", daemon=True).start()

    def write(self, text: str) -> None:
        """Have it written soon."""
        self._lines.append(text)
        if not self._wanted.is_set():
            self._wanted.set()

    def flush(self) -> None:
        """Nothing: loggers ask for it after every line."""

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            time.sleep(_LATE_SECONDS)
            self._wanted.clear()
            self._write_all()

    def _write_all(self) -> None:
        with self._writing:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            self._stream.write("".join(lines))
            self._stream.flush()


def _json(event: Any, **_options: Any) -> str:
    """A log line; what JSON does not know is told as Python would print it."""
    return msgspec.json.encode(event, enc_hook=repr).decode()


def _now() -> str:
    """Now, as structlog's own stamps are written; UTC."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return f"{_to_the_second(seconds)}.{nanoseconds // 1000:06d}Z"


@lru_cache(maxsize=2)
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


Info = Callable[..., None]
"""`info` of a logger: an event, and its fields by name."""


class _JsonLines(structlog.processors.JSONRenderer):
    """Renders lines as JSON; and writes some itself, with nothing in between."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(serializer=_json)
        self.write = write


def quick_info() -> Info:
    """What writes the line of every request, which carries its own `request_id`.

    Where lines are JSON it goes past structlog, whose steps would cost a request a tenth of its time.
    """
    slow: Info = structlog.get_logger().bind().info

    def info(event: str, **fields: Any) -> None:
        renderer = structlog.get_config()["processors"][-1]
        if isinstance(renderer, _JsonLines):
            renderer.write(_json({"event": event, "level": "info", "timestamp": _now(), **fields}) + "\n")
        else:
            slow(event, **fields)

    return info


def _first_line(_logger: Any, _name: str, event: Any) -> Any:
    """Of what libraries say: asyncio's further lines hold the representation of whatever went wrong."""
    event["event"] = str(event.get("event", "")).partition("\n")[0]
    return event


def configure(*, json: bool | None = None, level: int = logging.INFO, batched: bool = False) -> None:
    """Set up structlog, and the standard library's loggers through it.

    `json` None means JSON unless stderr is a terminal. `batched` is for a service: lines are written a moment later.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    stream: Any = _Batched(sys.stderr) if batched else _BestEffort(sys.stderr)
    wants_info = level <= logging.INFO
    as_lines = _JsonLines(stream.write) if wants_info else structlog.processors.JSONRenderer(serializer=_json)
    # structlog's own choices would print messages and every local variable below a traceback
    last: list[Any] = (
        [structlog.processors.ExceptionRenderer(frames), as_lines]
        if as_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=print_frames)]
    )
    structlog.configure(
        processors=[*_SHARED, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, _first_line],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
    # uvicorn's own access log would write query strings, and so URL tokens
    logging.getLogger("uvicorn.access").disabled = True
