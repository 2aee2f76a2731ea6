"""Reads the TOML file into `Settings`, finding every fault at once, each with its path."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError

from adapters import registry
from gateway.settings.model import ConnectionSettings, Settings

_Model = TypeVar("_Model", bound=BaseModel)

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_CONNECTION_KEYS = frozenset(ConnectionSettings.model_fields) - {"name", "adapter"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the configuration. Never holds a secret."""

    path: str
    """Where in the file, such as `connections.acme.apptivo.api_key`; "" for the file itself."""
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class InvalidSettings(Exception):
    """The configuration cannot be used; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def config_path(option: str | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The file to read: `--config`, else `$GATEWAY_CONFIG`, else `./gateway.toml`."""
    return Path(option or environ.get("GATEWAY_CONFIG") or "gateway.toml")


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a file; `InvalidSettings` with every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidSettings(
            [Fault("", f"{path} does not exist; name a file with --config or GATEWAY_CONFIG")]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings([Fault("", f"{path} cannot be read: {type(error).__name__}")]) from None
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSettings([Fault("", f"{path} is not TOML: {error}")]) from None
    return read(document, environ)


def read(document: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a parsed TOML document; `InvalidSettings` with every fault."""
    faults: list[Fault] = []
    rest = {key: value for key, value in document.items() if key != "connections"}
    base = _validated(Settings, rest, (), environ, faults)
    connections = dict(_connections(document.get("connections", {}), environ, faults))
    if faults or base is None:
        raise InvalidSettings(faults)
    return base.model_copy(update={"connections": connections})


def _connections(
    tables: object, environ: Mapping[str, str], faults: list[Fault]
) -> Iterator[tuple[str, ConnectionSettings]]:
    if not isinstance(tables, Mapping):
        faults.append(Fault("connections", "expected tables such as [connections.acme]"))
        return
    for name, table in tables.items():
        path = f"connections.{name}"
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
    adapter = _adapter_settings(path, table, environ, faults)
    rest = {key: value for key, value in table.items() if key in _CONNECTION_KEYS}
    unknown = [key for key in table if key not in _CONNECTION_KEYS and key != table.get("crm")]
    faults += [Fault(".".join((*path, key)), _unknown_key(key, _CONNECTION_KEYS)) for key in unknown]
    rest["timezone"] = _zone(path, table.get("timezone", "UTC"), faults)
    if "auth" not in table:
        faults.append(Fault(f"connections.{name}.auth", _NO_CREDENTIALS))
        rest["auth"] = {}
    read = _validated(ConnectionSettings, {**rest, "name": name, "adapter": adapter}, path, environ, faults)
    if read is not None and "auth" in table and read.auth.is_empty:
        faults.append(Fault(f"connections.{name}.auth", _NO_CREDENTIALS))
    return read if len(faults) == before else None


_NO_CREDENTIALS = "no credentials: set api_keys, basic, jwt or url_tokens, or nobody can call this connection"


def _adapter_settings(
    path: tuple[str, str], table: Mapping[str, Any], environ: Mapping[str, str], faults: list[Fault]
) -> BaseModel | None:
    crm = table.get("crm")
    if not isinstance(crm, str):
        return None
    try:
        spec = registry.spec(crm)
    except registry.UnknownAdapter as error:
        faults.append(Fault(".".join((*path, "crm")), str(error)))
        return None
    export = table.get("export")
    overrides = export.get("fields") if isinstance(export, Mapping) else None
    if isinstance(overrides, Mapping) and all(isinstance(value, str) for value in overrides.values()):
        faults += [_override_fault(path, fault) for fault in spec.check_fields(overrides)]
    return _validated(spec.settings, table.get(crm, {}), (*path, crm), environ, faults)


def _override_fault(path: tuple[str, str], fault: str) -> Fault:
    target, _, message = fault.partition(": ")
    return Fault(".".join((*path, "export.fields", target)), message)


def _zone(path: tuple[str, str], name: object, faults: list[Fault]) -> ZoneInfo:
    try:
        return ZoneInfo(name) if isinstance(name, str) else ZoneInfo("")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(Fault(".".join((*path, "timezone")), 'expected an IANA zone such as "Europe/Helsinki"'))
        return ZoneInfo("UTC")


def _validated(
    model: type[_Model], table: object, path: tuple[str, ...], environ: Mapping[str, str], faults: list[Fault]
) -> _Model | None:
    try:
        return model.model_validate(table, context={"environ": environ})
    except ValidationError as error:
        # include_input stays off: an input may be a secret
        found = error.errors(include_url=False, include_input=False)
        faults += [_fault(model, path, one) for one in found]
        return None


def _fault(model: type[BaseModel], path: tuple[str, ...], error: Any) -> Fault:
    location = ".".join(map(str, (*path, *error["loc"])))
    location = re.sub(r"\.(\d+)", r"[\1]", location)
    match error["type"]:
        case "extra_forbidden":
            return Fault(location, _unknown_key(str(error["loc"][-1]), model.model_fields))
        case "missing":
            return Fault(location, "is required")
        case "value_error":
            return Fault(location, str(error["ctx"]["error"]))
        case _:
            message = str(error["msg"])
            return Fault(location, message[:1].lower() + message[1:])


def _unknown_key(key: str, known: Any) -> str:
    close = difflib.get_close_matches(key, list(known), 1)
    return f"unknown key; did you mean {close[0]}?" if close else "unknown key"
