"""What callers are told when the store fails: safe to show, without the statement and what was bound to it.

StoreUnavailable      nothing can be kept or read just now
├── WriteRefused      the database works, and refuses this write for what it holds
└── CannotOpen        what was read is sealed by a key that is not configured, or is not what was sealed
"""

import re

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

_WHERE = re.compile(
    r"connection to server (?:at|on socket) \"[^\"]*\"(?: \([^)]*\))?(?:, port \d+)? failed: |(?<= for user) \"[^\"]*\""
)
"""The database's address, and who we are to it, as libpq tells them: they are nothing for callers and for whoever asks
after our health."""


class StoreUnavailable(Exception):
    """Nothing can be kept or read just now; the message is safe to show, and nothing was kept."""


class WriteRefused(StoreUnavailable):
    """The database works and refuses this write for what it holds: a constraint, a value that it cannot keep."""


class CannotOpen(StoreUnavailable):
    """A value is sealed, and no key at hand opens it. The value stays as it is."""


def refusal(error: Exception) -> Exception:
    """What a caller is told of a failed write; what is no fault of the database's stays what it is."""
    if isinstance(error, IntegrityError | DataError):
        return WriteRefused(f"the store cannot keep this: {cause(error)}")
    if isinstance(error, SQLAlchemyError):
        return StoreUnavailable(f"the store cannot be written: {cause(error)}")
    return error


def cause(error: BaseException) -> str:
    """What went wrong in the database's own words, without the statement and its parameters."""
    if isinstance(error, IntegrityError):
        return "a constraint was broken"
    if isinstance(error, DBAPIError) and error.orig is not None:
        return _WHERE.sub("", " ".join(str(error.orig).split()))[:200]
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
