"""A figure as SVG inside the page: small, in the page's own fonts, and in its colours.

Colours become variables of the style sheet, text stays text, and names that several figures would
share are taken away.
"""

import io
import re

from gensr.pipeline.report.figures.pen import ROLES  # first: matplotlib as it comes

# isort: split
import matplotlib as mpl
from matplotlib.figure import Figure

_POINTS = 96 / 72
"""Pixels of a style sheet in a point."""
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_FONT = re.compile(r"font-family: [^;\"]*;? ?")
_COLOUR = re.compile(r"#[0-9a-f]{6}\b")
_TAG = re.compile(r"<[^<>]*>")
_ID = re.compile(r' id="([^"]*)"')
_USES = re.compile(r'(?:href="|url\()#([\w.-]+)')
_USE = re.compile(r'<use xlink:href="#([\w.-]+)"[^<>]* style="([^"]*)"/>')
_MARK = re.compile(r'<path id="([\w.-]+)" d="[^"]*"(?: style="([^"]*)")?')
_ASIDE = re.compile(
    r"<metadata>.*?</metadata>|<!--.*?-->|<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL
)
"""Metadata, comments, and a style that would be of the whole page."""


def inline(figure: Figure, name: str) -> str:
    """The `<svg>` of a figure; its text is escaped by matplotlib.

    Args:
        figure: drawn by a pen that is down.
        name: of the chart, alone in its page.
    """
    out = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(out, format="svg", facecolor="none", metadata=nothing)
    text = out.getvalue()
    text = _ASIDE.sub("", text[text.index("<svg") :])
    # Only what stands in a tag is ours: between tags are names of others, as they are.
    text = _TAG.sub(lambda tag: _restyled(tag[0]), text)
    used = {found[1] for tag in _TAG.finditer(text) for found in _USES.finditer(tag[0])}
    text = _TAG.sub(lambda tag: _own_ids(tag[0], name, used), text)
    return _sized(re.sub(r"\s*\n\s*", "\n", _marks(text)))


def _marks(text: str) -> str:
    """Say once, where a mark is defined, how it looks, if it looks the same wherever it is used."""
    looks: dict[str, set[str]] = {}
    for mark, style in _USE.findall(text):
        looks.setdefault(mark, set()).add(style)
    alike = {mark: next(iter(styles)) for mark, styles in looks.items() if len(styles) == 1}

    def used(found: re.Match[str]) -> str:
        return found[0].replace(f' style="{found[2]}"', "") if found[1] in alike else found[0]

    def defined(found: re.Match[str]) -> str:
        style = alike.get(found[1])
        if style is None:
            return found[0]
        own = f"; {found[2]}" if found[2] else ""  # which goes before what is inherited
        return f'{found[0].split(" style=")[0]} style="{style}{own}"'

    return _MARK.sub(defined, _USE.sub(used, text))


def _restyled(tag: str) -> str:
    """A tag in the page's font and colours, its numbers no finer than can be seen."""
    tag = _FONT.sub("", tag)
    tag = _COLOUR.sub(_role, tag)
    return _NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), tag)


def _own_ids(tag: str, name: str, used: set[str]) -> str:
    """Drop an id that nothing refers to; put the chart's name before another."""
    tag = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", tag)
    return _USES.sub(lambda found: f"{found[0][: -len(found[1])]}{name}-{found[1]}", tag)


def _role(found: re.Match[str]) -> str:
    role = ROLES.get(found[0])
    return f"var(--{role})" if role else found[0]


def _sized(text: str) -> str:
    """As wide as the column, and no wider than it was drawn."""
    head, rest = text.split(">", 1)
    (width,) = re.findall(r'viewBox="0 0 ([\d.]+) ', head)
    (box,) = re.findall(r'viewBox="[^"]*"', head)
    style = f"max-width:{float(width) * _POINTS:.0f}px"
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{box} style="{style}" aria-hidden="true" focusable="false">{rest}'
    )
