"""Where Vainu sends company changes: configured, listed, removed (vdev, "Configure Webhooks")."""

from typing import Any

import pytest

from adapters.contract import NotFound, Refused, UnexpectedReply
from adapters.serving import serving
from adapters.vainu import VainuClient
from tests.adapters.vainu.served import Served, answering, soon, use

URL = "https://gateway.example.com/vainu/acme/webhooks"


def test_a_webhook_is_made_listed_and_removed(account: Served) -> None:
    """With the one type there is; the query comes after the address."""

    async def act(client: VainuClient) -> None:
        hooks = client.webhook_configurations
        made = await hooks.create(URL, soon(), query="token=not-a-real-token")
        other = await hooks.create(f"{URL}/2", soon())
        assert (made.url, made.query, made.type) == (URL, "token=not-a-real-token", "company_change_webhook")
        assert list(await hooks.list(soon())) == [made, other]
        await hooks.delete(made.id, soon())
        assert list(await hooks.list(soon())) == [other]
        with pytest.raises(NotFound):
            await hooks.delete(made.id, soon())

    account.use(act, version=1)
    assert {call.split("/")[2] for call in account.calls} == {"v2"}


@pytest.mark.parametrize("url", ["http://gateway.example.com/", "https://", "gateway.example.com", ""])
def test_an_address_that_is_not_https_is_refused_unsent(account: Served, url: str) -> None:
    """Company data would go out in the clear."""
    with pytest.raises(Refused, match="nothing was sent"):
        account.use(lambda client: client.webhook_configurations.create(url, soon()))
    assert account.calls == []


@pytest.mark.parametrize("webhook_id", ["", "..", "a/b", "?", None])
def test_a_webhook_is_removed_by_its_id_only(account: Served, webhook_id: Any) -> None:
    """A DELETE without one might remove all of them."""
    with pytest.raises(Refused, match="nothing was sent"):
        account.use(lambda client: client.webhook_configurations.delete(webhook_id, soon()))
    assert account.calls == []


def test_tokens_are_shown_neither_in_errors_nor_in_reprs(account: Served) -> None:
    """Vainu may repeat what it refuses."""
    address = f"{URL}?token=planted-in-url"
    with serving(answering({"url": [address, "planted-in-query"]}, 400)) as url, pytest.raises(Refused) as caught:
        use(url, lambda client: client.webhook_configurations.create(address, soon(), query="t=planted-in-query"))
    assert "planted" not in str(caught.value) + caught.value.detail
    made = account.use(lambda client: client.webhook_configurations.create(address, soon(), query="t=planted-in-query"))
    assert "planted" not in repr(made)


@pytest.mark.parametrize(
    ("answer", "ids"),
    [
        ([{"id": "a1", "url": URL}], ["a1"]),
        ([{"_id": 7, "url": URL, "status": "active"}], ["7"]),
        ({"results": [{"webhook_id": "b", "url": URL}]}, ["b"]),
        ({"id": "c", "url": URL}, ["c"]),
        ([{"url": URL, "id": "../x"}], [""]),
        ([], []),
    ],
)
def test_a_list_is_read_in_every_likely_form(answer: Any, ids: list[str]) -> None:
    """How it looks is unknown: a list, a page, or the only one there is."""
    with serving(answering(answer)) as url:
        assert [each.id for each in use(url, lambda client: client.webhook_configurations.list(soon()))] == ids


@pytest.mark.parametrize("answer", [None, {}, "x", [{"hello": "world"}]])
def test_an_unknown_shape_is_never_an_empty_list(answer: Any) -> None:
    """200 with something else is an unexpected reply."""
    with serving(answering(answer)) as url, pytest.raises(UnexpectedReply):
        use(url, lambda client: client.webhook_configurations.list(soon(1)))


def test_the_path_is_a_setting() -> None:
    """Only its beginning is known."""
    hook = {"id": "a1", "url": URL}
    with serving(answering([hook])) as url:
        found = use(
            url, lambda client: client.webhook_configurations.list(soon()), webhook_configuration_path="webhook_conf/"
        )
    assert [each.id for each in found] == ["a1"]
