"""Logging: events, not sentences. JSON in production, readable at a terminal; all of it on stderr."""

import contextlib
import logging
import sys
from typing import Any, TextIO

import msgspec
import structlog

ERROR = logging.ERROR
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


class _BestEffort:
    """A stream whose failures are nobody's: a log on a full disk, or whose reader has gone, must not cost an answer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write, if that can be done."""
        with contextlib.suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        """As `write`."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def _json(event: Any, **_options: Any) -> str:
    """A log line; what JSON does not know is told as Python would print it."""
    return msgspec.json.encode(event, enc_hook=repr).decode()


def configure(*, json: bool | None = None, level: int = logging.INFO) -> None:
    """Set up structlog, and the standard library's loggers through it.

    `json` None means JSON unless stderr is a terminal.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    # structlog's own choice would print every local variable, and so secrets, below a traceback
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer(serializer=_json) if as_json else console
    last: list[Any] = [structlog.processors.format_exc_info, renderer] if as_json else [renderer]
    stream: Any = _BestEffort(sys.stderr)
    structlog.configure(
        processors=[*_SHARED, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
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
