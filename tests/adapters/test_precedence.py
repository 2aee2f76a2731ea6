"""Calls that nobody waits for give way to those of callers, and come to their end all the same."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from adapters.precedence import Precedence, give_way


def run(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    async def bounded() -> list[str]:
        async with asyncio.timeout(5):
            return await work

    return asyncio.run(bounded())


async def background(precedence: Precedence, told: list[str], name: str = "background") -> None:
    """A call that gives way, and what it tells once it goes ahead."""
    with precedence.giving_way():
        await give_way()
    told.append(name)


def test_a_call_waits_while_somebody_is_served() -> None:
    """What gives way goes on when the last caller has its answer, and not before."""

    async def story() -> list[str]:
        precedence, told = Precedence(), list[str]()

        with precedence.serving():
            with precedence.serving():
                task = asyncio.create_task(background(precedence, told))
                await asyncio.sleep(0)
            for _round in range(5):
                await asyncio.sleep(0)
            told.append("answer")
        await task
        return told

    assert run(story()) == ["answer", "background"]


def test_a_callers_own_calls_wait_for_nobody() -> None:
    """Outside `giving_way` a call goes ahead at once, although others are served."""

    async def story() -> list[str]:
        with Precedence().serving():
            await give_way()
        return ["through"]

    assert run(story()) == ["through"]


def test_they_end_although_somebody_is_always_served() -> None:
    """Many calls that give way all go ahead, if later, while callers never cease."""

    async def story() -> list[str]:
        precedence, told = Precedence(), list[str]()
        with precedence.serving():
            await asyncio.gather(*(background(precedence, told, str(number)) for number in range(200)))
        return told

    assert run(story()) == [str(number) for number in range(200)]


def test_what_is_ready_comes_in_between() -> None:
    """Of many that give way at once, each lets a caller's next step run before the following one."""

    async def story() -> list[str]:
        precedence, told = Precedence(), list[str]()

        async def caller() -> None:
            for _step in range(3):
                await asyncio.sleep(0)
                told.append("caller")

        await asyncio.gather(*(background(precedence, told) for _ in range(10)), caller())
        return told

    told = run(story())
    assert told.count("background") == 10
    assert told.index("caller") <= 2
    assert [index for index, who in enumerate(told) if who == "caller"][-1] <= 8


def test_tasks_that_are_started_inside_give_way_too() -> None:
    """A task inherits that it gives way from the one that starts it; its starter's next calls do not."""

    async def story() -> list[str]:
        precedence, told = Precedence(), list[str]()

        async def inner() -> None:
            await give_way()
            told.append("inner")

        with precedence.giving_way():
            task = asyncio.create_task(inner())
        with precedence.serving():
            await give_way()
            told.append("outer")
            for _round in range(5):
                await asyncio.sleep(0)
        await task
        return told

    assert run(story()) == ["outer", "inner"]
