"""The table of a run: ratios with their spread, targets with what came of them, and the figures below."""

from collections.abc import Iterable

from tests.bench.frame.results import Figure, Ratio, Result, Target

_COLUMNS = ("job", "beside", "ratio", "spread", "target", "")


def lines(results: Iterable[Result]) -> list[str]:
    """The table of ratios and targets; a line for each target of a job."""
    rows = [_COLUMNS, *(row for result in results for row in _rows(result))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    made = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [made[0], "-" * max(map(len, made)), *made[1:]]


def details(result: Result) -> list[str]:
    """A job's figures and remark, a line each."""
    head = f"{result.job} beside {result.beside}" if result.beside else result.job
    figures = ", ".join(f"{figure.name} {shown(figure)}" for figure in result.figures)
    return [f"{head}: {figures}" if figures else head, *([f"    {result.remark}"] if result.remark else [])]


def _rows(result: Result) -> list[tuple[str, ...]]:
    ratio = f"{result.ratio.median:.2f}" if result.ratio else ""
    spread = _spread(result.ratio) if result.ratio else ""
    first, *others = [_target(target) for target in result.targets] or [("", "")]
    return [
        (result.job, result.beside, ratio, spread, *first),
        *(("", "", "", "", *other) for other in others),
    ]


def _spread(ratio: Ratio) -> str:
    if ratio.rounds == 1:
        return "one round"
    return f"{ratio.low:.2f} to {ratio.high:.2f}, {ratio.rounds} rounds"


def _target(target: Target) -> tuple[str, str]:
    sign = "≥" if target.better == "higher" else "≤"
    wanted = f"{target.what} {number(target.value)} {sign} {number(target.limit)} {target.unit}".rstrip()
    return wanted, "met" if target.met else "MISSED"


def shown(figure: Figure) -> str:
    """A figure with its unit."""
    return f"{number(figure.value)} {figure.unit}".rstrip()


def number(value: float) -> str:
    """With as many digits as say something."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if value >= 10 else f"{value:.2f}"
