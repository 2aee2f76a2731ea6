"""`GET /console/static/{version}/{name}`: style sheet, script and icon. Needs no session, holds nothing private."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.console import answers
from gateway.console.assets import files
from gateway.problems import Problem


async def static_file(request: Request) -> Response:
    """The file, which may be kept for ever; 404 where the address is that of another version."""
    found = files().get(request.path_params["name"])
    if found is None or found.version != request.path_params["version"]:
        raise Problem(404, "not_found", "this file is not there; load the page again")
    return answers.file(found.content, found.media_type)
