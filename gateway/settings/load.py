"""Reads the TOML file into `Settings`, finding every fault at once, each with its path."""

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError

from adapters import registry
from adapters.contract import AdapterSpec
from gateway.settings.faults import Fault, InvalidSettings, faults_of, path_text, unknown_key
from gateway.settings.model import ConnectionSettings, Settings

_Model = TypeVar("_Model", bound=BaseModel)

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CONNECTION_KEYS = frozenset(ConnectionSettings.model_fields) - {"name", "adapter"}
_ORIGINS = {"env": "environment variable {}", "file": "file {}", "sha256": "its SHA-256 in the file"}
"""The forms of a secret (`adapters.secrets`), and how they are told of."""
_NO_CREDENTIALS = "no credentials: set api_keys, basic, jwt or url_tokens, or nobody can call this connection"


def config_path(option: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file to read: `--config`, else `$GATEWAY_CONFIG`, else `./gateway.toml`."""
    return Path(option or environ.get("GATEWAY_CONFIG") or "gateway.toml")


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a file; `InvalidSettings` with every fault."""
    return read(_document(path), environ)


def _document(path: Path) -> dict[str, Any]:
    try:
        # some editors begin a file with a byte order mark
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"{path} does not exist; name a file with --config or GATEWAY_CONFIG"
    except UnicodeDecodeError:
        message = f"{path} is not UTF-8 text"
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
    else:
        try:
            return tomllib.loads(text)
        except RecursionError:
            message = f"{path} is nested too deep"
        except ValueError as error:
            # a number of thousands of digits is a plain ValueError
            message = f"{path} is not TOML: {error}"
    raise InvalidSettings([Fault("", message)])


def read(document: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a parsed TOML document; `InvalidSettings` with every fault."""
    faults: list[Fault] = []
    rest = {key: value for key, value in document.items() if key != "connections"}
    base = _validated(Settings, rest, (), environ, faults)
    connections = dict(_connections(document.get("connections", {}), environ, faults))
    if faults or base is None:
        raise InvalidSettings(faults)
    settings = base.model_copy(update={"connections": connections})
    settings._origins = dict(_origins(document, ()))
    return settings


def _origins(node: object, steps: tuple[str | int, ...]) -> Iterator[tuple[str, str]]:
    """Every place of the document where a secret is named instead of written, and what is named there."""
    if isinstance(node, Mapping):
        (key, name), *more = node.items() or [("", "")]
        if not more and key in _ORIGINS and isinstance(name, str):
            yield path_text(steps), _ORIGINS[key].format(name)
        for key, inner in node.items():
            yield from _origins(inner, (*steps, str(key)))
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from _origins(inner, (*steps, number))


def _connections(
    tables: object, environ: Mapping[str, str], faults: list[Fault]
) -> Iterator[tuple[str, ConnectionSettings]]:
    if not isinstance(tables, Mapping):
        faults.append(Fault("connections", "expected tables such as [connections.acme]"))
        return
    for name, table in tables.items():
        path = path_text(("connections", name))
        if not NAME.fullmatch(name):
            faults.append(Fault(path, "a connection's name is a-z, 0-9 and -, at most 63, not beginning with -"))
        elif not isinstance(table, Mapping):
            faults.append(Fault(path, f"expected a table [{path}]"))
        elif (connection := _connection(name, table, environ, faults)) is not None:
            yield name, connection


def _connection(
    name: str, table: Mapping[str, Any], environ: Mapping[str, str], faults: list[Fault]
) -> ConnectionSettings | None:
    path = ("connections", name)
    before = len(faults)
    spec = _spec(path, table.get("crm"), faults)
    faults += [Fault(path_text((*path, key)), said) for key, said in _unread_keys(table, spec)]
    adapter = _adapter_settings(path, table, spec, environ, faults)
    zone = _zone(path, table.get("timezone", "UTC"), faults)
    rest: dict[str, Any] = {key: table[key] for key in _CONNECTION_KEYS - {"timezone"} if key in table}
    rest.setdefault("auth", {})
    read = _validated(ConnectionSettings, {**rest, "name": name, "adapter": None}, path, environ, faults)
    if rest["auth"] == {} or (read is not None and read.auth.is_empty):
        faults.append(Fault(path_text((*path, "auth")), _NO_CREDENTIALS))
    if read is not None and read.sync.every is not None:
        lacking = [target for target in read.sync.to if getattr(read, target) is None]
        faults += [Fault(path_text((*path, "sync", "to")), f"{each}: add {_table(path, each)}") for each in lacking]
    if read is None or len(faults) > before:
        return None
    return read.model_copy(update={"adapter": adapter, "timezone": zone})


def _table(path: tuple[str, ...], key: str) -> str:
    return f"[{path_text((*path, key))}]"


def _spec(path: tuple[str, str], crm: object, faults: list[Fault]) -> AdapterSpec | None:
    if not isinstance(crm, str):
        # the table's own validation tells that it is missing, or no text
        return None
    try:
        return registry.spec(crm)
    except registry.UnknownAdapter as error:
        faults.append(Fault(path_text((*path, "crm")), str(error)))
        return None


def _unread_keys(table: Mapping[str, Any], spec: AdapterSpec | None) -> Iterator[tuple[str, str]]:
    """The keys of a connection that nothing reads, and what to say of each."""
    adapters = registry.names()
    for key in table:
        if key in _CONNECTION_KEYS or (spec is not None and key == spec.name):
            continue
        if key not in adapters:
            yield key, unknown_key(key, _CONNECTION_KEYS | ({spec.name} if spec else set(adapters)))
        elif spec is not None:
            yield key, f'not read: the crm of this connection is "{spec.name}"'


def _adapter_settings(
    path: tuple[str, str],
    table: Mapping[str, Any],
    spec: AdapterSpec | None,
    environ: Mapping[str, str],
    faults: list[Fault],
) -> BaseModel | None:
    if spec is None:
        return None
    export = table.get("export")
    overrides = export.get("fields") if isinstance(export, Mapping) else None
    if isinstance(overrides, Mapping) and all(isinstance(value, str) for value in overrides.values()):
        faults += [_override_fault(path, fault) for fault in spec.check_fields(overrides)]
    return _validated(spec.settings, table.get(spec.name, {}), (*path, spec.name), environ, faults)


def _override_fault(path: tuple[str, str], fault: str) -> Fault:
    target, _, message = fault.partition(": ")
    return Fault(path_text((*path, "export", "fields", target)), message)


def _zone(path: tuple[str, str], name: object, faults: list[Fault]) -> ZoneInfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) else ZoneInfo("")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(Fault(path_text((*path, "timezone")), 'expected an IANA zone such as "Europe/Helsinki"'))
        return ZoneInfo("UTC")


def _validated(
    model: type[_Model], table: object, path: tuple[str, ...], environ: Mapping[str, str], faults: list[Fault]
) -> _Model | None:
    try:
        # as JSON, because strict Python values would have to be tuples and networks, which no file can hold
        text = json.dumps(table, default=_date)
        return model.model_validate_json(text, strict=True, context={"environ": environ})
    except ValidationError as error:
        faults += faults_of(error, model, path)
    except RecursionError:
        faults.append(Fault(path_text(path), "is nested too deep"))
    return None


def _date(value: object) -> dict[str, str]:
    """TOML's dates and times stand where no setting expects one: as a table they are refused like any wrong type."""
    return {"date": str(value)}
