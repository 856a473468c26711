"""What was looked for in the corpus and the splits when the run was trained: its `checks.json`."""

import os
from collections.abc import Mapping
from typing import Any

from gensr.pipeline.report.content.data import Check, Missing
from gensr.pipeline.report.content.systems import System
from gensr.pipeline.runs.files import read_plain

FILE = "checks.json"


def checks(system: System) -> tuple[Check, ...] | Missing:
    """What was found, the grave first.

    Raises:
        RunError: the file is damaged.
    """
    path = system.run.folder / FILE
    if not os.path.lexists(path):
        return Missing(f"The run has no {FILE}: nobody looked for leaks and shortcuts.")
    found = [_check(kind, one) for kind, one in _lines(read_plain(path))]
    return tuple(sorted(found, key=lambda one: not one.grave))


def _lines(plain: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        (kind, one)
        for kind, several in plain.items()
        if isinstance(several, list)
        for one in several
        if isinstance(one, dict)
    ]


def _check(kind: str, one: Mapping[str, Any]) -> Check:
    return Check(
        kind=kind,
        name=str(one.get("name", "")),
        grave=bool(one.get("grave", False)),
        says=str(one.get("says", one)),
    )
