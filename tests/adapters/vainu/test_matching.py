"""Why Vainu made no customer data: each reason is an error of its own, with what helps to go on."""

from typing import Any

import pytest

from adapters.contract import BadCredentials, NotFound, Refused, RemoteError, Throttled
from adapters.serving import serving
from adapters.vainu import CompanyInfo, CustomerDataExists, MatchData, VainuClient
from adapters.vainu.refusals import (
    CompanyTaken,
    ImportRunning,
    InvalidBusinessId,
    MatchingError,
    MatchParameterMissing,
    NoSuchCompany,
    SeveralCompanies,
    matching_error,
    row_error,
)
from tests.adapters.vainu.served import NOBODY, SAMLINK, VAINU, Served, answering, soon, use


@pytest.mark.parametrize(
    ("match", "vid"),
    [
        (MatchData(vid=253870, business_id="2822996-6"), 253870),
        (MatchData("Vainu Finland Oy", business_id="09704098"), 253870),
        (MatchData("vainu finland oy"), 463880794),
        (MatchData(normalize_name="vainu", country="fi"), 463880794),
        (MatchData("Oy Samlink Ab", city="Espoo"), 253870),
        (MatchData("Oy Samlink Ab", municipality="espoo"), 253870),
    ],
)
def test_v1_matches_by_the_first_parameter_that_is_given(account: Served, match: MatchData, vid: int) -> None:
    """S001: vid, business_id, exact_name, normalize_name; country, city and municipality narrow."""
    made = account.use(lambda client: client.customer_data.create(match, {}, soon()), version=1)
    assert made.vid == vid


@pytest.mark.parametrize(
    ("match", "error", "reason"),
    [
        (MatchData(country="FI"), MatchParameterMissing, "match_parameter_missing"),
        (MatchData(business_id="324-123"), InvalidBusinessId, "invalid_business_id"),
        (NOBODY, NoSuchCompany, "no_match"),
        (MatchData(normalize_name="vainu"), SeveralCompanies, "multiple_matches"),
    ],
)
def test_v1_says_why_it_made_nothing(
    account: Served, match: MatchData, error: type[MatchingError], reason: str
) -> None:
    """Every reason of S001 has its error, which is never retried and says what to do."""
    with pytest.raises(error) as caught:
        account.use(lambda client: client.customer_data.create(match, {}, soon()), version=1)
    assert (caught.value.reason, caught.value.retryable) == (reason, False)
    assert "\n" not in caught.value.detail
    assert account.state.records == {}


def test_several_companies_come_as_candidates(account: Served) -> None:
    """S001: the vids of the candidates are there to choose from."""

    async def act(client: VainuClient) -> int | None:
        with pytest.raises(SeveralCompanies) as caught:
            await client.customer_data.create(MatchData(normalize_name="vainu"), {}, soon())
        assert (caught.value.number_of_matches, len(caught.value.candidates)) == (3, 3)
        chosen = next(each for each in caught.value.candidates if each.country == "FI")
        return (await client.customer_data.create(MatchData(vid=chosen.vid), {}, soon())).vid

    assert account.use(act, version=1) == 463880794


@pytest.mark.parametrize("version", [1, 2])
def test_a_patch_matches_anew_and_says_why_it_could_not(account: Served, version: int) -> None:
    """S001: with match parameters a PATCH makes a new match, with the errors of a create."""

    async def act(client: VainuClient) -> None:
        one = await client.customer_data.create(VAINU, {"notes": "kept"}, soon())
        other = await client.customer_data.create(SAMLINK, {}, soon())
        with pytest.raises(CustomerDataExists) as caught:
            await client.customer_data.patch(one.id, {}, soon(), match=SAMLINK)
        assert caught.value.existing_id == other.id
        await client.customer_data.delete(other.id, soon())
        await client.customer_data.patch(one.id, {"unique_id": "4711"}, soon(), match=SAMLINK)
        read = await client.customer_data.get(one.id, soon())
        assert (read.vid, read.unique_id, read.notes) == (253870, "4711", "kept")

    account.use(act, version)


def test_a_patch_of_a_void_id_stays_not_found(account: Served) -> None:
    """404 is no matching error."""
    with pytest.raises(NotFound):
        account.use(lambda client: client.customer_data.patch("f" * 24, {}, soon(), match=VAINU))


EXISTING = "5b237d31d3fee90010d1b1d4"
ROWS: dict[str, tuple[dict[str, Any], type[MatchingError]]] = {
    "exists": (
        {
            "success": False,
            "matched_prospect": None,
            "existing_id": EXISTING,
            "match_parameters": {"exact_name": "Vainu Finland Oy"},
            "error": "MATCH_ALREADY_EXISTS",
            "id": None,
        },
        CustomerDataExists,
    ),
    "invalid": (
        {
            "match_parameters": {"business_id": "324-123"},
            "matched_prospect": None,
            "id": None,
            "success": False,
            "error": "INVALID_BUSINESSID",
        },
        InvalidBusinessId,
    ),
    "several": (
        {
            "max_number_of_matches_shown": 100,
            "success": False,
            "matched_prospect": None,
            "match_parameters": {"normalize_name": "vainu"},
            "possible_matches": [
                {
                    "country": "US",
                    "domain": None,
                    "company_name": "VAINU INC.",
                    "vid": 605731521,
                    "business_id": "US_DE6240535",
                }
            ],
            "number_of_matches": 3,
            "error": "MULTIPLE_POSSIBLE_MATCHES",
            "id": None,
        },
        SeveralCompanies,
    ),
}
"""Rows copied in form from S001's sample of GET /async_result/batch-import/{job_id}/."""


@pytest.mark.parametrize("name", ROWS)
def test_the_documents_own_rows_are_understood(name: str) -> None:
    """As S001 prints them: the id that exists, the candidates, one line of reason."""
    row, kind = ROWS[name]
    error = row_error(row)
    assert type(error) is kind
    assert row["error"] in error.detail
    if isinstance(error, CustomerDataExists):
        assert error.existing_id == EXISTING
    if isinstance(error, SeveralCompanies):
        assert error.candidates == (CompanyInfo(605731521, "VAINU INC.", "US_DE6240535", "US", ""),)
        assert error.number_of_matches == 3


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize(
    "wrap", [lambda row: row, lambda row: [row], lambda row: {"detail": row}, lambda row: {"errors": [row]}]
)
def test_the_same_words_are_read_in_the_answer_to_a_single_post(name: str, wrap: Any) -> None:
    """How that answer looks is unknown: the row itself, in a list, or as the detail."""
    row, kind = ROWS[name]
    status = 409 if name == "exists" else 400
    with serving(answering(wrap(row), status)) as url, pytest.raises(kind):
        use(url, lambda client: client.customer_data.create(VAINU, {}, soon()), version=1)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"detail": "Match parameter missing"}, MatchParameterMissing),
        (400, {"detail": "Invalid business id or insufficient country permissions"}, InvalidBusinessId),
        (400, "Match not found", NoSuchCompany),
        (400, {"error": {"message": "Multiple possible matches for business id"}}, SeveralCompanies),
        (400, {"non_field_errors": ["Multiple possible matches"]}, SeveralCompanies),
        (409, {"detail": "Link already exists"}, CompanyTaken),
        (409, None, CompanyTaken),
    ],
)
def test_the_words_of_the_table_of_responses_are_read_too(status: int, body: Any, kind: type[MatchingError]) -> None:
    """S001 names the reasons of 400 and 409 in words; without an id, what exists is only known to exist."""
    with serving(answering(body, status)) as url, pytest.raises(MatchingError) as caught:
        use(url, lambda client: client.customer_data.create(VAINU, {}, soon()), version=1)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"owner_email": ["Enter a valid email address."]}),
        (400, {"match_parameters": {"exact_name": "Match not found Oy"}, "detail": "no"}),
        (400, None),
        (422, {"detail": "Match not found"}),
    ],
)
def test_any_other_refusal_is_no_matching_error(status: int, body: Any) -> None:
    """Nor is a company that is called like one."""
    with serving(answering(body, status)) as url, pytest.raises(Refused) as caught:
        use(url, lambda client: client.customer_data.create(VAINU, {}, soon()), version=1)
    assert type(caught.value) is Refused


@pytest.mark.parametrize(
    "body", [b"", b"[" * 50_000, b"\xff", b'{"error": ["x", {"error": [[[["Match not found"]]]]}]}']
)
def test_no_answer_breaks_the_reading(body: bytes) -> None:
    """Whatever comes with a 400 stays a refusal."""
    assert isinstance(matching_error(Refused("vainu answered 400", status=400, body=body)), Refused)


def test_an_unknown_word_of_a_row_is_a_plain_refusal() -> None:
    """It is shown, and not guessed at."""
    error = row_error({"success": False, "error": "QUOTA\nEXCEEDED", "match_parameters": {"vid": 1}})
    assert type(error) is Refused
    assert "QUOTA EXCEEDED" in error.detail


def test_every_error_has_its_own_word() -> None:
    """The reasons are metric labels: one a kind, and all below the contract's tree."""
    kinds = [MatchParameterMissing, InvalidBusinessId, NoSuchCompany, SeveralCompanies, CompanyTaken, ImportRunning]
    assert len({kind.reason for kind in kinds}) == len(kinds)
    assert all(issubclass(kind, RemoteError) for kind in kinds)
    assert issubclass(ImportRunning, Throttled)
    assert not issubclass(MatchingError, BadCredentials)
