"""What Vainu refused for good: kept with its reason and candidates, and told again instead of sent again. Pure."""

import msgspec

from adapters.contract import Refused
from adapters.vainu import CompanyInfo, MatchingError
from adapters.vainu.refusals import CompanyTaken
from gateway.customer_data import company_alone
from gateway.store.sync_records import Known
from gateway.store.sync_refusals import Refusal
from gateway.sync.progress import RowReport
from gateway.sync.vainu_rows import Row, Sent

REMEMBERED_MS = 7 * 86_400_000
"""Our choice: after it the same is sent once more, since Vainu learns of companies, and accounts get countries."""
_ABOUT_THE_CONTENT = (None, 400, 422)
"""HTTP statuses; None: it stood in the answer to a whole import, at one row."""
_LONGEST_DETAIL, _LONGEST_TEXT = 1_000, 200
_MOST_CANDIDATES = 100


class _Told(msgspec.Struct):
    detail: str
    candidates: list[CompanyInfo]


def is_for_good(sent: Sent) -> bool:
    """Whether the same content would be refused again."""
    if isinstance(sent.error, CompanyTaken):
        # hangs on another customer, too: remembered only where it is known on which
        return sent.holder is not None
    if isinstance(sent.error, MatchingError):
        return True
    # its subclasses are about credentials, a void id, a whole import
    return type(sent.error) is Refused and sent.error.status in _ABOUT_THE_CONTENT


def refusal_of(sent: Sent, told: RowReport, holder: Known | None, now: int) -> Refusal:
    """What is kept of a refusal that is for good, and was told so."""
    candidates = [_short(each) for each in told.candidates[:_MOST_CANDIDATES]]
    text = msgspec.json.encode(_Told(_cut(told.detail, _LONGEST_DETAIL), candidates)).decode()
    company = None if holder is None else company_alone(holder.digest)
    return Refusal(sent.row.digest, sent.remote_id, now, told.reason, text, sent.holder, company)


def still_stands(refusal: Refusal, row: Row, holder: Known | None, now: int) -> bool:
    """Whether nothing has changed since that the refusal hangs on, and it is not old."""
    if not 0 <= now - refusal.refused_at < REMEMBERED_MS:
        return False
    if (refusal.digest, refusal.remote_id) != (row.digest, row.remote_id):
        return False
    if refusal.holder is None:
        return True
    return holder is not None and holder.remote_id is not None and company_alone(holder.digest) == refusal.holder_digest


def told_again(row: Row, name: str, refusal: Refusal) -> RowReport:
    """The refusal as it was told before."""
    told = msgspec.json.decode(refusal.told, type=_Told)
    return RowReport(
        row.summary.record_id,
        "failed",
        name,
        refusal.remote_id or "",
        refusal.reason,
        told.detail,
        told.candidates,
        since=refusal.refused_at,
    )


def _short(company: CompanyInfo) -> CompanyInfo:
    return CompanyInfo(
        company.vid,
        _cut(company.company_name, _LONGEST_TEXT),
        _cut(company.business_id, _LONGEST_TEXT),
        _cut(company.country, _LONGEST_TEXT),
        _cut(company.domain, _LONGEST_TEXT),
    )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
