"""`gateway store reencrypt`: what was written before a key was set, or under an earlier one, is written anew."""

import asyncio
import time
from collections import Counter

from gateway import logs
from gateway.commands.configuration import load_settings
from gateway.commands.failures import WorkFailed, WrongUse
from gateway.commands.output import console
from gateway.storage import store_of
from gateway.store import Store, StoreUnavailable, reencrypt, seal_keys
from gateway.store.backup import sqlite_file

_BATCH = 100
_SHORTEST_PAUSE_SECONDS = 0.01


def run(config: str | None) -> int:
    """Rewrite every row that needs it; 1 if a row could not be opened."""
    logs.configure(json=False, level=logs.ERROR)
    _path, settings = load_settings(config)
    file = sqlite_file(settings.storage.url)
    if file is not None and not file.exists():
        raise WrongUse(f"there is no store at {file} yet: no gateway has run with this configuration")
    store = store_of(settings.storage)
    try:
        written = asyncio.run(_opened(store))
    except StoreUnavailable as error:
        raise WorkFailed(f"{error}; what is written stays, run it again to go on") from None
    how = f"sealed by the key {store.seal.key_id}" if store.seal.seals else "clear: no storage.encryption_key is set"
    console().print(f"{written.total():,} rows written anew; every row is {how}", markup=False, soft_wrap=True)
    return 0


async def _opened(store: Store) -> Counter[str]:
    await asyncio.to_thread(store.open)
    try:
        written, unopened = await _rewritten(store)
        if unopened:
            rows = ", ".join(f"{table} {number:,}" for table, number in unopened.items())
            raise WorkFailed(
                f"{written.total():,} rows written anew; no key at hand opens {rows}: they are as they were"
            )
        await store.write(lambda c: seal_keys.forget_others(c, store.seal))
        await asyncio.to_thread(store.truncate_log)
        return written
    finally:
        await asyncio.to_thread(store.close)


async def _rewritten(store: Store) -> tuple[Counter[str], Counter[str]]:
    """How many rows of each table were written anew, and how many could not be opened."""
    written: Counter[str] = Counter()
    unopened: Counter[str] = Counter()
    for table in reencrypt.COLUMNS:
        after: reencrypt.Cursor | None = None
        while True:
            started = time.monotonic()
            batch = await store.write(
                lambda c, table=table, after=after: reencrypt.rewrite(c, table, after, _BATCH),  # type: ignore[misc]  # mypy infers no lambda with defaults
                "reencrypt",
            )
            written[table.name] += batch.written
            unopened[table.name] += batch.unopened
            after = batch.after
            if after is None:
                break
            # as long as the batch took: the gateway has the store for at least half of the time
            await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, time.monotonic() - started))
    return +written, +unopened
