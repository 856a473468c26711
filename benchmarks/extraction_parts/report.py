"""From the rounds to one table: medians, with the least and the most beside them."""

import os
import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from extraction_parts.child import gpu_name
from extraction_parts.systems import Measured

_LIBRARIES = ("gensr", "torch", "torchaudio", "transformers", "soundfile", "zarr", "numpy", "scipy")
_GIB = 2**30


def table(measured: Sequence[Measured], failed: Mapping[str, str]) -> str:
    """The answer as Markdown; a system that could not run has a row that says why."""
    lines = [
        "| system | x real time (least to most) | of bare | layers | start-up s "
        "| RSS GiB | GPU GiB |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = list(dict.fromkeys(one.row for one in measured))
    speeds = {row: [one.audio / one.work for one in measured if one.row == row] for row in rows}
    limit = median(speeds["bare"]) if "bare" in speeds else None
    for row in rows:
        rounds = [one for one in measured if one.row == row]
        speed = median(speeds[row])
        cells = [
            row,
            f"{speed:.4g} ({min(speeds[row]):.4g} to {max(speeds[row]):.4g})",
            "-" if limit is None else f"{speed / limit:.2f}",
            str(rounds[0].layers),
            _middle([one.startup for one in rounds], 1.0, "{:.1f}"),
            _middle([one.rss for one in rounds], _GIB, "{:.2f}"),
            _middle([one.gpu for one in rounds], _GIB, "{:.1f}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"| {name} | did not run: {why} | | | | | |" for name, why in failed.items()]
    notes = dict.fromkeys(f"- {one.row}: {one.note}" for one in measured if one.note)
    return "\n".join([*lines, "", *notes]).rstrip()


def price_of_layers(measured: Sequence[Measured]) -> str | None:
    """All layers against one, as a sentence; None where it was not measured."""
    prices = [one.price for one in measured if one.price is not None]
    if not prices:
        return None
    return (
        f"All layers cost {median(prices):.3f} times the encoder with its last mean alone "
        f"({min(prices):.3f} to {max(prices):.3f}): medians over batches that both took in turn."
    )


def share_of_survey(measured: Sequence[Measured]) -> str | None:
    """What of an extraction its survey is, as a sentence; None where one was not measured."""
    works = {
        row: median(one.work for one in measured if one.row == row)
        for row in {one.row for one in measured}
    }
    if not {"gensr", "survey"} <= works.keys():
        return None
    share = works["survey"] / works["gensr"]
    return f"The survey takes {100 * share:.1f} % of gensr's time."


def machine() -> dict[str, str]:
    """What the numbers hold for."""
    found = {
        "machine": f"{os.cpu_count()} cores of {_cpu()}, {_memory()}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES),
        "command": _command(sys.argv),
    }
    gpu = gpu_name()
    if gpu is not None:
        found["machine"] += f"; {gpu}"
    return found


def _command(words: Sequence[str]) -> str:
    """How to have the numbers again: without the folders of one machine."""
    places = re.compile("--(work|out|envs|folder)(=.*)?")
    kept = ["python"]
    for word, before in zip(words, ["", *words], strict=False):
        after_place = places.fullmatch(before) is not None and "=" not in before
        if not (after_place or places.fullmatch(word)):
            kept.append(word)
    return shlex.join(kept)


def _middle(values: Sequence[float | None], unit: float, form: str) -> str:
    known = [value / unit for value in values if value is not None]
    return form.format(median(known)) if known else "-"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from source"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / _GIB:.0f} GiB of memory"
