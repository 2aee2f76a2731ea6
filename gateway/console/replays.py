"""Replays: what would be replayed, said with its number, and then the replay itself."""

from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.responses import Response

from gateway.console import answers
from gateway.console.access import Visit
from gateway.operator import BadQuery
from gateway.operator.models import ReplayOutcome
from gateway.operator.queries import DeliveryQuery, names_of, query_of, query_string
from gateway.problems import Problem

_DIGITS = 19


async def confirmation(visit: Visit) -> Response:
    """`GET /console/replay`: how many deliveries, and which, would be replayed: those ticked, or all that match."""
    pairs = visit.request.query_params.multi_items()
    if visit.request.query_params.get("which") == "selected":
        references = [value for name, value in pairs if name == "id"]
        outcome = await visit.service.operator.replay(references, visit.actor, dry_run=True) if references else None
        return visit.page("replay.html", outcome=outcome, references=references, query="", is_everything=False)
    query = _of_filter(pairs)
    is_everything = not query_string(replace(query, state=()))
    outcome = await visit.service.operator.replay_matching(query, visit.actor, everything=is_everything, dry_run=True)
    return visit.page(
        "replay.html", outcome=outcome, references=[], query=query_string(query), is_everything=is_everything
    )


async def replay(visit: Visit) -> Response:
    """`POST /console/replay`: those that the confirmation named."""
    visit.keep_work()
    references = visit.form.all_of("id")
    outcome = await _replay_matching(visit) if not references else await _replay_these(visit, references)
    if len(references) == 1 and references[0].isascii() and references[0].isdigit():
        return answers.see_other(f"{visit.base}/deliveries/{references[0]}?done={_word(outcome)}")
    return visit.page("replayed.html", outcome=outcome)


async def _replay_these(visit: Visit, references: list[str]) -> ReplayOutcome:
    return await visit.service.operator.replay(references, visit.actor)


async def _replay_matching(visit: Visit) -> ReplayOutcome:
    newest = visit.form["up_to"]
    if not newest.isascii() or not newest.isdigit() or len(newest) > _DIGITS:
        raise Problem(422, "invalid", "the confirmation's number is missing; choose what to replay again")
    query = _of_filter(parse_qsl(visit.form["query"]))
    is_everything = visit.form["everything"] == "yes"
    return await visit.service.operator.replay_matching(query, visit.actor, everything=is_everything, up_to=int(newest))


def _of_filter(pairs: list[tuple[str, str]]) -> DeliveryQuery:
    """The filter of a list's address, of dead letters unless it names states."""
    try:
        # a misspelt filter must not mean everything
        ours = [pair for pair in pairs if pair[0] not in ("cursor", "limit", "id", "which")]
        query = query_of(DeliveryQuery, ours, names_of(DeliveryQuery))
    except BadQuery as error:
        raise Problem(422, "invalid", str(error)) from None
    return query if query.state else replace(query, state=("dead",))


def _word(outcome: ReplayOutcome) -> str:
    return "replayed" if outcome.count else "left"
