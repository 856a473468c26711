"""A report of made-up numbers: every part is there, and names are as hostile as they come."""

from dataclasses import replace
from typing import Any

import numpy as np

from gensr.pipeline.report.content.data import (
    Bar,
    Calibration,
    Check,
    Checks,
    Confusion,
    Difference,
    Error,
    Estimate,
    Group,
    Headline,
    Layers,
    Map,
    Missing,
    Report,
    Shortcut,
    Steps,
    SystemRow,
    Systems,
    Way,
)

PLAIN = ("anger", "boredom", "calm", "disgust", "fear", "happiness", "sadness", "surprise")
HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=https://evil.example/x.png onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "{{ 7 * 7 }}{% raw %}",
    "$\\frac{x$",
    "\u202eevil\x1b[2J",
    "-->]]><svg onload=alert(1)>",
    "=cmd|'/c calc'!A1",
)
"""Names that would be markup, a template, mathematics, a formula, or turn the text around."""


def estimate(value: float, half: float = 0.05) -> Estimate:
    return Estimate(value, max(0.0, value - half), min(1.0, value + half))


def a_report(names: tuple[str, ...] = PLAIN, **changes: Any) -> Report:
    rng = np.random.default_rng(0)
    C, n, L, N = len(names), 60, 40, 6
    counts = np.eye(C) * 20 + rng.integers(0, 3, (C, C))
    bars = tuple(Bar(name, estimate(0.5 + 0.05 * i), 20 + i) for i, name in enumerate(names))
    code = np.sin(np.arange(L))
    share = np.linspace(0, 1, N + 1)[:, None]
    states = (1 - share) * rng.normal(0, 0.3, L) + share * code
    times = np.linspace(1, 0.03, N + 1)
    labels = np.arange(n) % C
    found = Report(
        headline=Headline(
            name=names[0],
            model="gen-ser",
            encoder=names[1],
            corpora=(names[2],),
            label="emotion",
            accuracy=estimate(0.8),
            uar=estimate(0.75),
            majority=0.2,
            n=n,
            clusters=6,
            cluster="speaker",
            speakers=6,
            classes=C,
            seeds=(0, 1),
            protocol="speaker-5fold",
            protocol_hash="0123456789abcdef",
        ),
        alerts=(f"leak: 3 clips, {names[3]}",),
        systems=Systems(
            rows=(
                _row(names[0], None),
                _row(names[4], Difference(-0.02, -0.05, 0.01, 0.25, 0.04)),
                _row(names[5], Difference(0.01, None, None, 0.5, 0.06)),
            ),
            notes=(f"{names[6]} is not in the table.",),
        ),
        confusion=Confusion(names, counts),
        by_class=bars,
        by_speaker=bars,
        layers=Layers(
            bars=tuple(Bar(str(k), estimate(0.4 + 0.05 * k), n) for k in range(5)),
            used=frozenset({"4"}),
        ),
        steps=Steps(
            N=(1, 4, 20),
            accuracy=tuple(estimate(v) for v in (0.79, 0.8, 0.81)),
            uar=tuple(estimate(v) for v in (0.74, 0.75, 0.74)),
            sampler="exact",
        ),
        calibration=Calibration(
            numbers=(("ECE", "4.3", "points"),),
            bins=((0.5, 0.6, 0.55, 0.4, 10), (0.9, 1.0, 0.97, 0.96, 50)),
            curve=((0.2, 0.0, 0.99), (0.6, 0.1, 0.8), (1.0, 0.2, 0.3)),
        ),
        groups=(
            Group(
                column="gender",
                bars=bars[:2],
                gap=Estimate(0.05, -0.01, 0.1),
                between=(names[1], names[0]),
            ),
        ),
        groups_missing=(f"level: {names[7]}",),
        checks=Checks(
            found=(Check(kind="shortcut", weight="warning", says=names[1]),),
            shortcuts=(Shortcut(bar=bars[0], flagged=True), Shortcut(bar=bars[1], flagged=False)),
        ),
        ways=tuple(
            Way(name=name, clips=9, times=times, states=states, code=code) for name in names[:3]
        ),
        map=Map(
            classes=names,
            paths=tuple(f"{names[0]}{i}.wav" for i in range(n)),
            labels=labels,
            before=rng.normal(0, 0.5, (n, 2)),
            after=rng.normal(0, 0.5, (n, 2)),
            method="a linear map",
        ),
        errors=(
            Error(
                path=names[0],
                label=names[1],
                predicted=names[2],
                confidence=0.97,
                p_label=0.01,
                speaker=names[3],
                corpus=names[4],
                audio=None,
                silent="no --audio",
            ),
        ),
        errors_note="1 of 12 errors.",
        protocol=(("name", names[0]), ("classes", ", ".join(names))),
        notes=(f"3 clips left out: {names[6]}",),
        provenance=(("store", names[0]),),
        commands=(f"gensr train '{names[1]}'",),
    )
    return replace(found, **changes)


def nothing(why: str = "not here, <b>really</b>") -> dict[str, Any]:
    """What is left where every part that can lack lacks."""
    lacking = Missing(why)
    parts = ("by_speaker", "layers", "steps", "calibration", "groups", "checks", "ways", "map")
    return {**dict.fromkeys(parts, lacking), "errors": (), "alerts": (), "notes": ()}


def _row(name: str, difference: Difference | None) -> SystemRow:
    metrics = ("accuracy", "uar", "macro_f1", "weighted_f1", "majority_baseline")
    return SystemRow(
        name=name,
        model="linear",
        encoder="fbank",
        seeds=(0, 1),
        estimates={metric: estimate(0.8) for metric in metrics},
        over_folds=(0.8, 0.05),
        over_seeds=(0.8, 0.01),
        difference=difference,
    )
