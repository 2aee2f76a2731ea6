"""Everything that is wrong with a configuration is told at once, each with its path."""

from typing import Any

import pytest

from gateway.settings import InvalidSettings, read

NAME_RULE = "a connection's name is a-z, 0-9 and -, at most 63, not beginning with -"
NO_CREDENTIALS = "no credentials: set api_keys, basic, jwt or url_tokens, or nobody can call this connection"
HTTPS = "expected https:// (http:// only on loopback, or with allow_http = true beside it)"
TEXT, LIST, TABLE = "expected a text in quotes", "expected a list in [ ]", "expected a table"
WHOLE, NUMBER, YES_NO = "expected a whole number", "expected a number", "expected true or false"
ACME = "connections.acme"


def test_everything_at_once(faults_in: Any) -> None:
    """One run tells all: a person mends the file once."""
    document = {
        "servre": {},
        "server": {"port": "8080", "hots": "x"},
        "storage": {"url": "mysql://x"},
        "operator": {"tokens": [{"env": "UNSET"}]},
        "connections": {
            "acme": {
                "crm": "apptivo",
                "timezone": "Helsinki",
                "apptivo": {"api_key": {"env": "ACME_APPTIVO_API_KEY"}, "acces_key": "x", "date_order": "YMD"},
                "feed": {"limit": 0},
            },
            "Globex": {},
            "initech": {"crm": "salesforce", "auth": {"api_keys": ["k"]}},
        },
    }
    assert {
        "servre: unknown key; did you mean server?",
        "server.port: expected a whole number",
        "server.hots: unknown key; did you mean host?",
        'storage.url: expected "sqlite:///file.db" or "postgresql://user@host/db"',
        "operator.tokens[0]: environment variable UNSET is not set",
        'connections.acme.timezone: expected an IANA zone such as "Europe/Helsinki"',
        "connections.acme.apptivo.api_key: environment variable ACME_APPTIVO_API_KEY is not set",
        "connections.acme.apptivo.access_key: is required",
        "connections.acme.apptivo.acces_key: unknown key; did you mean access_key?",
        "connections.acme.apptivo.date_order: expected 'DMY' or 'MDY'",
        "connections.acme.feed.limit: expected at least 1",
        f"connections.acme.auth: {NO_CREDENTIALS}",
        f"connections.Globex: {NAME_RULE}",
        'connections.initech.crm: unknown adapter "salesforce"; installed are apptivo, crmcom',
    } == set(faults_in(document))


def test_the_exception_tells_all_too(document: dict[str, Any]) -> None:
    """Whoever prints the exception prints every fault, one a line."""
    document["server"] = {"port": -1, "host": 1}
    with pytest.raises(InvalidSettings) as caught:
        read(document, {})
    assert str(caught.value) == "server.host: expected a text in quotes\nserver.port: expected at least 0"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("server", [], TABLE),
        ("server", "x", TABLE),
        ("server.host", 1, TEXT),
        ("server.host", "", "cannot be empty"),
        ("server.port", "8080", WHOLE),
        ("server.port", True, WHOLE),
        ("server.port", 8080.0, WHOLE),
        ("server.max_body_bytes", "1 MB", WHOLE),
        ("server.body_timeout_seconds", "10", NUMBER),
        ("server.body_timeout_seconds", True, NUMBER),
        ("server.trusted_proxies", "10.0.0.0/8", LIST),
        ("storage.url", 1, TEXT),
        ("operator.tokens", "token", LIST),
        ("connections", [], "expected tables such as [connections.acme]"),
        (ACME, "x", "expected a table [connections.acme]"),
        (f"{ACME}.crm", 1, TEXT),
        (f"{ACME}.crm", ..., "is required"),
        (f"{ACME}.timezone", 3, 'expected an IANA zone such as "Europe/Helsinki"'),
        (f"{ACME}.auth", [], TABLE),
        (f"{ACME}.auth.api_keys", "key", LIST),
        (f"{ACME}.auth.jwt", "x", TABLE),
        (f"{ACME}.webhooks.hmac", {}, LIST),
        (f"{ACME}.apptivo", "x", TABLE),
        (f"{ACME}.apptivo.base_url", 1, TEXT),
        (f"{ACME}.apptivo.allow_http", "yes", YES_NO),
        (f"{ACME}.apptivo.won_stages", "Closed Won", LIST),
        (f"{ACME}.vainu", [], TABLE),
        (f"{ACME}.export.fields", [], TABLE),
        (f"{ACME}.export.fields", {"customerName": 1}, None),
        (f"{ACME}.feed.stale_seconds", [], NUMBER),
    ],
)
def test_wrong_types(changed: Any, faults_in: Any, path: str, value: Any, message: str | None) -> None:
    """A value of another type is refused, never converted."""
    faults = faults_in(changed(path, value))
    if message is None:
        path, message = f"{path}.customerName", TEXT
    assert f"{path}: {message}" in faults
    assert len(faults) == 1


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{ACME}.apptivo.date_order", "YMD", "expected 'DMY' or 'MDY'"),
        (f"{ACME}.export.when_slow", "wait", "expected 'accept' or 'fail'"),
        (f"{ACME}.vainu", {"api_key": "k", "api_version": 3}, "expected 1 or 2"),
        (f"{ACME}.vainu", {"api_key": "k", "api_version": "2"}, "expected 1 or 2"),
        (f"{ACME}.webhooks.hmac", [{"secret": "s", "scheme": "svix"}], "expected 'standard' or 'header'"),
        (
            f"{ACME}.webhooks.hmac",
            [{"secret": "s", "algorithm": "md5"}],
            "expected 'sha1', 'sha256', 'sha384' or 'sha512'",
        ),
        (f"{ACME}.webhooks.hmac", [{"secret": "s", "encoding": "base32"}], "expected 'hex' or 'base64'"),
    ],
)
def test_a_word_that_is_none_of_the_known(changed: Any, faults_in: Any, path: str, value: Any, message: str) -> None:
    """The fault names the words that are known."""
    (fault,) = faults_in(changed(path, value))
    assert fault.startswith(path)
    assert fault.endswith(f": {message}")


@pytest.mark.parametrize(
    ("path", "value", "limit"),
    [
        ("server.port", -1, "at least 0"),
        ("server.port", 65_536, "at most 65535"),
        ("server.max_body_bytes", 0, "at least 1024"),
        ("server.max_body_bytes", -1, "at least 1024"),
        ("server.max_body_bytes", 10**30, "at most 1073741824"),
        ("server.body_timeout_seconds", 0, "more than 0"),
        ("server.body_timeout_seconds", float("inf"), "at most 600"),
        ("server.body_timeout_seconds", float("nan"), "at most 600"),
        ("server.requests_per_second", 0, "at least 1"),
        ("server.requests_per_second", 10**30, "at most 1000000"),
        ("server.failed_signins_per_minute", -5, "at least 1"),
        ("server.failed_signins_per_minute", 10**30, "at most 1000000"),
        ("server.drain_seconds", -1, "at least 0"),
        ("server.drain_seconds", 1e300, "at most 3600"),
        ("storage.retention_days", 0, "at least 1"),
        ("storage.retention_days", 10**30, "at most 36500"),
        (f"{ACME}.webhooks.tolerance_seconds", 0, "at least 1"),
        (f"{ACME}.webhooks.tolerance_seconds", 10**9, "at most 86400"),
        (f"{ACME}.export.budget_ms", 0, "at least 50"),
        (f"{ACME}.export.budget_ms", -2500, "at least 50"),
        (f"{ACME}.export.budget_ms", 10**12, "at most 600000"),
        (f"{ACME}.feed.budget_ms", 0, "at least 50"),
        (f"{ACME}.feed.limit", 0, "at least 1"),
        (f"{ACME}.feed.limit", 10**12, "at most 10000"),
        (f"{ACME}.feed.stale_seconds", -1, "at least 0"),
        (f"{ACME}.feed.stale_seconds", 1e12, "at most 86400"),
    ],
)
def test_limits(changed: Any, faults_in: Any, path: str, value: Any, limit: str) -> None:
    """A number that makes no sense is refused with the limit."""
    assert [f"{path}: expected {limit}"] == faults_in(changed(path, value))


@pytest.mark.parametrize("name", ["Acme", "acme.fi", "-acme", "", "a_b", "ä", "a" * 64, "a\nb", "acme "])
def test_names_that_are_none(document: dict[str, Any], faults_in: Any, name: str) -> None:
    """Every URL carries the name, so it is plain; the fault stays one line."""
    document["connections"][name] = document["connections"].pop("acme")
    (fault,) = faults_in(document)
    assert fault.endswith(f": {NAME_RULE}")
    assert "\n" not in fault


@pytest.mark.parametrize("name", ["a", "0", "2024", "a" * 63, "a-", "1-2"])
def test_names(document: dict[str, Any], faults_in: Any, name: str) -> None:
    """Letters, digits and hyphens, and a path that holds the name as it is written."""
    document["connections"] = {name: document["connections"]["acme"] | {"tiemzone": "UTC"}}
    assert [f"connections.{name}.tiemzone: unknown key; did you mean timezone?"] == faults_in(document)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("conections", {}, "unknown key; did you mean connections?"),
        ("xyz", 1, "unknown key"),
        (f"{ACME}.apptvo", {}, "unknown key; did you mean apptivo?"),
        (f"{ACME}.auth.api_key", ["k"], "unknown key; did you mean api_keys?"),
        (f"{ACME}.webhooks.hmca", [], "unknown key; did you mean hmac?"),
        (f"{ACME}.apptivo.won_stage", [], "unknown key; did you mean won_stages?"),
        (f"{ACME}.export.budget", 1, "unknown key; did you mean budget_ms?"),
        (f"{ACME}.crmcom", {}, 'not read: the crm of this connection is "apptivo"'),
        (f"{ACME}.name", "x", "unknown key"),
        (f"{ACME}.adapter", {}, "unknown key"),
        ("server.two words", 1, "unknown key"),
    ],
)
def test_unknown_keys(changed: Any, faults_in: Any, path: str, value: Any, message: str) -> None:
    """A key that nothing reads is a slip; the nearest known one of the same table is suggested."""
    shown = path.replace("two words", '"two words"')
    assert [f"{shown}: {message}"] == faults_in(changed(path, value))


def test_a_key_unknown_deep_inside(changed: Any, faults_in: Any) -> None:
    """The path leads through lists, and the suggestion comes from the table where the slip is."""
    basic = [{"username": "a", "password": "b"}, {"usernam": "a", "username": "a", "password": "b"}]
    assert [f"{ACME}.auth.basic[1].usernam: unknown key; did you mean username?"] == faults_in(
        changed(f"{ACME}.auth.basic", basic)
    )
    hmac = [{"secret": "s", "heador": "X"}]
    assert [f"{ACME}.webhooks.hmac[0].heador: unknown key; did you mean header?"] == faults_in(
        changed(f"{ACME}.webhooks.hmac", hmac)
    )


@pytest.mark.parametrize("auth", [..., {}, {"api_keys": []}, {"api_keys": [], "basic": [], "url_tokens": []}])
def test_a_connection_with_no_credentials(changed: Any, faults_in: Any, auth: Any) -> None:
    """Nobody could call it: said once, and what to set."""
    assert [f"{ACME}.auth: {NO_CREDENTIALS}"] == faults_in(changed(f"{ACME}.auth", auth))


def test_no_credentials_beside_other_faults(changed: Any, faults_in: Any) -> None:
    """A missing table does not hide what else is wrong, nor the other way round."""
    document = changed(f"{ACME}.auth", ...)
    document["connections"]["acme"]["feed"] = {"limit": 0}
    assert {f"{ACME}.auth: {NO_CREDENTIALS}", f"{ACME}.feed.limit: expected at least 1"} == set(faults_in(document))


def test_missing_tables(faults_in: Any) -> None:
    """An adapter's missing table is told key by key."""
    document = {"connections": {"acme": {"crm": "apptivo", "auth": {"api_keys": ["k"]}}}}
    assert [f"{ACME}.apptivo.api_key: is required", f"{ACME}.apptivo.access_key: is required"] == faults_in(document)


def test_an_unknown_crm_blames_its_own_table_on_nothing(changed: Any, faults_in: Any) -> None:
    """A slip in the CRM's name is one fault, not one more for the table below."""
    assert [f'{ACME}.crm: unknown adapter "aptivo"; installed are apptivo, crmcom'] == faults_in(
        changed(f"{ACME}.crm", "aptivo")
    )


ADDRESSES = [
    (f"{ACME}.apptivo", "base_url", {"api_key": "a", "access_key": "b"}),
    ("connections.globex.crmcom", "base_url", {"username": "u", "password": "p", "organisation": "o"}),
    (f"{ACME}.vainu", "base_url", {"api_key": "a"}),
    (f"{ACME}.aixon", "base_url", {"api_key": "a"}),
    (f"{ACME}.auth.jwt", "jwks_url", {"issuer": "i", "audience": "a"}),
    (
        "operator.oidc",
        "issuer",
        {"client_id": "c", "client_secret": "s", "allowed_emails": ["a@b"]},
    ),
]


@pytest.mark.parametrize(("path", "key", "rest"), ADDRESSES)
def test_http_is_for_loopback(changed: Any, faults_in: Any, path: str, key: str, rest: dict[str, Any]) -> None:
    """`http://` is refused at the key that holds it, but on loopback and where it is allowed beside it."""

    def faults(address: str, **more: Any) -> list[str]:
        return list(faults_in(changed(path, {**rest, key: address, **more})))

    assert [f"{path}.{key}: {HTTPS}"] == faults("http://crm.example.com")
    assert [f"{path}.{key}: {HTTPS}"] == faults("http://crm.example.com", allow_http=False)
    assert [f"{path}.{key}: {HTTPS}"] == faults("http://127.0.0.1.example.com")
    assert [f"{path}.{key}: {HTTPS}"] == faults("http://0.0.0.0:80")
    for address in ("http://127.0.0.1:8090/x", "http://localhost", "http://[::1]:1", "http://127.9.9.9"):
        assert faults(address) == []
    assert faults("http://crm.example.com", allow_http=True) == []


@pytest.mark.parametrize(("path", "key", "rest"), ADDRESSES)
@pytest.mark.parametrize(
    "address",
    ["", "crm.example.com", "ftp://x", "https://", "https://[::1", "https://h:99999", "https://a b", "https://a..b",
     "https://" + "a" * 64 + ".com", "https://a\nb", "https://user:pw@host", "https://host/#part", "//host"],
)  # fmt: skip
def test_addresses_that_are_none(
    changed: Any, faults_in: Any, path: str, key: str, rest: dict[str, Any], address: str
) -> None:
    """An address that could never be called is refused now, and not shown: it may hold a password."""
    (fault,) = faults_in(changed(path, {**rest, key: address}))
    assert fault.startswith(f"{path}.{key}: ")
    assert "pw" not in fault


@pytest.mark.parametrize("zone", ["", "Helsinki", "../etc/passwd", "/etc/localtime", "Europe", "a\0b", "UTC+2"])
def test_zones_that_are_none(changed: Any, faults_in: Any, zone: str) -> None:
    """A zone is a name of the IANA database."""
    assert [f'{ACME}.timezone: expected an IANA zone such as "Europe/Helsinki"'] == faults_in(
        changed(f"{ACME}.timezone", zone)
    )


@pytest.mark.parametrize("network", ["10.0.0.0/33", "x", "", "10.0.0.1/8", 1, ["10.0.0.0/8"]])
def test_proxies_that_are_no_network(changed: Any, faults_in: Any, network: Any) -> None:
    """Said once, at the place in the list."""
    assert faults_in(changed("server.trusted_proxies", ["::1", network])) == [
        'server.trusted_proxies[1]: expected a network such as "10.0.0.0/8"'
    ]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("gateway.db", 'expected "sqlite:///file.db" or "postgresql://user@host/db"'),
        ("", 'expected "sqlite:///file.db" or "postgresql://user@host/db"'),
        ("mysql://host/db", 'expected "sqlite:///file.db" or "postgresql://user@host/db"'),
        ("postgresql://u:pw@host:port/db", 'expected "sqlite:///file.db" or "postgresql://user@host/db"'),
        ("postgresql://u:p@pw@host/db", "an @ inside the user name or the password is written %40"),
        ("sqlite://", "expected a file: work that is only in memory is lost at the first restart"),
        ("sqlite:///:memory:", "expected a file: work that is only in memory is lost at the first restart"),
    ],
)
def test_stores_that_are_none(changed: Any, faults_in: Any, url: str, message: str) -> None:
    """A store is a file or a PostgreSQL database; its address is not shown: it may hold a password."""
    assert [f"storage.url: {message}"] == faults_in(changed("storage.url", url))


def test_export_fields(changed: Any, faults_in: Any) -> None:
    """A target that the CRM does not have, and an expression that is no JMESPath, are found before any export."""
    fields = {"customerName": "company_name", "customerNmae": "x", "website": "a["}
    unknown, broken = faults_in(changed(f"{ACME}.export.fields", fields))
    assert unknown.startswith(f"{ACME}.export.fields.customerNmae: ")
    assert broken.startswith(f"{ACME}.export.fields.website: ")


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("operator.oidc", {"issuer": "https://idp.example.com"}, "operator.oidc.client_id: is required"),
        (f"{ACME}.aixon", {"base_url": "https://aixon.example.com"}, f"{ACME}.aixon.api_key: is required"),
        (f"{ACME}.vainu", {}, f"{ACME}.vainu: expected api_key, or username and password"),
        (f"{ACME}.webhooks.hmac", [{}], f"{ACME}.webhooks.hmac[0].secret: is required"),
        (
            f"{ACME}.webhooks.basic",
            [{"username": "a:b", "password": "p"}],
            f"{ACME}.webhooks.basic[0].username: expected a user name without colons and control characters",
        ),
        (f"{ACME}.webhooks.api_keys", [""], f"{ACME}.webhooks.api_keys[0]: a secret cannot be empty"),
    ],
)
def test_what_later_parts_use_is_checked_now(changed: Any, faults_in: Any, path: str, value: Any, fault: str) -> None:
    """Sign-in, webhooks and sync find their settings whole."""
    assert fault in faults_in(changed(path, value))


def test_a_header_that_cannot_be_one(changed: Any, faults_in: Any) -> None:
    """The header of a signature is a name that HTTP allows."""
    for header in ("", "X Signature", "X:Signature", "X-Sig\n"):
        hmac = [{"secret": "s", "scheme": "header", "header": header}]
        assert len(faults_in(changed(f"{ACME}.webhooks.hmac", hmac))) == 1
