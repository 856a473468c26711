"""The face: progress, tables and notes, by rich; plain text where there is no terminal.

Whatever is said passes through here, and names of others are shown as the text that they are.
"""

import sys
import time
from collections.abc import Sequence
from types import TracebackType

from rich.box import SIMPLE
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from gensr.cli.start import at_work
from gensr.features.shown import in_json, visible

out = Console(highlight=False, emoji=False, soft_wrap=True)
"""What was asked for: tables, paths."""
err = Console(highlight=False, emoji=False, soft_wrap=True, stderr=True)
"""What happens meanwhile: progress, notes."""

LEAK = "leak"
"""What a note begins with that counts for every number: of clips that are on both sides."""


def note(message: str) -> None:
    """Say something worth knowing that is no result; one line on stderr."""
    err.print(visible(message), style="yellow" if err.is_terminal else None, markup=False)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: first column left, the others right; without a terminal, plain columns."""
    rows = [[visible(cell) for cell in row] for row in rows]
    if out.is_terminal:
        drawn = Table(
            title=Text(visible(title), style="bold"),
            title_justify="left",
            box=SIMPLE,
            pad_edge=False,
            padding=(0, 1),
        )
        for number, column in enumerate(columns):
            drawn.add_column(column, justify="left" if number == 0 else "right", no_wrap=number > 0)
        for row in rows:
            drawn.add_row(*map(Text, row))  # no markup, though a file's name may look like it
        out.print(drawn)
        return
    widths = [max(cell_len(row[i]) for row in (columns, *rows)) for i in range(len(columns))]
    print_plain(title)
    for row in (columns, *rows):
        gaps = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        first, *others = (
            cell + gap if i == 0 else gap + cell
            for i, (cell, gap) in enumerate(zip(row, gaps, strict=True))
        )
        print_plain("  ".join((first, *others)).rstrip())


def print_plain(line: str) -> None:
    """One line on stdout, never wrapped; see `visible`."""
    out.print(visible(line), markup=False, style=None)


def leaks_first(notes: Sequence[str]) -> list[str]:
    """Print the leaks among notes, each once: before any number that they are of.

    Returns:
        The other notes.
    """
    for leak in dict.fromkeys(note for note in notes if note.startswith(LEAK)):
        print_plain(f"note: {leak}")
    return [note for note in notes if not note.startswith(LEAK)]


def print_json(value: object) -> None:
    """Print a value as one JSON document, in the letters that it has."""
    out.file.write(in_json(value))


class Bars:
    """Progress of stages: a bar on a terminal, else a line every ten seconds and at the end.

    Serves every stage (`gensr.pipeline.progress.Listener`): `stage` begins a bar, `advance`
    moves it; `seconds` is audio where there is any.
    """

    EVERY = 10.0

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=err,
            transient=False,
            disable=not err.is_terminal,
        )
        self._task = self._bars.add_task("", total=None, visible=False, rate="")
        self._name, self._total, self._done, self._audio = "", 0, 0, 0.0
        self._began = self._said = time.monotonic()

    def __enter__(self) -> "Bars":
        at_work()
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._end()
        self._bars.stop()

    def note(self, line: str) -> None:
        """Say a line above the bars."""
        note(line)

    def stage(self, name: str, units: int, seconds: float = 0.0) -> None:
        """Begin a stage of so many units."""
        self._end()
        self._name, self._total, self._done, self._audio = visible(name), units, 0, 0.0
        self._began = self._said = time.monotonic()
        self._bars.update(self._task, visible=False)
        self._task = self._bars.add_task(escape(self._name), total=units, rate="")

    def advance(self, units: int, seconds: float = 0.0) -> None:
        """So many units, and seconds of audio, are through."""
        self._done += units
        self._audio += seconds
        self._bars.update(self._task, advance=units, rate=self._rate())
        now = time.monotonic()
        if not err.is_terminal and now - self._said > self.EVERY:
            self._said = now
            left = (now - self._began) / max(1, self._done) * (self._total - self._done)
            self._line(f"{self._done}/{self._total}, {self._rate()}, about {left:.0f} s left")

    def _end(self) -> None:
        spent = time.monotonic() - self._began
        if self._name and self._done and not err.is_terminal and spent > 2:
            self._line(f"{self._done}/{self._total} in {spent:.0f} s, {self._rate()}")

    def _line(self, text: str) -> None:
        sys.stderr.write(f"{self._name}: {text}\n")

    def _rate(self) -> str:
        spent = max(1e-9, time.monotonic() - self._began)
        rate = f"{self._done / spent:.1f}/s"
        if self._audio:
            rate += f", {self._audio / 3600:.2f} h, {self._audio / spent:.0f} x real time"
        return rate
