"""Traces of work: kept by the id that its sender was told, found by whoever does it, forgotten when they are old."""

import asyncio

from sqlalchemy import select

from gateway.store import Store, traces
from gateway.store.tables import traces as table

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_old_ones_are_forgotten(url: str) -> None:
    """What was noted before the time that retention gives goes, the rest stays."""

    async def noted() -> list[str]:
        await store.write(lambda c: traces.note(c, ["exp_old"], TRACEPARENT, 1_000))
        await store.write(lambda c: traces.note(c, ["whk_new", "whk_newer"], TRACEPARENT, 2_000))
        await store.write(lambda c: traces.forget(c, 2_000))
        return await store.read(lambda c: sorted(c.execute(select(table.c.key)).scalars()))

    store = Store(url)
    store.open()
    try:
        assert asyncio.run(noted()) == ["whk_new", "whk_newer"]
    finally:
        store.close()
