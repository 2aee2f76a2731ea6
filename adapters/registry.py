"""Name → adapter: the built-in ones, and those that installed packages bring by entry point."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from adapters.contract import AdapterSpec

ENTRY_POINT_GROUP = "vainu_gateway.adapters"
"""An installed package adds an adapter by an entry point of this group whose object is an `AdapterSpec`."""

BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "apptivo": "adapters.apptivo",
        "crmcom": "adapters.crmcom",
    }
)
"""Name → the package whose `SPEC` describes it. Adding a built-in adapter is one line here."""


class UnknownAdapter(LookupError):
    """No adapter of this name is installed, or it cannot be loaded; the message says which are."""


def names() -> list[str]:
    """Every adapter that can be named in `crm = "…"`, sorted."""
    return sorted({*BUILT_IN, *_installed()})


@cache
def spec(name: str) -> AdapterSpec:
    """The adapter of this name; `UnknownAdapter` if there is none or its package is broken."""
    if name in BUILT_IN:
        found: object = import_module(BUILT_IN[name]).SPEC
    elif name in _installed():
        found = _load(_installed()[name])
    else:
        raise UnknownAdapter(f'unknown adapter "{name}"; installed are {", ".join(names())}')
    if not isinstance(found, AdapterSpec):
        raise UnknownAdapter(f'the adapter "{name}" is no AdapterSpec but {type(found).__name__}')
    return found


def _load(entry_point: EntryPoint) -> object:
    try:
        return entry_point.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise UnknownAdapter(
            f'the adapter "{entry_point.name}" ({entry_point.value}) cannot be loaded: {error}'
        ) from error


@cache
def _installed() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
