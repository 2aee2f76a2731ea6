"""`gateway feed`: a customer's feed as Vainu would get it, and what was left out and why."""

import asyncio
import sys

import msgspec

from adapters.deadline import Deadline
from gateway import logs
from gateway.commands.configuration import load_settings, require_connection
from gateway.commands.failures import WorkFailed
from gateway.commands.feed_table import print_feed
from gateway.commands.output import console
from gateway.feed import Asked, Feeds, select
from gateway.gathering import FeedFailed, Gathered, NoSuchRecord
from gateway.metrics import Metrics
from gateway.runtime import open_connection
from gateway.settings import Settings
from gateway.storage import store_of
from gateway.store import StoreUnavailable


def run(config: str | None, connection: str, unique_id: str, as_json: bool) -> int:
    """Ask for the feed once and print it."""
    logs.configure(json=False, level=logs.ERROR)
    _path, settings = load_settings(config)
    require_connection(settings, connection)
    try:
        gathered = asyncio.run(_ask(settings, connection, unique_id))
    except NoSuchRecord:
        raise WorkFailed(f'neither the gateway nor the CRM of "{connection}" has a customer {unique_id}') from None
    except (FeedFailed, StoreUnavailable) as error:
        raise WorkFailed(str(error)) from None
    events = select(gathered.events, Asked(settings.connections[connection].feed.limit))
    if as_json:
        sys.stdout.write(msgspec.json.encode(events).decode() + "\n")
    else:
        rows = [msgspec.to_builtins(event) for event in events]
        count = f"{len(events)} event{'' if len(events) == 1 else 's'}"
        print_feed(console(), rows, f"{connection} · {unique_id} · {count}")
    _print_left_out(gathered)
    return 0


async def _ask(settings: Settings, name: str, unique_id: str) -> Gathered:
    store = store_of(settings.storage)
    await asyncio.to_thread(store.open)
    live = open_connection(settings.connections[name])
    try:
        return await Feeds(store, Metrics()).get(live, unique_id, Deadline.after(live.settings.feed.budget_ms / 1000))
    finally:
        await live.close()
        await asyncio.to_thread(store.close)


def _print_left_out(gathered: Gathered) -> None:
    """On stderr, so that --json stays exactly the feed."""
    lines = [f"left out: {refused.id} ({refused.reason}): {refused.detail}" for refused in gathered.rejected]
    lines += [f"missing source: {source} ({word}): {gathered.failures[source]}" for source, word in gathered.partial]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
