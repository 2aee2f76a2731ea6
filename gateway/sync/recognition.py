"""What Vainu holds already: before a first sync its customer data is listed once, by unique_id."""

from functools import partial

from sqlalchemy import Connection

from adapters.deadline import Deadline
from adapters.vainu import CustomerDataPage, CustomerDataQuery, VainuClient
from gateway.pace import Pace
from gateway.store import sync_records
from gateway.sync.held_run import HeldRun
from gateway.sync.patience import Patience

_PAGE_SECONDS = 60.0
_LONGEST_ID = 128
_EVERYTHING = CustomerDataQuery()


async def recognise(run: HeldRun, vainu: VainuClient, pace: Pace, patience: Patience) -> int:
    """Keep which customer data each unique_id has; how many were found. `RemoteError` where Vainu cannot be listed."""
    number, found, before = 1, 0, ""
    while True:
        page = await patience.until_it_works(partial(_page, vainu, pace, number))
        if not page.results or page.results[0].id == before:
            # S000's sample promises a second page of its only result
            break
        known = {each.unique_id: each.id for each in page.results if 0 < len(each.unique_id) <= _LONGEST_ID}
        await run.write(partial(_keep, run, known))
        number, found, before = number + 1, found + len(page.results), page.results[0].id
        if page.is_last:
            break
    if run.run.dry_run:
        # the first run that acts looks again: customer data may be made until then
        return found
    now = run.clock()
    await run.write(lambda connection: sync_records.set_recognised(connection, run.scope, now))
    return found


def _keep(run: HeldRun, known: dict[str, str], connection: Connection) -> None:
    sync_records.recognise(connection, run.scope, known)


async def _page(vainu: VainuClient, pace: Pace, number: int) -> CustomerDataPage:
    async with pace.turn():
        return await vainu.customer_data.page(number, _EVERYTHING, Deadline.after(_PAGE_SECONDS))
