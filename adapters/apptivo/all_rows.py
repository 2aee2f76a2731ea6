"""All rows of one of Apptivo's apps, past the 10,000 rows at which its lists stop (C, phpmt).

Up to there one list is read, by getAll. Beyond, the rows are read by the days on which they were created: a search
for few enough days has few enough rows. Its parameters are C (S003: creationOnStartDate, creationOnEndDate), how days
are written in them is U: so the forms are tried on days when there was no Apptivo, and rows are checked as they come.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from adapters.apptivo.client import LIST_PAGE, ApptivoClient
from adapters.apptivo.dates import Dates
from adapters.apptivo.endpoints import Endpoint, all_of
from adapters.apptivo.position import FIRST_DAY, Position, Sliced, Whole, position_of, written
from adapters.apptivo.replies import Page, record_id
from adapters.contract import BadCredentials, Refused, Throttled, UnexpectedReply
from adapters.deadline import Deadline
from adapters.timestamps import TimestampRefused

LIMIT = 10_000
"""How many rows a list gives at most, whatever it counts (C, phpmt: "limited by Apptivo API")."""
_BEFORE_APPTIVO = (date(1990, 1, 1), date(1990, 1, 2))
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class App:
    """An app whose rows are read."""

    between: Callable[[str, str, bool], Endpoint]
    """Those created from one day to another, both written as Apptivo wants them; True for the last ones first."""
    id_name: str

    def whole(self, *, is_descending: bool = False) -> Endpoint:
        """All of them in one list."""
        return all_of(self.between, is_descending=is_descending)


@dataclass(frozen=True, slots=True)
class Step:
    """One page."""

    rows: list[object]
    following: str | None
    total: int | None
    missing: int = 0
    """How many rows Apptivo counts that no list of it gives, as far as this page shows."""
    may_end_early: bool = False
    """Whether there may be more than any list gives, which Apptivo does not count."""


class AllRows:
    """Reads one app."""

    def __init__(self, client: ApptivoClient, app: App, dates: Dates, now: Callable[[tzinfo], datetime]) -> None:
        self._client = client
        self._app = app
        self._dates = dates
        self._now = now

    async def step(self, position: str | None, deadline: Deadline) -> Step:
        """The page at a position, None for the first. The same again when it is repeated."""
        at = Whole() if position is None else position_of(position)
        if isinstance(at, Sliced):
            return await self._of_slice(at, 0, deadline)
        return await self._of_whole(at, deadline)

    async def _of_whole(self, at: Whole, deadline: Deadline) -> Step:
        endpoint = self._app.whole(is_descending=at.is_descending)
        try:
            page = await self._client.page(endpoint, at.start, LIST_PAGE, deadline)
        except (BadCredentials, Throttled):
            raise
        except Refused:
            if at.start < LIMIT:
                raise
            page = Page([], None)
        if at.start == 0 and not at.is_descending and page.count is not None and page.count >= LIMIT:
            found = await self._slices(page.count, deadline)
            if found is not None:
                return await self._of_slice(*found, deadline)
        if not page.rows and at.start > 0:
            # an empty page, or none, may be the end or the limit: only the count from the first row on tells
            first = await self._client.page(endpoint, 0, 1, deadline)
            return await self._end_of_whole(at, first, deadline)
        return self._whole_step(at, page)

    async def _end_of_whole(self, at: Whole, first: Page, deadline: Deadline) -> Step:
        """Where one list has no more: the rest from the other end, where that is the other end (C, phpmt does so)."""
        if at.is_descending:
            return Step([], None, first.count, missing=max(0, (first.count or 0) - LIMIT - at.start))
        if first.count is None or first.count == at.start == LIMIT:
            # a search engine may cut the count itself (G)
            return Step([], None, first.count, may_end_early=at.start >= LIMIT)
        if first.count > at.start >= LIMIT:
            last = await self._client.page(self._app.whole(is_descending=True), 0, 1, deadline)
            ids = [record_id(page.rows[0], self._app.id_name) if page.rows else None for page in (first, last)]
            if ids[0] != ids[1]:
                return Step([], str(Whole(is_descending=True)), first.count)
        return Step([], None, first.count, missing=max(0, first.count - at.start))

    def _whole_step(self, at: Whole, page: Page) -> Step:
        first_id = record_id(page.rows[0], self._app.id_name) or "" if page.rows else ""
        if first_id and first_id == at.first_id:
            if page.count is None:
                return Step([], None, None)
            raise UnexpectedReply("apptivo gives the same page again: it does not heed startIndex")
        reached = at.start + len(page.rows)
        # from the other end only those that are beyond the limit
        wanted = page.count and page.count - (LIMIT if at.is_descending else 0)
        has_more = bool(page.rows) and (wanted is None or reached < wanted)
        following = str(Whole(reached, first_id[:128], at.is_descending)) if has_more else None
        return Step(_up_to(page.rows, at, wanted), following, page.count)

    async def _slices(self, count: int, deadline: Deadline) -> tuple[Sliced, int] | None:
        """The first slice, and how many rows have no day; None where Apptivo does not search by days."""
        end = self._now(self._dates.zone).date() + _ONE_DAY
        for form in dict.fromkeys((self._dates.formats.date_order, "YMD", "DMY", "MDY")):
            try:
                none = await self._count(Sliced(*_BEFORE_APPTIVO, end, form), deadline)
                everything = await self._count(Sliced(FIRST_DAY, end, end, form), deadline)
            except (BadCredentials, Throttled):
                raise
            except (Refused, UnexpectedReply):
                continue
            if none == 0 and everything:
                return Sliced(FIRST_DAY, end, end, form), max(0, count - everything)
        return None

    async def _count(self, at: Sliced, deadline: Deadline) -> int | None:
        page = await self._client.page(self._endpoint(at), 0, 1, deadline)
        return page.count if page.count is not None or page.rows else 0

    async def _of_slice(self, at: Sliced, missing: int, deadline: Deadline) -> Step:
        page = await self._read(at, deadline)
        while at.start == 0 and not at.is_descending and (page.count or 0) >= LIMIT and at.first < at.last:
            at = at.halved()
            page = await self._read(at, deadline)
        count, reached = page.count or 0, at.start + len(page.rows)
        if not page.rows and at.start > 0:
            # as above: an empty page may be the end or the limit
            count = (await self._read(at.at(0), deadline, size=1)).count or 0
        # from the other end only those that are beyond the limit; a count of just the limit may be a cut one
        wanted = min((count - LIMIT or LIMIT) if at.is_descending else count, LIMIT)
        if page.rows and reached < wanted:
            return Step(page.rows, str(at.at(reached)), None, missing)
        rows = _up_to(page.rows, at, wanted)
        missing += max(0, wanted - reached)
        following: Position | None = at.following()
        if count >= LIMIT and not at.is_descending:
            turned = await self._turned(at, deadline)
            following = turned or following
            missing += max(0, count - (2 * LIMIT if turned else LIMIT))
        return Step(rows, str(following) if following else None, None, missing)

    async def _turned(self, at: Sliced, deadline: Deadline) -> Sliced | None:
        """The same days from the other end; None where Apptivo gives the same rows first either way."""
        ends = [await self._read(each, deadline, size=1) for each in (at.at(0), at.downwards())]
        first, last = (record_id(page.rows[0], self._app.id_name) if page.rows else None for page in ends)
        return at.downwards() if first != last else None

    async def _read(self, at: Sliced, deadline: Deadline, size: int = LIST_PAGE) -> Page:
        page = await self._client.page(self._endpoint(at), at.start, min(size, LIMIT - at.start), deadline)
        if page.count is None and page.rows:
            raise UnexpectedReply("apptivo searches by days, but does not count what it finds: expected countOfRecords")
        for row in page.rows:
            made = self._day_of(row)
            # a day more on either side, where the firm's clocks and Apptivo's differ
            if made is not None and not at.first - _ONE_DAY <= made <= at.last + _ONE_DAY:
                raise UnexpectedReply(
                    f"apptivo found a record made on {made} in a search from {at.first} to {at.last}: "
                    "expected it to read days as they are written; check the settings date_order and timezone"
                )
        return page

    def _endpoint(self, at: Sliced) -> Endpoint:
        return self._app.between(written(at.first, at.form), written(at.last, at.form), at.is_descending)

    def _day_of(self, row: object) -> date | None:
        try:
            reading = self._dates.read(row.get("creationDate") if isinstance(row, Mapping) else None)
        except TimestampRefused:
            return None
        return reading.at.date() if reading.date_only else reading.at.astimezone(self._dates.zone).date()


def _up_to(rows: list[object], at: Position, wanted: int | None) -> list[object]:
    """A page's rows without those that were read from the other end already: an opportunity would count twice."""
    return rows[: max(0, wanted - at.start)] if at.is_descending and wanted is not None else rows
