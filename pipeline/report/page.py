"""The page: one HTML file that asks for nothing, neither of a network nor of a file beside it.

Whatever was written by others (names of clips, classes, speakers, stores) is text: escaped by
jinja2, shown as `shown.visible` has it, and kept out of the scripts, which a policy in the page
allows by their hash alone.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gensr.features.shown import visible
from gensr.pipeline.report.content.data import Estimate, Floats, Missing, Report, Way
from gensr.pipeline.report.figures.chart import Cell, Chart
from gensr.pipeline.report.figures.pen import Pen
from gensr.pipeline.report.figures.svg import inline

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_ROWS = 100
"""Of a table in the page; longer ones are in their CSV."""
_NO_SHARE = frozenset({"x", "y", "t", "cosine", "clips", "N", "dimension"})
"""Columns of numbers that are printed as they are, not in per cent."""


def render(report: Report, charts: Mapping[str, Chart], beside: str) -> str:
    """The page.

    Args:
        report: what it says.
        charts: the report's.
        beside: name of the folder with the pictures and tables.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def shown(value: Any) -> Any:
        plain = isinstance(value, str) and not isinstance(value, Markup)
        return visible(value) if plain else value

    world = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    world.filters.update(pct=_pct, span=_span, points=_points, wav=_wav)
    world.tests["missing"] = lambda value: isinstance(value, Missing)
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    ways = () if isinstance(report.ways, Missing) else report.ways
    return world.get_template("report.html.j2").render(
        report=report,
        charts=charts,
        drawn={name: Markup(_drawn(chart)) for name, chart in charts.items()},  # noqa: S704
        tables={name: _table(chart) for name, chart in charts.items()},
        beside=beside,
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704
        script=Markup(script),  # noqa: S704
        script_hash=digest,
        ways=ways,
        ways_json=Markup(data_block([_packed(way) for way in ways])),  # noqa: S704
    )


def _drawn(chart: Chart) -> str:
    pen = Pen.of(chart.names)
    with pen.down():
        return inline(chart.figure(pen), chart.name)


def _table(chart: Chart) -> tuple[tuple[str, ...], list[list[str]]] | None:
    """The data of a chart as it is printed; None where it is too long for a page."""
    head, rows = chart.table.head, chart.table.rows
    if len(rows) > _MOST_ROWS:
        return None
    pairs = ([*zip(head, row, strict=True)] for row in rows)
    return head, [[_cell(name, value) for name, value in row] for row in pairs]


def _cell(name: str, value: Cell) -> str:
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if name in _NO_SHARE else f"{_pct(value)} %"


def _pct(share: float) -> str:
    """A share in per cent, without the sign of it."""
    return f"{100 * share:.1f}"


def _points(difference: float) -> str:
    """A difference of shares in points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def _span(estimate: Estimate) -> str:
    """The ends of an interval; empty where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{_pct(estimate.low)} to {_pct(estimate.high)}"


def _wav(audio: bytes) -> str:
    return f"data:audio/wav;base64,{base64.b64encode(audio).decode()}"


def _packed(way: Way) -> dict[str, Any]:
    """A way as the page's script draws it: each curve in bytes, beside what a byte is worth."""
    return {
        "name": visible(way.name),
        "clips": way.clips,
        "times": [round(float(t), 3) for t in way.times],
        "cosines": [round(float(cosine), 3) for cosine in way.cosines()],
        "code": _curve(way.code),
        "states": [_curve(state) for state in way.states],
    }


def _curve(values: Floats) -> dict[str, Any]:
    most = float(np.abs(values).max()) or 1.0
    steps = np.round(values / most * 127).astype(np.int8)
    return {"most": float(f"{most:.4g}"), "bytes": base64.b64encode(steps.tobytes()).decode()}


def data_block(value: Any) -> str:
    """JSON that may stand in a `<script>`: nothing in it can end one."""
    text = json.dumps(value, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
