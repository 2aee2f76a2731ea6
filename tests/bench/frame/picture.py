"""One picture of a run for the README: each target's value against its line. Readable on light and dark pages."""

from collections.abc import Iterable, Sequence
from math import isfinite, log2
from xml.sax.saxutils import escape

from tests.bench.frame.results import Result, Target
from tests.bench.frame.table import number

_WIDTH, _LEFT, _ROW, _TOP = 1080, 680, 26, 64
_OCTAVES = 2.0
"""The bars reach from a quarter of the target to four times it."""
_SCALE = (_WIDTH - _LEFT - 30) / (2 * _OCTAVES)
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.quiet { fill: #57606a; }
.line { stroke: #57606a; stroke-width: 1.5; }
.grid { stroke: #d0d7de; stroke-width: 1; }
.met { fill: #2da44e; }
.missed { fill: #cf222e; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #9198a1; }
  .line { stroke: #9198a1; }
  .grid { stroke: #3d444d; }
  .met { fill: #3fb950; }
  .missed { fill: #f85149; }
}
"""


def draw(results: Iterable[Result], caption: str) -> str:
    """The picture, as SVG: a bar for each target, to the right of the line where the target is met."""
    rows = [(result, target) for result in results for target in result.targets]
    height = _TOP + _ROW * len(rows) + 16
    body = [part for place, (result, target) in enumerate(rows) for part in _bar(place, result, target)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
            'aria-labelledby="title">',
            '<title id="title">What was measured, against the targets</title>',
            f"<style>{_STYLE}</style>",
            *_axis(height),
            f'<text class="quiet" x="16" y="24">{escape(caption)}</text>',
            *body,
            "</svg>",
            "",
        ]
    )


def _axis(height: int) -> Sequence[str]:
    parts = []
    for octave, name in ((-2, "¼"), (-1, "½"), (0, "target"), (1, "2 times"), (2, "4 times")):
        x = _x(octave)
        kind = "line" if octave == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{x:.0f}" y1="{_TOP - 12}" x2="{x:.0f}" y2="{height - 12}"/>')
        parts.append(f'<text class="quiet" x="{x:.0f}" y="{_TOP - 18}" text-anchor="middle">{name}</text>')
    return parts


def _bar(place: int, result: Result, target: Target) -> Sequence[str]:
    reach = log2(target.share) if target.share > 0 and isfinite(target.share) else _OCTAVES
    end = _x(max(-_OCTAVES, min(_OCTAVES, reach)))
    x, width = min(end, _x(0)), max(2.0, abs(end - _x(0)))
    y = _TOP + _ROW * place
    kind = "met" if target.met else "missed"
    return [
        f'<text x="16" y="{y + 14}">{escape(_label(result, target))}</text>',
        f'<rect class="{kind}" x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="14" rx="2"/>',
    ]


def _label(result: Result, target: Target) -> str:
    sign = "≥" if target.better == "higher" else "≤"
    what = f", {target.what}" if target.what != "ratio" else ""
    return f"{result.job}{what}: {number(target.value)} ({sign} {number(target.limit)} {target.unit}".rstrip() + ")"


def _x(octave: float) -> float:
    return _LEFT + (octave + _OCTAVES) * _SCALE
