"""How a command fails: one or two plain lines on stderr, and the exit code that says whose turn it is."""

import contextlib
import os
import sys
from collections.abc import Iterator

import typer


class WrongUse(Exception):
    """The command cannot be run as it was given: exit 2. The message says what to do."""


class WorkFailed(Exception):
    """The command ran and its work failed: exit 1. The message says what to do."""


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn every exception into plain lines and an exit code."""
    try:
        yield
    except (WrongUse, WorkFailed) as error:
        _fail(str(error), 2 if isinstance(error, WrongUse) else 1)
    except typer.TyperException as error:
        _fail(_usage(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", 1)
    except BrokenPipeError:
        # the reader of our output has gone; flushing at exit must not complain of it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        if os.environ.get("GATEWAY_TRACEBACK"):
            raise
        name = type(error).__name__
        _fail(f"internal error ({name}); set GATEWAY_TRACEBACK=1 and run it again to see where", 1)


def _usage(error: typer.TyperException) -> str:
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    where = f"; see {context.command_path} --help" if context is not None else ""
    return message[:1].lower() + message[1:] + where


def _fail(message: str, code: int) -> None:
    sys.stderr.write("".join(f"gateway: {line}\n" for line in message.splitlines()))
    raise SystemExit(code) from None
