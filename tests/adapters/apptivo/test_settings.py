"""`[connections.X.apptivo]` and the field table: what is accepted, and what is said of the rest."""

import pytest
from pydantic import ValidationError

from adapters import registry
from adapters.apptivo import SPEC
from adapters.apptivo.endpoints import FEED

GIVEN = {"api_key": "key-of-tests", "access_key": "access-of-tests"}


def _settings(**parts):
    return SPEC.settings.model_validate({**GIVEN, **parts})


def test_the_defaults_are_those_of_the_contract():
    """Apptivo's own host, day before month, and the stages' usual names."""
    settings = _settings()
    assert (settings.base_url, settings.date_order) == ("https://api.apptivo.com", "DMY")
    assert (settings.won_stages, settings.lost_stages) == (("Closed Won",), ("Closed Lost",))
    assert settings.record_url is None


def test_the_registry_knows_the_adapter():
    """`crm = "apptivo"` opens this adapter."""
    assert registry.spec("apptivo") is SPEC


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "http://api.apptivo.com"},
        {"base_url": "api.apptivo.com"},
        {"base_url": "https://user:pw@api.apptivo.com"},
        {"date_order": "YMD"},
        {"record_url": "https://app.apptivo.com/customers/"},
        {"record_url": "javascript:{}"},
        {"user_name": ""},
        {"won_stages": "Closed Won"},
        {"unknown": 1},
        {"actions": {"tickets": {}}},
        {"actions": {"calls": {"url": "x"}}},
        {"api_key": ""},
        {"access_key": {"env": "NOT_SET"}},
    ],
)
def test_a_wrong_setting_is_named_and_no_secret_shown(wrong):
    """The fault's path is told; the keys never are."""
    with pytest.raises(ValidationError) as raised:
        _settings(**wrong)
    assert next(iter(wrong)) in str(raised.value)
    assert "-of-tests" not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1234/apptivo", "http://localhost:1/", "https://api2.apptivo.com/x"]
)
def test_an_address_keeps_its_path(address):
    """Loopback may be plain HTTP, and a prefix in the path stays."""
    assert _settings(base_url=address).base_url == address.rstrip("/")


def test_plain_http_elsewhere_needs_to_be_allowed():
    """`allow_http = true` beside the address permits it."""
    assert _settings(base_url="http://crm.internal", allow_http=True).base_url == "http://crm.internal"


def test_secrets_do_not_show():
    """Neither repr nor str of the settings holds a key."""
    assert "-of-tests" not in repr(_settings()) + str(_settings())


def test_every_guess_of_the_feed_can_be_corrected():
    """Path, action, list keys and parameters of each source are settings."""
    override = {"path": "/x/y/", "action": "z", "list_keys": ["k"], "parameters": {"b": "2"}}
    settings = _settings(actions=dict.fromkeys(FEED, override))
    for source, endpoint in FEED.items():
        corrected = endpoint.overridden(settings.actions[source])
        assert (
            corrected.path,
            corrected.actions,
            corrected.list_keys,
            corrected.query["b"],
        ) == ("x/y", ("z",), ("k",), "2")


def test_the_field_table_names_what_is_wrong():
    """Unknown targets and broken expressions are told, each with its name; custom fields are open."""
    good = {"website": "domain", "custom:input_1": "staff_number", "phone": ""}
    assert list(SPEC.check_fields(good)) == []
    assert list(SPEC.check_fields(SPEC.fields)) == []
    faults = SPEC.check_fields({"web": "domain", "city": "[["})
    assert [fault.split(":")[0] for fault in faults] == ["web", "city"]


def test_the_record_url_carries_the_id_encoded(bench):
    """`{}` takes the id, percent-encoded; without a template there is no link."""

    async def act(adapter, _deadline):
        return adapter.record_url("a/1")

    assert (
        bench.run(act, record_url="https://app.apptivo.com/customers/{}") == "https://app.apptivo.com/customers/a%2F1"
    )
    assert bench.run(act) is None


def test_acting_as_an_employee_is_sent_with_every_call(bench):
    """`user_name` travels as userName."""
    bench.run(lambda adapter, deadline: adapter.exists("1", deadline), user_name="api@example.com")
    assert "userName=api@example.com" in bench.app.journal.calls[-1]["query"]
