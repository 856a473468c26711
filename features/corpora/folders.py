"""Folders that say what their files are: `root/angry/x.wav`, `root/0001/Angry/train/x.wav`.

The last resort, for files that no adapter and no manifest knows. The rule:

1. **The class is the folder that is an emotion's word** (`vocabulary.py`; in several languages,
   any case), at whatever depth, and so are the folders beside it in the same folder, if they hold
   nothing that emotions' folders do not and look like words (no digits): `angry/`, `smug/`.
2. **The other folders are told by their names**: `Training` is a split, `female` a gender,
   `Actor_03` a speaker, `Session1` a session, `sentence 4` a sentence, `german` a language; `wav`
   or `take2` says nothing. `jenie_Amused` is a speaker and a class where the names are crossed.
3. **The one level that is left is the speaker**: folders that vary above the class, or below it
   where the same names recur under several classes. Two such levels: no speaker is known.
4. **Without any emotion's word** the one level of folders that varies is the class, whatever it
   holds (languages, digits). Two levels: refused.

What this leaves open is refused with a way out, a manifest; a single file that lies elsewhere (in
a split's own folder, in two emotions' folders) is a `Problem`. A note says what was decided.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gensr.features.corpora.adapter import Found
from gensr.features.corpora.clip import Clip, Problem
from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.labels import canonical, plain
from gensr.features.corpora.names import corpus_name
from gensr.features.corpora.official import meanings
from gensr.features.corpora.paths import folders_of
from gensr.features.corpora.place import Place, place_of
from gensr.features.corpora.roles import (
    CONTAINER,
    EMOTION,
    GENDER,
    LANGUAGE,
    NAME,
    SENTENCE,
    SESSION,
    SPEAKER,
    SPLIT,
    UNCLEAR,
    Told,
    looks_like_an_id,
    tell_all,
)
from gensr.features.corpora.speakers import add_speakers
from gensr.features.corpora.spelling import folded

WAY_OUT = "write a manifest.csv with the columns file, emotion, speaker, split"
_STRAY = "no adapter knows this name, and it lies in no folder that could be its class"
_DROPPED = (GENDER, SPLIT, CONTAINER)
"""Levels that are no class where no emotion's word is found."""


def read_folders(paths: Sequence[str], root: Path) -> Found:
    """Label files by the folders of their path; the rule is this module's docstring.

    Args:
        paths: POSIX paths relative to the root.
        root: The folder that was scanned; its name is taken as the corpus's.

    Returns:
        The clips; files that lie in no class's folder are problems.

    Raises:
        CorpusError: The folders do not tell what is the class.
    """
    above = {path: folders_of(path) for path in paths}
    # What is said of a file is said of its folder: each is looked at once, by its first file.
    parts = {path: folders for folders, path in _firsts(above).items()}
    told = tell_all(name for folders in parts.values() for name in folders)
    try:
        split = meanings(
            found.label if found.role == SPLIT else found.beside.get(SPLIT, "")
            for found in told.values()
        )
    except ValueError as error:
        raise CorpusError(f"{root}: {error}") from None
    if any(found.role == EMOTION for found in told.values()):
        places, problems = _by_emotion(parts, told, root)
    else:
        places, problems = _by_one_level(parts, told, root)
    places, notes = add_speakers(places)
    corpus = corpus_name(root) if places else ""
    known = {parts[place.path]: _fields(place, corpus, split) for place in places}
    reasons = {parts[problem.path]: problem.reason for problem in problems}
    clips = tuple(
        Clip(path=path, **known[folders]) for path, folders in above.items() if folders in known
    )
    problems = [
        Problem(path=path, reason=reasons[folders])
        for path, folders in above.items()
        if folders in reasons
    ]
    emotions = list(dict.fromkeys(clip.emotion for clip in clips))
    classes = sorted({folded(emotion): emotion for emotion in emotions[::-1]}.values())
    classes = [name for name in classes if name]
    if classes:
        noun = "folder is the class" if len(classes) == 1 else "folders are the classes"
        head = f"no known corpus: {len(classes)} {noun} ({_listed(classes)})"
        notes = (head, *notes)
    elif clips:
        notes = ("no known corpus: no folder is a class, so no clip has an emotion", *notes)
    return Found(clips=clips, problems=tuple(problems), notes=(*notes, *_splits_note(clips)))


def _firsts(above: Mapping[str, tuple[str, ...]]) -> Mapping[tuple[str, ...], str]:
    """Return the first file in each folder."""
    found: dict[tuple[str, ...], str] = {}
    for path, folders in above.items():
        found.setdefault(folders, path)
    return found


def _fields(place: Place, corpus: str, split: Mapping[str, str]) -> dict[str, Any]:
    """Return what is known of every clip in a folder."""
    beside = place.beside
    extra = {name: beside[name] for name in (SESSION, LANGUAGE) if name in beside}
    return {
        "corpus": corpus,
        "emotion": place.label,
        "canonical": canonical(place.label),
        "speaker": beside.get(SPEAKER, ""),
        "gender": beside.get(GENDER, ""),
        "sentence": beside.get(SENTENCE, ""),
        "split": split[beside.get(SPLIT, "")],
        "extra": extra,
    }


def _by_emotion(
    parts: Mapping[str, tuple[str, ...]], told: Mapping[str, Told], root: Path
) -> tuple[list[Place], list[Problem]]:
    """Find the class of each file where some folders are emotions' words."""
    holders, above, below = _emotions_folders(parts.values(), told)
    places: list[Place] = []
    problems: list[Problem] = []
    twice: list[tuple[str, ...]] = []
    for path, folders in parts.items():
        levels = [i for i, name in enumerate(folders) if told[name].role == EMOTION]
        siblings = [
            i
            for i, name in enumerate(folders)
            if not levels
            and told[name].role == NAME
            and folders[:i] in holders
            and folders[: i + 1] not in above
            and not any(letter.isdigit() for letter in name)
            and all(told[deeper].role != NAME or deeper in below for deeper in folders[i + 1 :])
        ]
        if len(levels) > 1:
            twice.append(tuple(plain(told[folders[i]].label) for i in levels))
        if levels and len({plain(told[folders[i]].label) for i in levels}) > 1:
            both = " and ".join(folders[i] for i in levels)
            reason = f"lies in the folders of two emotions, {both}; list it in a manifest"
            problems.append(Problem(path=path, reason=reason))
        elif levels or len(siblings) == 1:
            place = place_of(path, folders, (levels or siblings)[-1], told)
            places.append(place) if isinstance(place, Place) else problems.append(place)
        else:
            problems.append(Problem(path=path, reason=_why_none(folders, told)))
    varied = all(len(set(level)) > 1 for level in zip(*twice, strict=False))
    if varied and any(len(set(words)) > 1 for words in twice):
        outer, inner = (sorted(set(level)) for level in list(zip(*twice, strict=False))[:2])
        raise CorpusError(
            f"{root}: two levels of folders could be the classes ({_listed(outer)}; "
            f"{_listed(inner)}); {WAY_OUT}"
        )
    return places, problems


def _emotions_folders(
    parts: Iterable[tuple[str, ...]], told: Mapping[str, Told]
) -> tuple[set[tuple[str, ...]], set[tuple[str, ...]], set[str]]:
    """Return the folders right above emotions' folders, all above such, and names below them."""
    holders: set[tuple[str, ...]] = set()
    above: set[tuple[str, ...]] = set()
    below: set[str] = set()
    for folders in set(parts):
        for i, name in enumerate(folders):
            if told[name].role == EMOTION:
                holders.add(folders[:i])
                above |= {folders[:k] for k in range(i + 1)}
                below |= set(folders[i + 1 :])
    return holders, above, below


def _why_none(folders: tuple[str, ...], told: Mapping[str, Told]) -> str:
    unclear = [name for name in folders if told[name].role == UNCLEAR]
    if unclear:
        return f"{unclear[0]!r} is an emotion and something else; list it in a manifest"
    if not folders:
        return _STRAY
    return "lies in no emotion's folder, where other files do; list it in a manifest"


def _by_one_level(
    parts: Mapping[str, tuple[str, ...]], told: Mapping[str, Told], root: Path
) -> tuple[list[Place], list[Problem]]:
    """Take the one level of folders that varies for the class: no emotion's word is there."""
    kept = {
        path: [i for i, name in enumerate(folders) if told[name].role not in _DROPPED]
        for path, folders in parts.items()
    }
    levels: dict[int, set[str]] = {}
    for path, indices in kept.items():
        for depth, i in enumerate(indices):
            levels.setdefault(depth, set()).add(parts[path][i])
    if not levels:
        if not any(found.role == GENDER for found in told.values()):
            _refuse_splits(parts, told, root)
        return _by_gender(parts, told)
    varying = [depth for depth, names in levels.items() if len(names) > 1]
    # People's numbers above one folder more are speakers above a class as likely as classes.
    numbers = len(levels) > 1 and any(all(map(looks_like_an_id, levels[k])) for k in varying)
    if len(varying) > 1 or numbers or (not varying and len(levels) > 1):
        open_ = levels if numbers or not varying else varying
        shown = [_listed(sorted(levels[depth])) for depth in open_]
        raise CorpusError(
            f"{root}: no folder is named as an emotion, and {len(shown)} levels of "
            f"folders could be the classes ({'; '.join(shown)}); {WAY_OUT}"
        )
    depth = (varying or [0])[0]
    people = all(told[name].role in (SPEAKER, SESSION, SENTENCE) for name in levels[depth])
    places: list[Place] = []
    problems: list[Problem] = []
    for path, folders in parts.items():
        indices = kept[path]
        if len(indices) <= depth:
            problems.append(Problem(path=path, reason=_STRAY))
            continue
        place = place_of(path, folders, -1 if people else indices[depth], told)
        places.append(place) if isinstance(place, Place) else problems.append(place)
    return places, problems


def _by_gender(
    parts: Mapping[str, tuple[str, ...]], told: Mapping[str, Told]
) -> tuple[list[Place], list[Problem]]:
    """Take folders of women and men for their genders, where nothing else is told."""
    found = {
        path: place_of(path, folders, -1, told)
        if any(told[name].role == GENDER for name in folders)
        else Problem(path=path, reason=_STRAY)
        for path, folders in parts.items()
    }
    return (
        [place for place in found.values() if isinstance(place, Place)],
        [problem for problem in found.values() if isinstance(problem, Problem)],
    )


def _refuse_splits(
    parts: Mapping[str, tuple[str, ...]], told: Mapping[str, Told], root: Path
) -> None:
    tops = sorted({folders[0] for folders in parts.values() if folders})
    if tops and all(told[name].role == SPLIT for name in tops):
        raise CorpusError(
            f"{root}: its folders ({', '.join(tops)}) are splits, not classes; {WAY_OUT}"
        )


def _splits_note(clips: Sequence[Clip]) -> tuple[str, ...]:
    parts = Counter(clip.split or "none" for clip in clips)
    if set(parts) <= {"none"}:
        return ()
    told = ", ".join(f"{part} {count}" for part, count in sorted(parts.items()))
    return (f"the folders tell the split: {told}",)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
