"""The configuration in force, setting by setting, as it is written in the file; secrets by where they are from."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from gateway.operator.previews import Configuration, Setting
from gateway.settings import Settings
from gateway.settings.faults import path_text

Steps = tuple[str | int, ...]


def in_force(settings: Settings, file: str | None) -> Configuration:
    """Every setting, also those at their defaults; `file` is the name of the file they were read from."""
    return Configuration(file, tuple(_settings(settings, (), settings.origins)))


def _settings(value: object, steps: Steps, origins: Mapping[str, str]) -> Iterator[Setting]:
    if isinstance(value, SecretStr):
        path = path_text(steps)
        yield Setting(path, None, True, origins.get(path, "written in the file"))
    elif isinstance(value, BaseModel):
        shown = value.model_dump(mode="json")
        for name in type(value).model_fields:
            inner = getattr(value, name)
            if _has_parts(inner):
                yield from _settings(inner, (*steps, *_step(value, name)), origins)
            elif not (name == "name" and "crm" in type(value).model_fields):
                yield Setting(path_text((*steps, name)), shown[name], False, None)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _settings(inner, (*steps, key), origins)
    elif isinstance(value, tuple) and any(map(_has_parts, value)):
        for number, inner in enumerate(value):
            yield from _settings(inner, (*steps, number), origins)
    else:
        yield Setting(path_text(steps), _plain(value), False, None)


def _has_parts(value: object) -> bool:
    if isinstance(value, tuple):
        return any(map(_has_parts, value))
    return isinstance(value, SecretStr | BaseModel) or (isinstance(value, Mapping) and bool(value))


def _step(model: BaseModel, name: str) -> Steps:
    """An adapter's own table is called by the adapter's name."""
    return (str(getattr(model, "crm", name)),) if name == "adapter" else (name,)


def _plain(value: object) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
