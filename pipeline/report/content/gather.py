"""A report from runs: asks every part, and says of each that is not there why."""

from collections.abc import Iterable, Sequence

from gensr.estimator.errors import RunError
from gensr.features.store.where import Location, each
from gensr.pipeline.progress import Listener, Silent
from gensr.pipeline.report.content import parts, words
from gensr.pipeline.report.content.asked import Asked, ask
from gensr.pipeline.report.content.calibration import calibration
from gensr.pipeline.report.content.checks import checks
from gensr.pipeline.report.content.data import Missing, Report
from gensr.pipeline.report.content.groups import groups
from gensr.pipeline.report.content.worst import worst_errors
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.evaluate import SWEEP
from gensr.pipeline.scoring.systems import System, systems_of


def gather(
    runs: Run | Location | Iterable[Run | Location],
    *,
    audio: Location | None = None,
    stores: Location | Iterable[Location] | None = None,
    ask_models: bool = True,
    steps: Sequence[int] = SWEEP,
    device: str = "auto",
    progress: Listener | None = None,
) -> tuple[System, Report]:
    """The first system, and the report on it beside the others.

    Args:
        runs: runs, or sets of several seeds; the first is what the report is about.
        audio: folder of the corpus, for the clips that are heard in the page.
        stores: where the first one's vectors are now, if they were moved.
        ask_models: whether its models are asked again; else the runs' own files are all there is.
        steps: N to sweep.
        device: for the models.
        progress: told how far it is.

    Raises:
        RunError: a run is unfinished, damaged, or tests nothing.
        GensrError: `stores` are not those that the run was trained on.
    """
    systems = systems_of(each(runs))
    first = systems[0]
    if not first.runs:
        raise RunError(
            f"{first.place} holds answers of another system, with no model to report on; give a "
            "run first"
        )
    if ask_models:
        asked = ask(first, stores=stores, steps=steps, device=device, listener=progress or Silent())
    else:
        why = Missing("Not asked for: this page was made from the run's own files alone.")
        asked = Asked(why, why, why, why)
    looked = checks(first)
    errors, errors_note = worst_errors(first.answers, audio)
    told, untold = groups(first.answers)
    return first, Report(
        headline=parts.headline(first),
        alerts=words.alerts(first, looked),
        systems=parts.systems_table(systems),
        confusion=parts.confusion(first.answers),
        by_class=parts.by_class(first.answers),
        by_speaker=parts.by_speaker(first.answers),
        layers=asked.layers,
        steps=asked.steps,
        calibration=calibration(first),
        groups=told,
        groups_missing=untold,
        checks=looked,
        ways=asked.ways,
        map=asked.map,
        errors=errors,
        errors_note=errors_note,
        protocol=words.protocol_facts(first),
        notes=words.notes(first),
        provenance=words.provenance(first),
        commands=words.commands(first),
    )
