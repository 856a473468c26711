"""Train and test the systems, each by the command that a reader would give, a core each."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from gensr.pipeline.progress import Silent
from gensr.pipeline.reproduce.sweep import answers_by_steps
from gensr.pipeline.runs.dev import temperatures
from gensr.pipeline.scoring.answered import Answered, count
from gensr.pipeline.scoring.calibration import calibration
from gensr.pipeline.scoring.systems import systems_of
from study_parts.systems import CLIPS, System

Row = tuple[str, str, str, str, int, str]
COLUMNS = ("store", "system", "speaker", "label", "clips", "right")
"""Of a speaker's clips of a class, how many each seed has right: `4 3 4 4 4`."""


def run(
    stores: Path,
    runs: Path,
    systems: Sequence[System],
    file: Path,
    only: Sequence[str],
    steps: int | None = None,
) -> bool:
    """Do what `file` does not hold yet, store by store, and add it; whether all could be done."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(",".join(COLUMNS) + "\n")
    with file.open(newline="") as lines:
        done = {(row["store"], row["system"]) for row in csv.DictReader(lines)}
    wanted = [
        (store, each)
        for store in only
        for each in systems
        if store in each.stores and (store, each.name) not in done
    ]
    print(f"{len(wanted)} trainings", flush=True)
    failed = False
    cores: SimpleQueue[int] = SimpleQueue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)
    with ThreadPoolExecutor(cores.qsize()) as pool:
        todo = [
            pool.submit(_train, stores, runs, store, each, cores, steps) for store, each in wanted
        ]
        for (store, each), one in zip(wanted, todo, strict=True):
            status = one.result()
            if status:
                print(f"FAILED {store}: {each.name}: {status}", flush=True)
                failed = True
                continue
            rows = _rows(store, each, folder(runs, store, each), file.with_name("calibration.csv"))
            _add(file, rows)
            mine = [row for row in rows if row[1] == each.name]
            right = [sum(map(int, row[5].split())) / len(row[5].split()) for row in mine]
            share = sum(right) / sum(row[4] for row in mine)
            print(f"{store}: {each.name}: {100 * share:.1f} %", flush=True)
    return not failed


def folder(runs: Path, store: str, system: System) -> Path:
    """Where a system's runs are."""
    return runs / store / system.name.replace(" ", "_")


def _train(
    stores: Path,
    runs: Path,
    store: str,
    system: System,
    cores: "SimpleQueue[int]",
    steps: int | None,
) -> str:
    """Train; nothing, or what went wrong."""
    core, place = cores.get(), folder(runs, store, system)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        settings = place.with_name(place.name + ".toml")
        settings.write_text(toml({"model": system.options, "training": system.training or {}}))
        command = [sys.executable, "-m", "gensr.cli.main", "train", str(stores / f"{store}.zarr")]
        command += ["--model", system.model, "--seeds", system.seeds, "--run", str(place)]
        command += ["--config", str(settings)]
        command += ["--calibrate"] * (system.calibrate and store in CLIPS)
        command += ["--enrol", "speaker"] * system.enrol
        command += ["--resume"] * place.exists()
        if steps is not None and system.model not in ("closed-form", "svm", "logreg"):
            command += ["--steps", str(steps)]
        done = subprocess.run(
            ["taskset", "--cpu-list", str(core), *command],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
        )
        return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()[-300:]
    finally:
        cores.put(core)


def _rows(store: str, system: System, place: Path, calibrated: Path) -> list[Row]:
    """What a system has right, with every N; how true its confidences are goes into a file."""
    (found,) = systems_of([place])
    rows = rows_of(store, system.name, found.answers)
    if system.Ns and store in CLIPS:
        for N, answers in answers_by_steps(found.runs, system.Ns, "cpu", Silent()).items():
            rows += rows_of(store, f"{system.name}, N = {N}", count(answers, found.protocol))
    if system.calibrate and store in CLIPS:
        told = calibration(found.answers, [temperatures(run) for run in found.runs])
        if told is not None and told.scaled is not None:
            values = told.raw.values["ece"], told.scaled.values["ece"], told.scaled.chance["ece"]
            if not calibrated.is_file():
                calibrated.write_text("store,system,ece,scaled,chance\n")
            row = [store, system.name, *(f"{value:.3f}" for value in values)]
            if ",".join(row) not in calibrated.read_text().splitlines():  # a run that was killed
                _add(calibrated, [row])
    return rows


def _add(file: Path, rows: Iterable[Sequence[object]]) -> None:
    """All of the rows or, whenever this is killed, none."""
    text = io.StringIO(file.read_text(), newline="")
    text.seek(0, io.SEEK_END)
    csv.writer(text, lineterminator="\n").writerows(rows)
    aside = file.with_name(file.name + ".new")
    aside.write_text(text.getvalue())
    aside.replace(file)


def rows_of(store: str, name: str, answers: Answered) -> list[Row]:
    """What `COLUMNS` says of a system's answers."""
    classes = answers.protocol.classes
    cells = zip(answers.speakers.tolist(), answers.truth.tolist(), strict=True)
    of: dict[tuple[str, str], list[int]] = {}
    for clip, (speaker, label) in enumerate(cells):
        of.setdefault((speaker, classes[label]), []).append(clip)
    rows = []
    for (speaker, label), clips in sorted(of.items()):
        right = " ".join(map(str, answers.right[:, clips].sum(-1).tolist()))
        rows.append((store, name, speaker, label, len(clips), right))
    return rows


def toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Tables of plain values, those within them in one line."""
    lines = []
    for name, table in tables.items():
        if table:
            lines += [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)
