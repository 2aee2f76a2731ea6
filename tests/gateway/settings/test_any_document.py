"""Whatever a file holds, it gives settings or faults."""

import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.settings import InvalidSettings, Settings, read

_WORDS = """
server storage operator connections acme globex crm timezone auth webhooks apptivo crmcom vainu aixon export feed
host port public_url trusted_proxies url tokens oidc issuer client_id client_secret allowed_emails api_keys basic
username password jwt audience jwks_url url_tokens hmac secret scheme header base_url api_key access_key date_order
won_stages record_url actions tasks organisation unit fields customerName budget_ms limit env file sha256 numbers_in
"""
KEYS = st.sampled_from(_WORDS.split()) | st.text(max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["apptivo", "crmcom", "https://x", "http://x", "UTC", "a[", "{}", "", "/", "\0", "\ud800"])
    | st.just(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    | st.just(datetime.time(1, 2))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)
TABLES = st.dictionaries(KEYS, VALUES, max_size=6)


def _settings_or_faults(document: dict[str, Any]) -> None:
    try:
        assert isinstance(read(document, {"SET": "x"}), Settings)
    except InvalidSettings as error:
        assert error.faults
        assert all(str(fault).isprintable() or "\0" in str(fault) for fault in error.faults)


@settings(deadline=None, max_examples=150)
@given(TABLES)
def test_any_document(document: dict[str, Any]) -> None:
    """Any nested tables give `Settings` or `InvalidSettings`, nothing else."""
    _settings_or_faults(document)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from(["apptivo", "crmcom"]),
    st.sampled_from(["server", "storage", "operator"]),
    st.sampled_from(["auth", "webhooks", "apptivo", "crmcom", "vainu", "aixon", "export", "feed", "timezone"]),
    VALUES,
    VALUES,
)
def test_any_table_in_its_place(crm: str, section: str, table: str, above: Any, below: Any) -> None:
    """The same, where it reaches the models."""
    connection = {"crm": crm, "auth": {"api_keys": ["k"]}, table: below}
    _settings_or_faults({section: above, "connections": {"acme": connection}})


def test_any_depth() -> None:
    """A document nested beyond what can be followed is faulty, too."""
    deep: Any = "x"
    for _ in range(3_000):
        deep = [deep]
    for place in ({"server": deep}, {"connections": {"acme": {"crm": "apptivo", "apptivo": {"api_key": deep}}}}):
        _settings_or_faults(place)
