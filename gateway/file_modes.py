"""Whether files that hold secrets or people's data can be read by everybody on the machine."""

import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import make_url

from adapters.secrets import digest
from gateway.settings import Settings
from gateway.store.backup import sqlite_file


def readable_by_others(path: Path) -> bool:
    """Whether a file is there, and its mode lets everybody read it. A group may be meant: a backup's, a pod's."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def warnings(path: Path, settings: Settings) -> Iterator[str]:
    """What is wrong with the modes of the configuration's file and the store's, one line each, for a person."""
    if readable_by_others(path) and _holds_a_secret(path, settings):
        yield f"{path} holds secrets and everybody on this machine may read it: chmod 600 {path}"
    file = sqlite_file(settings.storage.url)
    if file is not None and readable_by_others(file):
        yield f"{file} holds people's data and everybody on this machine may read it: chmod 600 {file}*"


def _holds_a_secret(path: Path, settings: Settings) -> bool:
    """Whether a secret is written in the file itself: one that is sent on, or one whose digest is compared."""
    written = set(_texts(tomllib.loads(path.read_text(encoding="utf-8-sig"))))
    has_password = settings.storage.url in written and make_url(settings.storage.url).password is not None
    return has_password or bool({*settings.secret_values()} & (written | {digest(each) for each in written}))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        if isinstance(value, dict):
            # what is stored as a digest is no secret any more
            value = [item for key, item in value.items() if key != "sha256"]
        for item in value:
            yield from _texts(item)
