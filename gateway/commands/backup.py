"""`gateway backup` and `gateway restore`: the SQLite file, verified."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gateway import logs
from gateway.commands.configuration import load_settings
from gateway.commands.failures import WorkFailed, WrongUse
from gateway.commands.output import console
from gateway.store.backup import BackupRefused, WrongFile, back_up, restore, sqlite_file


def run_backup(config: str | None, target: str, force: bool) -> int:
    """Copy the store to a file while the service runs."""
    store = _store(config, "pg_dump --format=custom --file FILE DATABASE")
    try:
        copied = back_up(store, Path(target), replace=force)
    except WrongFile as error:
        raise WrongUse(str(error)) from None
    except BackupRefused as error:
        raise WorkFailed(str(error)) from None
    _tell(f"{target}: {copied.size:,} bytes, verified; {_counted(copied.rows)}")
    return 0


def run_restore(config: str | None, source: str) -> int:
    """Put a backup in the store's place."""
    store = _store(config, "pg_restore --clean --dbname DATABASE FILE, while no gateway runs")
    if not Path(source).is_file():
        raise WrongUse(f"{source} is no file; name a backup")
    try:
        restored = restore(Path(source), store, datetime.now(UTC))
    except WrongFile as error:
        raise WrongUse(str(error)) from None
    except BackupRefused as error:
        raise WorkFailed(str(error)) from None
    _tell(f"{store} is restored from {source}; {_counted(restored.copied.rows)}")
    if restored.replaced is not None:
        _tell(f"what it replaced is kept: {restored.replaced}")
    return 0


def _store(config: str | None, instead: str) -> Path:
    logs.configure(json=False, level=logs.ERROR)
    _path, settings = load_settings(config)
    file = sqlite_file(settings.storage.url)
    if file is None:
        raise WrongUse(f"the store is a PostgreSQL database: use {instead}")
    return file


def _counted(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{table} {rows.get(table, 0):,}" for table in ("companies", "exports", "deliveries"))


def _tell(line: str) -> None:
    console().print(line, markup=False, soft_wrap=True)
