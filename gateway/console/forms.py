"""Forms of the console: read within the limits, and refused unless a page of ours made them for whoever sends them."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from gateway.console import origin
from gateway.http.inbound import raw_body, service_of
from gateway.problems import Problem

_MOST_FIELDS = 5_000


class Form:
    """The fields of a form; of one that comes twice, `all_of` has every value."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        """The first value, without spaces around it; "" where there is none."""
        return next((value.strip() for key, value in self._fields if key == name), "")

    def all_of(self, name: str) -> list[str]:
        """Every value of this name."""
        return [value for key, value in self._fields if key == name]


async def form_of(request: Request) -> Form:
    """The form that was sent; the `Problem` if it is none."""
    sent_as = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await raw_body(request)
    if sent_as != "application/x-www-form-urlencoded":
        raise Problem(415, "not_a_form", "expected a form of the console")
    try:
        fields = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Problem(400, "not_a_form", "this is no form in UTF-8, or it has too many fields") from None
    return Form(fields)


async def check_form(request: Request, subject: str, form: Form) -> None:
    """The `Problem` unless the form is one of our pages', made for this session or visitor."""
    service = service_of(request)
    if not origin.is_ours(request.headers, service.runtime.settings.server.public_url):
        raise Problem(403, "other_origin", "this form was sent from another site, and nothing was done")
    if not await service.sessions.is_form_token(subject, form["form_token"]):
        raise Problem(403, "form_expired", "this form is out of date, and nothing was done; go back, load it again")
