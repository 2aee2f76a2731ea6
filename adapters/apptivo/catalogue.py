"""The firm's own lists, as getConfigData tells them: which id an industry or an employee range has.

That the lists exist is C (apdoc getcustomersconfigdata); the keys inside their rows are C for statuses only, so
the others are read by the ending of a key's name (I).
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.apptivo.ranges import holds
from adapters.contract import RemoteError
from adapters.deadline import Deadline

LIFETIME_SECONDS = 600.0
"""How long the lists are taken to be the firm's; after that they are fetched anew."""
OLDEST_SECONDS = 86_400.0
"""How old they may get where they cannot be fetched: ids of a day ago still beat none."""
FETCH_SECONDS = 20.0
_NAME_ENDINGS = ("name", "range", "type", "meaning", "label", "value")
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Option:
    """One row of a list the firm chooses from."""

    name: str
    id: object = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What getConfigData told; everything empty where it could not be asked."""

    statuses: tuple[Option, ...] = ()
    industries: tuple[Option, ...] = ()
    employee_ranges: tuple[Option, ...] = ()
    phone_types: tuple[Option, ...] = ()
    email_types: tuple[Option, ...] = ()
    address_types: tuple[Option, ...] = ()
    countries: tuple[Option, ...] = ()
    tag_names: Mapping[str, str] = field(default_factory=dict)
    """`customAttributeId` → `customAttributeTagName`, as far as webLayout shows it (I)."""

    def summary(self) -> str:
        """One line for a person: how long the lists are."""
        return (
            f"statuses {len(self.statuses)}, industries {len(self.industries)}, "
            f"employee ranges {len(self.employee_ranges)}"
        )


def read_catalogue(config: Mapping[str, Any]) -> Catalogue:
    """The catalogue of a getConfigData reply; lists it lacks are empty. Never raises."""
    return Catalogue(
        statuses=_options(config.get("statuses")),
        industries=_options(config.get("industries")),
        employee_ranges=_options(config.get("employeeRanges")),
        phone_types=_options(config.get("phoneTypes")),
        email_types=_options(config.get("emailTypes")),
        address_types=_options(config.get("addressTypes")),
        countries=_options(config.get("countries")),
        tag_names=dict(_tag_names(_decoded(config.get("webLayout")))),
    )


def named(options: tuple[Option, ...], name: str) -> Option | None:
    """The option of this name, or of this code, whatever the case; None for a blank name."""
    wanted = name.strip().casefold()
    spelled = ((option, option.name.casefold(), option.code.casefold()) for option in options)
    return next((option for option, *words in spelled if wanted and wanted in words), None)


def preferred(options: tuple[Option, ...], name: str) -> Option | None:
    """The option of this name, else the first there is."""
    return named(options, name) or next(iter(options), None)


def range_of(options: tuple[Option, ...], staff: int | float) -> Option | None:
    """The employee range that a number of people falls into: "50 - 99", "1,000+", "Less than 10" (I)."""
    return next((option for option in options if holds(option.name, staff)), None)


def _options(rows: object) -> tuple[Option, ...]:
    if not isinstance(rows, list):
        return ()
    return tuple(option for row in rows if (option := _option(row)) is not None)


def _option(row: object) -> Option | None:
    if isinstance(row, str):
        return Option(row.strip()) if row.strip() else None
    if not isinstance(row, Mapping) or "N" in (row.get("isEnabled"), row.get("isActive")):
        return None
    name = _first(row, _NAME_ENDINGS, str)
    code = _first(row, ("code",), str | int)
    return Option(name.strip(), _first(row, ("id",), str | int), str(code or "")) if name else None


def _first(row: Mapping[str, Any], endings: tuple[str, ...], kinds: Any) -> Any:
    for ending in endings:
        for key, value in row.items():
            if str(key).lower().endswith(ending) and isinstance(value, kinds) and not isinstance(value, bool) and value:
                return value
    return None


def _decoded(layout: object) -> object:
    # webLayout is JSON inside a string (C, apdoc)
    if not isinstance(layout, str):
        return layout
    try:
        return json.loads(layout)
    except (ValueError, RecursionError):
        return None


def _tag_names(node: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(node, Mapping):
        attribute = node.get("customAttributeId") or node.get("attributeId")
        tag = _tag_name(node)
        if isinstance(attribute, str) and tag:
            yield attribute, tag
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _tag_names(inner, depth + 1)


def _tag_name(attribute: Mapping[str, Any]) -> str:
    places = [attribute, *(part for part in attribute.get("right") or [] if isinstance(part, Mapping))]
    for place in places:
        for key in ("customAttributeTagName", "tagName"):
            if isinstance(place.get(key), str) and place[key]:
                return str(place[key])
    return ""


class CatalogueCache:
    """The catalogue, fetched in the background at most once at a time and kept for `LIFETIME_SECONDS`."""

    def __init__(
        self,
        fetch: Callable[[Deadline], Coroutine[Any, Any, Mapping[str, Any]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._value = Catalogue()
        self._good_until = self._last_until = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def refresh_soon(self) -> None:
        """Start to fetch the catalogue unless it is fresh or being fetched."""
        if self._clock() >= self._good_until and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._refresh())

    async def get(self, seconds: float) -> Catalogue:
        """The catalogue, waiting at most `seconds`; an old or an empty one if Apptivo does not tell it by then."""
        self.refresh_soon()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=seconds)
        return self.known

    @property
    def known(self) -> Catalogue:
        """What is known of it without asking; an empty one before the first answer."""
        return self._value if self._clock() < self._last_until else Catalogue()

    async def aclose(self) -> None:
        """Stop fetching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _refresh(self) -> None:
        # without ids a customer is still worth making, so a failure only means to ask again next time
        with contextlib.suppress(RemoteError):
            self._value = read_catalogue(await self._fetch(Deadline.after(FETCH_SECONDS)))
            self._good_until = self._clock() + LIFETIME_SECONDS
            self._last_until = self._clock() + OLDEST_SECONDS
