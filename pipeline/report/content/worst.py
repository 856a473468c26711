"""The worst errors: the clips that were taken for another class with the greatest confidence."""

from collections.abc import Sequence

import numpy as np

from gensr.features.store.where import Location, local
from gensr.pipeline.report.content.audio import sounds
from gensr.pipeline.report.content.data import Error
from gensr.pipeline.scoring.answered import Answered

MOST = 10
"""Errors that are shown; all are in predictions.csv."""


def worst_errors(answers: Answered, audio: Location | None) -> tuple[tuple[Error, ...], str]:
    """The worst errors, the surest first, and a line about them.

    Args:
        answers: whose; with several seeds its probabilities are averaged.
        audio: the corpus's folder; None: nothing can be heard.
    """
    if answers.p is None:
        return (), "The answers came without a probability for each class: none is the surest."
    p, truth, speakers = answers.p.mean(0), answers.truth, answers.speakers
    said = p.argmax(1) if answers.seeds > 1 else answers.predicted[0]
    n = np.arange(len(p))
    wrong = np.flatnonzero(said != truth)
    confidence = p[n, said]
    chosen = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST]
    places = [_place(answers, int(i)) for i in chosen]
    hashes = [_fact(answers, "audio_sha256", int(i)) for i in chosen]
    clips = [(path, sha256) for (path, _), sha256 in zip(places, hashes, strict=True)]
    heard = sounds(None if audio is None else local(audio), clips)
    errors = []
    for i, (path, corpus), (sound, silent) in zip(chosen, places, heard, strict=True):
        errors.append(
            Error(
                path=path,
                label=answers.protocol.classes[truth[i]],
                predicted=answers.protocol.classes[said[i]],
                confidence=float(confidence[i]),
                p_label=float(p[i, truth[i]]),
                speaker=str(speakers[i]),
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


def _fact(answers: Answered, column: str, i: int) -> str:
    values = answers.column(column)
    return "" if values is None else str(values[i])


def _place(answers: Answered, i: int) -> tuple[str, str]:
    """The clip's path in its corpus, and the corpus: `corpus:path` where two have the same one."""
    path, corpus = answers.protocol.paths[answers.rows[i]], _fact(answers, "corpus", i)
    return path.removeprefix(f"{corpus}:") if corpus else path, corpus
