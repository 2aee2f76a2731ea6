"""The documentation says what is there: settings, routes, commands, links, samples and the recipe."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import click
import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from adapters import registry
from gateway import app, cli
from gateway.auth.settings import ALGORITHMS
from gateway.settings import ConnectionSettings, Settings, read

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "tests" / "example_adapter"
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted(ROOT.glob("adapters/*/NOTES.md")),
    *sorted(ROOT.glob("tests/*/**/*.md")),
    *sorted(ROOT.glob("deploy/**/*.md")),
]
PLACE = re.compile(r"(?:adapters|gateway|tests|deploy|openapi|tinycrm)/[A-Za-z0-9_./-]*")


def documented_settings() -> dict[str, dict[str, str]]:
    """Every table of the README's configuration chapter: its path → key → default, as written."""
    chapter = README.partition("\n## Configuration\n")[2].partition("\n## ")[0]
    tables = {}
    for section in chapter.split("\n### ")[1:]:
        heading, _, body = section.partition("\n")
        rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", body, re.MULTILINE)
        tables[heading.strip("`[]")] = {key: default.strip() for key, default in rows}
    return tables


def settings_of_the_models() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table that can be written: its path, and the model that reads it."""
    yield from tables_below("", Settings, {"connections"})
    yield "connections.NAME", ConnectionSettings
    yield from tables_below("connections.NAME", ConnectionSettings, {"name", "adapter"})
    for name in registry.BUILT_IN:
        model = registry.spec(name).settings
        yield f"connections.NAME.{name}", model
        yield from tables_below(f"connections.NAME.{name}", model, set())


def tables_below(path: str, model: type[BaseModel], without: set[str]) -> Iterator[tuple[str, type[BaseModel]]]:
    """The tables inside a table."""
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None and name not in without:
            # a user name and its password are the same table wherever they stand, and so are documented once
            below = "connections.NAME.auth.basic" if name == "basic" else f"{path}.{name}".strip(".")
            below += ".SOURCE" if name == "actions" else ""
            # as is how a remote system is reached
            below = "connections.NAME.SYSTEM.tls" if name == "tls" else below
            yield below, inner
            yield from tables_below(below, inner, set())


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field's type is, holds, or lists."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)


def written_default(field: FieldInfo) -> str:
    """A default as the README writes it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if value == ALGORITHMS:
        return "all asymmetric"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{value}`"
    if isinstance(value, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in value) + "]`"
    return "`{}`" if isinstance(value, Mapping) else f'`"{value}"`'


def own_keys(model: type[BaseModel]) -> dict[str, str]:
    """The keys of a table itself with their defaults; a table inside it that is always there has its own heading."""
    left_out = {"name", "adapter"} if model is ConnectionSettings else set()
    return {
        name: written_default(field)
        for name, field in model.model_fields.items()
        if name not in left_out and not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
    }


MODELS = dict(settings_of_the_models())


@pytest.mark.parametrize("path", MODELS)
def test_every_setting_is_in_the_readme(path: str) -> None:
    """Each table of the configuration is documented under its path: every key, no other, with its true default."""
    assert documented_settings().get(path) == own_keys(MODELS[path])


def test_the_readme_has_no_settings_that_there_are_not() -> None:
    """Every documented table is one that the gateway reads."""
    assert set(documented_settings()) - set(MODELS) == set()


def chapter(title: str) -> str:
    """A chapter of the README."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_route_is_in_the_readme() -> None:
    """The routes' table holds every route of the application, and no other."""
    documented = re.findall(r"^\| `([A-Z]+) (/[^`]*)` \|", chapter("Routes"), re.MULTILINE)
    assert sorted(documented) == sorted((method, path) for method, path, _endpoint in app.ROUTES)


def commands() -> dict[str, click.Command]:
    """Every command of the command line, by its whole name."""

    def walk(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if not hasattr(command, "commands"):
            yield name, command
            return
        for part, inner in command.commands.items():
            yield from walk(f"{name} {part}", inner)

    return dict(walk("gateway", typer.main.get_command(cli.app)))


def options(command: click.Command) -> set[str]:
    """The options that a command shows."""
    return {
        option for each in command.params if not getattr(each, "hidden", True) for option in each.opts if "--" in option
    }


def test_every_command_and_option_is_in_the_readme() -> None:
    """The commands' table holds every command with every option, and no other."""
    documented = {}
    for line in re.findall(r"^\| `(gateway [^`]*)` \|", chapter("Commands"), re.MULTILINE):
        name = re.match(r"[a-z ]+[a-z]", line)
        assert name
        documented[name[0]] = set(re.findall(r"--[a-z-]+", line))
    assert documented == {name: options(command) for name, command in commands().items()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """Relative links lead to files, links inside a page to headings, and the paths that are named exist."""
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = {
        re.sub(r"[^a-z0-9 -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^#+ (.*)", prose, re.M)
    }
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("#"):
            lost += [] if target[1:] in headings else [target]
        elif "://" not in target and not (document.parent / target.partition("#")[0]).exists():
            lost.append(target)
    for code in re.findall(r"`([^`\n]+)`", prose):
        if PLACE.fullmatch(code) and not any((base / code).exists() for base in (ROOT, document.parent, EXAMPLE)):
            lost.append(code)
    assert lost == []


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_the_readme_s_configuration_can_be_used() -> None:
    """The sample loads as it stands, with the variables that the lines above it set."""
    sample = blocks(README, "toml")[0]
    variables = set(re.findall(r"\b([A-Z][A-Z_]+)=", "".join(blocks(README, "sh"))))
    settings = read(tomllib.loads(sample), {name: f"value-of-{name}" for name in variables})
    assert list(settings.connections) == ["acme"]
    assert variables - {"DEMO"} == set(re.findall(r'env = "([^"]+)"', sample))


@pytest.mark.parametrize("text", [README, CONTRIBUTING], ids=["README", "CONTRIBUTING"])
def test_every_shell_command_is_one(text: str) -> None:
    """The commands to type are targets of the Makefile, or commands of the gateway with options that they have."""
    targets = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lines = [line.partition("#")[0].strip() for block in blocks(text, "sh") for line in block.splitlines()]
    assert lines
    for line in filter(None, lines):
        program, *words = line.split()
        if program == "make":
            assert words[0] in targets, line
        elif program.endswith("gateway"):
            name = max(
                (n for n in commands() if f"gateway {' '.join(words)} ".startswith(f"{n} ")), key=len, default=""
            )
            assert name, line
            assert set(re.findall(r"--[a-z-]+", line)) <= options(commands()[name]), line
        else:
            # tests/test_readme_trial.py types the calls of curl
            ours = ("python -m pytest tests/", "python -m tests.")
            assert program in ("export", "curl") or line.startswith(ours), line


def steps() -> list[tuple[str, str]]:
    """The recipe's steps: the heading and what follows."""
    recipe = CONTRIBUTING.partition("\n## Add an adapter\n")[2]
    return [(step.partition("\n")[0], step.partition("\n")[2]) for step in recipe.split("\n### ")[1:]]


def test_the_recipe_s_steps_are_counted() -> None:
    """The steps are numbered from 1."""
    assert [heading.partition(".")[0] for heading, _body in steps()] == [str(n + 1) for n in range(len(steps()))]


@pytest.mark.parametrize(("heading", "body"), [step for step in steps() if "`" in step[0]], ids=lambda text: text[:20])
def test_the_recipe_is_the_example(heading: str, body: str) -> None:
    """Each step's file is in the example, and the code shown is that file's, word for word."""
    found = re.search(r"`([^`]+)`", heading)
    assert found
    content = (EXAMPLE / found[1]).read_text(encoding="utf-8")
    for block in blocks(body, "python") + blocks(body, "toml"):
        assert block in content


def test_the_recipe_leaves_out_nothing() -> None:
    """Every file of the example is a step of the recipe."""
    named = {found[1] for heading, _body in steps() if (found := re.search(r"`([^`]+)`", heading))}
    files = {
        str(path.relative_to(EXAMPLE))
        for path in EXAMPLE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "conftest.py"
    }
    assert named == files


def test_a_command_says_what_it_does() -> None:
    """Every command has a help text of its own, as `gateway --help` shows."""
    assert [name for name, command in commands().items() if not (command.help or "").strip()] == []
