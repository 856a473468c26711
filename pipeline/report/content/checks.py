"""What was looked for in the corpus and the splits when a run was trained: its `checks.json`.

findings    kind (`leak`, `overlap`, ...), weight (`fatal`, `warning`, `note`) and line of each
shortcuts   column, accuracy, interval, n and flagged of each column that was tried
"""

from collections.abc import Mapping
from typing import Any

from gensr.estimator.errors import RunError
from gensr.pipeline.report.content.data import Bar, Check, Checks, Estimate, Missing, Shortcut
from gensr.pipeline.runs.run import CHECKS
from gensr.pipeline.scoring.systems import System

LEAK = "leak"
_WEIGHTS = ("fatal", "warning", "note")


def checks(system: System) -> Checks | Missing:
    """What was found.

    Raises:
        RunError: the file is damaged.
    """
    run = system.runs[0]
    plain = run.checks()
    if plain is None:
        return Missing(f"The run has no {CHECKS}: nobody looked for leaks and shortcuts.")
    try:
        found = [_check(one) for one in plain.get("findings", [])]
        shortcuts = [_shortcut(one) for one in plain.get("shortcuts", [])]
        found.sort(key=lambda one: (one.kind != LEAK, _WEIGHTS.index(one.weight)))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        path = run.folder / CHECKS
        raise RunError(f"{path} cannot be read ({error}); train again") from error
    return Checks(found=tuple(found), shortcuts=tuple(shortcuts))


def _check(one: Mapping[str, Any]) -> Check:
    return Check(kind=str(one["kind"]), weight=str(one["weight"]), says=str(one["line"]))


def _shortcut(one: Mapping[str, Any]) -> Shortcut:
    low, high = map(float, one["interval"]) if one.get("interval") else (None, None)
    bar = Bar(str(one["column"]), Estimate(float(one["accuracy"]), low, high), int(one["n"]))
    return Shortcut(bar=bar, flagged=one["flagged"] is True)
