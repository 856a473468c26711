"""One folder per class: `root/angry/x.wav`. The last resort, for files no adapter knows.

The class is the first folder under the root; folders below it may be named as they please.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from gensr.estimator.errors import CorpusError
from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.labels import canonical

_STRAY = "no adapter knows this name, and it lies in no folder that could be its class"
_SPLITS = frozenset({"train", "dev", "val", "valid", "validation", "test"})


def read_folders(paths: Sequence[str], root: Path) -> Found:
    """Label files by the first folder of their path.

    Args:
        paths: POSIX paths relative to the root.
        root: The folder that was scanned; its name is taken as the corpus's.

    Returns:
        The clips; files that lie in the root itself are problems.

    Raises:
        CorpusError: The folders are splits: train, test.
    """
    corpus = root.resolve().name
    clips: list[Clip] = []
    problems: list[Problem] = []
    for path in paths:
        first, *rest = PurePosixPath(path).parts
        if rest:
            clip = Clip(path=path, corpus=corpus, emotion=first, canonical=canonical(first))
            clips.append(clip)
        else:
            problems.append(Problem(path=path, reason=_STRAY))
    classes = sorted({clip.emotion for clip in clips})
    if classes and _SPLITS.issuperset(name.lower() for name in classes):
        raise CorpusError(
            f"{root}: its folders ({', '.join(classes)}) are splits, not classes; write a"
            " manifest.csv with the columns file, emotion, split"
        )
    shown = ", ".join(classes[:12]) + (", ..." if len(classes) > 12 else "")
    noun = "folder is the class" if len(classes) == 1 else "folders are the classes"
    note = f"no known corpus: {len(classes)} {noun} ({shown})"
    return Found(clips=tuple(clips), problems=tuple(problems), notes=(note,))
