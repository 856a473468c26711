"""The worst errors: the clips that were taken for another class with the greatest confidence."""

from collections.abc import Sequence

import numpy as np

from gensr.features.store.where import Location, local
from gensr.pipeline.report.content.audio import sounds
from gensr.pipeline.report.content.data import Error
from gensr.pipeline.report.content.systems import System

MOST = 10
"""Errors that are shown; all are in predictions.csv."""


def worst_errors(system: System, audio: Location | None) -> tuple[tuple[Error, ...], str]:
    """The worst errors, the surest first, and a line about them.

    Args:
        system: whose; with several seeds its probabilities are averaged.
        audio: the corpus's folder; None: nothing can be heard.
    """
    p = system.probabilities.mean(0)
    answers = p.argmax(1) if len(system.runs) > 1 else system.predicted[0]
    n = np.arange(len(p))
    wrong = np.flatnonzero(answers != system.truth)
    confidence = p[n, answers]
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST]
    places = [_place(system, int(i)) for i in chosen]
    hashes = [_fact(system, "audio_sha256", int(i)) for i in chosen]
    clips = [(path, sha256) for (path, _), sha256 in zip(places, hashes, strict=True)]
    heard = sounds(None if audio is None else local(audio), clips)
    errors = []
    for i, (path, corpus), (sound, silent) in zip(chosen, places, heard, strict=True):
        errors.append(
            Error(
                path=path,
                label=system.protocol.classes[system.truth[i]],
                predicted=system.protocol.classes[answers[i]],
                confidence=float(confidence[i]),
                p_label=float(p[i, system.truth[i]]),
                speaker="" if system.speakers is None else str(system.speakers[i]),
                corpus=corpus,
                audio=sound,
                silent=silent,
            )
        )
    return tuple(errors), _note(len(wrong), len(p), errors, audio is None)


def _note(wrong: int, n: int, errors: Sequence[Error], unheard: bool) -> str:
    if not wrong:
        return f"All {n} tested clips are answered right: there is no error to show."
    told = f"{len(errors)} of {wrong} errors among {n} clips, the surest first."
    if unheard:
        told += " No audio: gensr report RUN --audio CORPUS lets them be heard."
    return told


def _fact(system: System, column: str, i: int) -> str:
    values = system.column(column)
    return "" if values is None else str(values[i])


def _place(system: System, i: int) -> tuple[str, str]:
    """The clip's path in its corpus, and the corpus: `corpus:path` where two have the same one."""
    path, corpus = system.protocol.paths[system.rows[i]], _fact(system, "corpus", i)
    return path.removeprefix(f"{corpus}:") if corpus else path, corpus
