"""What `gensr eval RUN --store OTHER` does where OTHER is not the run's own store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gensr.features.store.where import Where
    from gensr.pipeline.runs.run import Run
    from gensr.pipeline.scoring.elsewhere import Elsewhere

_OTHERS = {"macro_f1": "mF1 %", "weighted_f1": "wF1 %"}


def others(runs: "Sequence[Run]", stores: Sequence[str]) -> "tuple[Where, ...]":
    """The stores that are not the runs' own.

    Raises:
        ConfigError: one is some run's own and not another's.
    """
    from gensr.estimator.errors import ConfigError
    from gensr.pipeline.scoring.elsewhere import other_stores

    found = [other_stores(run, stores) for run in runs]
    for run, one in zip(runs[1:], found[1:], strict=True):
        if one != found[0]:
            store = sorted({*map(str, one)} ^ {*map(str, found[0])})[0]
            raise ConfigError(
                f"{store} is what one of {runs[0].folder} and {run.folder} was trained on, and "
                "the other was not: evaluate them by calls of their own"
            )
    return found[0]


def refuse(asked: Mapping[str, object]) -> None:
    """Refuse what is asked of a run's own vectors alone.

    Args:
        asked: options by name; None of one that was not given.

    Raises:
        ConfigError: naming it.
    """
    from gensr.estimator.errors import ConfigError

    for option, given in asked.items():
        if given is not None:
            raise ConfigError(
                f"--{option} is about a run's own vectors, and --store names others: drop one of "
                "them"
            )


def show(
    runs: "Sequence[Run]",
    stores: "Sequence[Where]",
    allow_leaks: bool,
    device: str,
    *,
    as_json: bool,
) -> None:
    """Ask the runs, keep what they answer beside them, and print it."""
    from gensr.cli import console
    from gensr.pipeline.scoring.elsewhere import evaluate_elsewhere

    with console.Bars() as bars:
        found = [
            evaluate_elsewhere(run, stores, allow_leaks=allow_leaks, device=device, progress=bars)
            for run in runs
        ]
    for one in found:
        for of_store in one:
            of_store.keep()
    if as_json:
        plain = [
            {"run": str(one[0].run), "elsewhere": [each.as_json() for each in one]} for one in found
        ]
        console.print_json(plain[0] if len(plain) == 1 else {"runs": plain})
        return
    for one in found:
        _show_run(one)


def _show_run(found: "Sequence[Elsewhere]") -> None:
    from gensr.cli.console import leaks_first, print_plain, table
    from gensr.pipeline.scoring.left_out import left_out

    leaks_first([note for one in found for note in one.protocol.notes()])
    rows = []
    for one in found:
        rows.append(_row(one, Path(one.store).name, one.numbers, paired=True))
        if one.own is not None:
            rows.append(_row(one, "the run's own", one.own, paired=False))
        for corpus, numbers in one.by_corpus.items():
            rows.append(_row(one, f"  {corpus}", numbers, paired=False))
    head = ["store", "n", "WA %", "UAR %", *_OTHERS.values()]
    drop = ["WA change", "p", "UAR change", "p"] if any(one.drop for one in found) else []
    about = found[0].protocol
    title = f"{found[0].run.resolve().name} elsewhere: {about.label}, {len(about.classes)} classes"
    table(title, [*head, *drop], [row[: len(head) + len(drop)] for row in rows])
    for one in found:
        numbers, about = one.numbers, one.protocol
        spans = (
            f"95 % intervals over {numbers.clusters} {about.cluster}s"
            if numbers.intervals["accuracy"]
            else f"no intervals: {numbers.clusters} {about.cluster}s tested, they need 4"
        )
        majority = 100 * numbers.values["majority_baseline"]
        print_plain(
            f"{one.store}: {about.name} ({about.hash}), n = {numbers.n}, majority class "
            f"{majority:.1f} %, {spans}"
        )
        if one.drop:
            finds = one.drop["accuracy"].detectable
            told = "none" if finds is None else f"{100 * finds:.1f}"
            print_plain(f"detectable change of WA, in points: {told} (found four times in five)")
        folds = sum(len(fold.test) > 0 for fold in about.folds)
        leaves_out = left_out({str(one.run): 1}, folds)
        for note in (*about.notes(), *one.enrolled, leaves_out):
            if not note.startswith("leak"):
                print_plain(f"note: {note}")


def _row(one: "Elsewhere", name: str, numbers: Any, *, paired: bool) -> list[str]:
    from gensr.cli.evaluate import cell

    head = [name, str(numbers.n), cell(numbers, "accuracy"), cell(numbers, "uar")]
    head += [cell(numbers, metric) for metric in _OTHERS]
    change = []
    for metric in ("accuracy", "uar"):
        change += _change(one.drop[metric]) if paired and one.drop else ["", ""]
    return [*head, *change]


def _change(found: Any) -> list[str]:
    """A difference in points with its interval, and its p."""
    told = f"{100 * found.value:+.1f}"
    if found.low is not None:
        told += f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    return [told, f"{found.p:.2g}"]
