"""Runs to a page, and to its figures and tables beside it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gensr.estimator.errors import ConfigError
from gensr.estimator.files import make_folder, write_whole
from gensr.features.store.where import Location, local
from gensr.pipeline.progress import Listener
from gensr.pipeline.report.content.data import Report
from gensr.pipeline.report.content.gather import gather
from gensr.pipeline.report.export import export
from gensr.pipeline.report.figures.charts import charts_of
from gensr.pipeline.report.page import render
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import SWEEP

PAGE = "report.html"
"""Beside the run's other files; its figures and tables are in `report/`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A report that was written."""

    page: Path
    beside: Path
    """The folder of the files."""
    files: tuple[Path, ...]
    """Figures and tables."""
    report: Report
    """What they say."""

    def __repr__(self) -> str:
        return f"Written({str(self.page)!r}, and {len(self.files)} files beside it)"


def report(
    runs: Run | Location | Iterable[Run | Location],
    *,
    out: Location | None = None,
    audio: Location | None = None,
    stores: Location | Iterable[Location] | None = None,
    ask_models: bool = True,
    steps: Sequence[int] = SWEEP,
    device: str = "auto",
    progress: Listener | None = None,
) -> Written:
    """Write a report on a run, beside others if there are any.

    Args:
        runs: runs, or folders of several seeds; the report is about the first.
        out: the page; default: `report.html` in the first run.
        audio: folder of the corpus, so that the worst errors can be heard in the page.
        stores: where the first run's vectors are now, if they were moved; one or several.
        ask_models: whether its models are asked again, for what needs them and the vectors.
        steps: N to sweep.
        device: for the models.
        progress: told how far it is.

    Raises:
        RunError: a run is unfinished, damaged, or tests nothing, or the page cannot be written.
        ConfigError: `out` is a folder, or `audio` is none.
        GensrError: `stores` are not those that the run was trained on.
    """
    named = None if out is None else local(out)
    if named is not None and (named.is_dir() or not named.suffix):
        raise ConfigError(f"{named} names no page; give a file, as {named / PAGE}")
    if audio is not None and not local(audio).is_dir():
        raise ConfigError(
            f"{local(audio)} is no folder; give that of the corpus whose clips these are"
        )
    system, found = gather(
        runs,
        audio=audio,
        stores=stores,
        ask_models=ask_models,
        steps=steps,
        device=device,
        progress=progress,
    )
    page = named or system.place / PAGE
    charts = charts_of(found)
    beside = page.with_suffix("")
    make_folder(page.parent)
    files = export(charts.values(), beside)
    write_whole(page, render(found, charts, beside.name).encode())
    return Written(page=page, beside=beside, files=tuple(files), report=found)
