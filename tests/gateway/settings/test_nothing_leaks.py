"""No secret shows in a fault, a repr, a dump, or a traceback of anything that goes wrong while settings are read."""

import io
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway import logs
from gateway.settings import InvalidSettings, Settings, load, read

MARK = "PLANTED"


def _planted() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"{MARK}-{number}"


def _document() -> dict[str, Any]:
    """A configuration with every kind of secret, each of which holds the mark."""
    secret = _planted()
    return {
        "storage": {
            "url": f"postgresql://user:{next(secret)}@host/db",
            "encryption_key": f"{next(secret)} of the store",
            "previous_encryption_keys": [f"{next(secret)} of the store"],
        },
        "operator": {
            "tokens": [next(secret)],
            "oidc": {
                "issuer": "https://idp.example.com",
                "client_id": "gateway",
                "client_secret": next(secret),
                "allowed_emails": ["ops@example.com"],
            },
        },
        "connections": {
            "acme": {
                "crm": "apptivo",
                "auth": {
                    "api_keys": [next(secret), {"env": "KEY"}],
                    "basic": [{"username": "vainu", "password": next(secret)}],
                    "url_tokens": [next(secret)],
                },
                "webhooks": {
                    "hmac": [{"secret": next(secret)}],
                    "basic": [{"username": "crm", "password": next(secret)}],
                    "api_keys": [next(secret)],
                    "url_tokens": [next(secret)],
                },
                "apptivo": {"api_key": next(secret), "access_key": {"env": "KEY"}},
                "vainu": {"api_key": next(secret)},
                "aixon": {"base_url": "https://aixon.example.com", "api_key": next(secret)},
            },
            "globex": {
                "crm": "crmcom",
                "auth": {"api_keys": [next(secret)]},
                "crmcom": {
                    "base_url": "https://crm.example.com",
                    "username": "u",
                    "password": next(secret),
                    "organisation": "o",
                },
                "vainu": {"username": "someone", "password": next(secret)},
            },
        },
    }


ENVIRON = {"KEY": f"{MARK}-in-the-environment"}


@pytest.fixture
def settings() -> Settings:
    return read(_document(), ENVIRON)


def test_no_secret_in_any_text_of_the_settings(settings: Settings) -> None:
    """repr, str, dump and JSON of the settings, whole and part by part."""
    parts = [settings, settings.storage, settings.operator, *settings.connections.values()]
    parts += [part for each in settings.connections.values() for part in (each.adapter, each.auth, each.vainu)]
    for part in parts:
        for text in (repr(part), str(part), repr(part.model_dump()), part.model_dump_json()):
            assert MARK not in text


def test_the_secrets_are_there_for_redaction(settings: Settings) -> None:
    """Everything that is sent onward is known in plain to the one who takes it out of texts."""
    acme = settings.connections["acme"]
    sent = {
        acme.adapter.api_key.get_secret_value(),
        acme.adapter.access_key.get_secret_value(),
        acme.webhooks.hmac[0].secret.get_secret_value(),
    }
    assert all(MARK in secret for secret in sent)
    assert sent <= set(acme.secret_values())


def _broken() -> Iterator[dict[str, Any]]:
    """The document, each time with one more table made wrong in another way around its secrets."""
    for path in (
        "storage.url",
        "operator.tokens",
        "operator.oidc",
        "connections.acme",
        "connections.acme.auth",
        "connections.acme.auth.api_keys",
        "connections.acme.auth.basic",
        "connections.acme.webhooks.hmac",
        "connections.acme.apptivo",
        "connections.acme.vainu",
        "connections.acme.aixon",
        "connections.globex.crmcom",
    ):
        for change in (
            lambda held: [held],
            lambda held: {"unknown": held},
            str,
            lambda held: held | {"unknown": held} if isinstance(held, dict) else [{"env": MARK + " x"}],
            lambda held: {key: {"value": item} for key, item in held.items()} if isinstance(held, dict) else 5,
        ):
            document = _document()
            *outer, last = path.split(".")
            table = document
            for key in outer:
                table = table[key]
            table[last] = change(table[last])
            yield document


def _told(error: BaseException) -> str:
    """Everything an exception could tell anybody: its chain printed, causes and contexts too."""
    output = io.StringIO()
    found: BaseException | None = error
    while found is not None:
        output.write("".join(traceback.format_exception(found, chain=True)))
        output.write(repr(found) + repr(found.args) + repr(vars(found)))
        found = found.__cause__ or found.__context__
    return output.getvalue()


def test_no_secret_in_any_fault() -> None:
    """Whatever is wrong around a secret, neither the faults nor the exception and its chain show it."""
    refused = 0
    for document in _broken():
        try:
            read(document, ENVIRON)
        except InvalidSettings as error:
            refused += 1
            assert MARK not in _told(error)
    assert refused > 40


def test_no_secret_in_the_fault_of_a_broken_file(tmp_path: Any) -> None:
    """A TOML error tells the place, not the line."""
    path = tmp_path / "gateway.toml"
    for text in (f'a = "{MARK}', f"a = {MARK}", f'a = "{MARK}" b', f'a = "{MARK}"\na = "{MARK}"', f'"{MARK}\n'):
        path.write_text(text)
        with pytest.raises(InvalidSettings) as caught:
            load(path, {})
        assert MARK not in str(caught.value)


def test_no_secret_in_a_logged_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect's traceback shows code and types, never values or what was said, at a terminal either."""
    held = structlog.get_config(), logging.getLogger().handlers[:], logging.getLogger().level
    output = io.StringIO()
    monkeypatch.setattr("sys.stderr", output)
    try:
        for as_json in (False, True):
            logs.configure(json=as_json)
            secret = "-".join([MARK, "7"])
            try:
                raise RuntimeError(secret)
            except RuntimeError:
                structlog.get_logger().exception("defect", size=len(secret))
                logging.getLogger("somewhere").exception("a defect elsewhere")
    finally:
        structlog.configure(**held[0])
        logging.getLogger().handlers[:], logging.getLogger().level = held[1], held[2]
    assert output.getvalue().count("builtins.RuntimeError") >= 4
    assert MARK not in output.getvalue()
