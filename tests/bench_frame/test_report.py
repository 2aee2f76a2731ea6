"""How a run is shown and kept: the table, the picture, the record, and what one failure does to the others."""

import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from tests.bench.frame import machine, picture, record, runner, table
from tests.bench.frame.machine import Machine
from tests.bench.frame.record import Measured, Record, Run
from tests.bench.frame.results import QUICK, Figure, Mode, Ratio, Result, Target

RATIO = Ratio(0.54, 0.5, 0.61, 5)
WEBHOOKS = Result(
    "webhooks <SQLite>",
    "bare & quick",
    RATIO,
    (Figure("gateway", 8_641.2, "/s"),),
    (Target("ratio", 0.54, 0.5, "higher"), Target("p99", 31.0, 25, "lower", "ms")),
    "no wrk: the client of our own shares the core",
)
START = Result("start to ready", targets=(Target("median", 0.5, 1, "lower", "s"),))
MACHINE = Machine("A CPU", 2, 4_000, "Linux 6", "CPython 3.11", {"sqlite": "3"})
SVG = "{http://www.w3.org/2000/svg}"


def a_run(name: str, results: tuple[Result, ...], on: Machine = MACHINE) -> Run:
    """A run of one measurement."""
    return Run(on, "wrk", {name: Measured("2026-11-21T18:00Z", "abc", results)})


def test_the_table_has_a_line_for_each_target() -> None:
    """Ratio and spread once, each target with whether it is met."""
    assert table.lines([WEBHOOKS, START])[2:] == [
        "webhooks <SQLite>  bare & quick  0.54   0.50 to 0.61, 5 rounds  ratio 0.54 ≥ 0.50  met",
        "                                                                p99 31 ≤ 25 ms     MISSED",
        "start to ready                                                  median 0.50 ≤ 1 s  met",
    ]


def test_a_job_s_figures_and_remark_are_told() -> None:
    """With what it is compared with, units and thousands."""
    assert table.details(WEBHOOKS) == [
        "webhooks <SQLite> beside bare & quick: gateway 8,641 /s",
        "    no wrk: the client of our own shares the core",
    ]


def test_the_picture_is_well_formed_and_has_a_bar_for_each_target() -> None:
    """XML that a browser reads; names are escaped; bars lie on the side of the line that they should."""
    drawn = ElementTree.fromstring(picture.draw([WEBHOOKS, START], "A CPU, 2 cores"))  # noqa: S314 - drawn here
    bars = [(bar.get("class"), float(bar.get("x", 0)), float(bar.get("width", 0))) for bar in drawn.iter(f"{SVG}rect")]
    line = next(float(each.get("x1", 0)) for each in drawn.iter(f"{SVG}line") if each.get("class") == "line")
    assert [kind for kind, _x, _width in bars] == ["met", "missed", "met"]
    assert [x >= line for _kind, x, _width in bars] == [True, False, True]
    assert any("webhooks <SQLite>: 0.54 (≥ 0.50)" in (text.text or "") for text in drawn.iter(f"{SVG}text"))


def test_the_picture_has_colours_for_dark_pages() -> None:
    """By the reader's own preference, with no script and nothing from elsewhere."""
    drawn = picture.draw([WEBHOOKS], "")
    assert "prefers-color-scheme: dark" in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("value", [0.0, 1e-9, 1e9])
def test_the_picture_holds_any_value(value: float) -> None:
    """What is far off stays inside the picture."""
    drawn = ElementTree.fromstring(picture.draw([Result("x", targets=(Target("t", value, 1, "higher"),))], ""))  # noqa: S314 - drawn here
    (bar,) = drawn.iter(f"{SVG}rect")
    assert (
        0
        <= float(bar.get("x", -1))
        <= float(bar.get("x", 0)) + float(bar.get("width", 0))
        <= float(str(drawn.get("viewBox")).split()[2])
    )


def test_what_is_recorded_is_read_back(tmp_path: Path) -> None:
    """All of it, with figures of four digits."""
    file = tmp_path / "results.json"
    kept = Record().with_run("whole", a_run("webhooks", (WEBHOOKS,)))
    record.write(kept, file)
    (found,) = record.read(file).runs["whole"].results()
    assert (found.ratio, found.targets, found.remark) == (RATIO, WEBHOOKS.targets, WEBHOOKS.remark)
    assert found.figures == (Figure("gateway", 8_641.0, "/s"),)


def test_nothing_recorded_is_an_empty_record(tmp_path: Path) -> None:
    """The first run has nothing to read."""
    assert record.read(tmp_path / "results.json") == Record()


def test_some_measurements_again_take_the_place_of_their_own_only() -> None:
    """On the same machine; the other mode is untouched."""
    first = Record().with_run("whole", a_run("webhooks", (WEBHOOKS,))).with_run("quick", a_run("start", (START,)))
    again = first.with_run("whole", a_run("start", (START,)))
    assert set(again.runs["whole"].measurements) == {"webhooks", "start"}
    assert again.runs["quick"] == first.runs["quick"]


def test_a_run_on_another_machine_begins_anew() -> None:
    """Figures of two machines never stand in one run."""
    other = Machine("Another CPU", 8, 4_000, "Linux 6", "CPython 3.11", {"sqlite": "3"})
    again = (
        Record().with_run("whole", a_run("webhooks", (WEBHOOKS,))).with_run("whole", a_run("start", (START,), other))
    )
    assert set(again.runs["whole"].measurements) == {"start"}


def test_the_machine_is_described_without_telling_whose_it_is() -> None:
    """CPU, cores, memory, versions; no name of a host, no path."""
    described = machine.describe()
    assert described.cores >= 1
    assert described.memory_mb > 100
    assert {"starlette", "sqlite"} <= set(described.versions)
    assert "/" not in f"{described.kernel}{''.join(described.versions.values())}"


def of(*steps: Result | Exception) -> SimpleNamespace:
    """A measurement that gives results, or raises, in this order."""

    def measure(_mode: Mode) -> Iterator[Result]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    return SimpleNamespace(measure=measure)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, SimpleNamespace]:
    """Measurements made up by the test; nothing is kept in the repository."""
    found: dict[str, SimpleNamespace] = {}
    monkeypatch.setattr(runner, "module_of", found.__getitem__)
    monkeypatch.setattr(record, "FILE", tmp_path / "results.json")
    monkeypatch.setattr(record, "PICTURE", tmp_path / "ratios.svg")
    return found


def test_a_measurement_that_fails_does_not_stop_the_others(
    modules: dict[str, SimpleNamespace], capsys: pytest.CaptureFixture[str]
) -> None:
    """What it gave before counts, its error is told, the exit code is 1."""
    modules |= {"a": of(START, RuntimeError("no server")), "b": of(WEBHOOKS)}
    assert runner.record(QUICK, ["a", "b"]) == 1
    assert "a FAILED: RuntimeError: no server" in capsys.readouterr().out
    kept = record.read().runs["quick"]
    assert set(kept.measurements) == {"a", "b"}
    assert [each.job for each in kept.results()] == [START.job, WEBHOOKS.job]
    assert record.PICTURE.read_text().startswith("<svg")


def test_what_quick_mode_has_no_time_for_has_not_failed(
    modules: dict[str, SimpleNamespace], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends what runs, tells it, and the exit code is 0."""
    monkeypatch.setattr(runner, "QUICK_SECONDS", 0.05)

    def measure(_mode: Mode) -> Iterator[Result]:
        yield START
        signal.pause()

    modules |= {"a": SimpleNamespace(measure=measure), "b": of(WEBHOOKS)}
    assert runner.record(QUICK, ["a", "b"]) == 0
    assert "no time left in quick mode for the rest of: a, b" in capsys.readouterr().out
    assert record.read().runs["quick"].results() == [START]


def test_a_check_measures_once_more_before_it_calls_something_slower(
    modules: dict[str, SimpleNamespace], capsys: pytest.CaptureFixture[str]
) -> None:
    """A neighbour's peak is no regression; what is slow twice is one. Nothing is written."""
    record.write(Record().with_run("quick", a_run("a", (WEBHOOKS,))), record.FILE)
    before = record.FILE.read_bytes()
    slow = Result(WEBHOOKS.job, WEBHOOKS.beside, Ratio(0.1, 0.1, 0.1, 3))
    turns = iter([slow, WEBHOOKS, slow, slow])
    modules["a"] = SimpleNamespace(measure=lambda _mode: iter([next(turns)]))
    assert runner.check(QUICK, ["a"]) == 0
    assert runner.check(QUICK, ["a"]) == 1
    assert "SLOWER: webhooks <SQLite> beside bare & quick: the ratio was 0.54 and is 0.10" in capsys.readouterr().out
    assert record.FILE.read_bytes() == before


def test_a_check_without_a_record_has_nothing_to_say(modules: dict[str, SimpleNamespace]) -> None:
    """It measures nothing, and passes."""
    assert runner.check(QUICK, ["never asked for"]) == 0
    assert modules == {}


def test_every_measurement_is_listed_and_every_listed_one_is_there() -> None:
    """The order of runner.NAMES is a choice; its completeness is not."""
    folder = Path(runner.__file__).parents[1] / "measurements"
    assert sorted(runner.NAMES) == sorted(path.stem for path in folder.glob("*.py"))
    assert all(callable(runner.module_of(name).measure) for name in runner.NAMES)
