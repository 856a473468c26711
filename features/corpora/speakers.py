"""Which folders beside the classes are the speakers.

Names that say so (`Actor_03`) were taken before. Of the others, the one level that varies above
the class is the speaker; where none is above, the one below it whose names recur under several
classes. Where two levels could be, the one whose names are numbers (`0001`, `F03`) is; two such:
no speaker is known, which training then refuses until a manifest says who speaks.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from gensr.features.corpora.labels import plain
from gensr.features.corpora.place import Place
from gensr.features.corpora.roles import GENDER, SPEAKER, looks_like_an_id

_SHOWN = 6


def add_speakers(places: Sequence[Place]) -> tuple[list[Place], tuple[str, ...]]:
    """Take one level of open folders for the speakers, where one can be.

    Args:
        places: All files that have a class.

    Returns:
        The same files in the same order, and a note on what was decided.
    """
    if any(SPEAKER in place.beside for place in places):
        known = _apart(places)
        names = sorted({place.beside[SPEAKER] for place in known if SPEAKER in place.beside})
        return known, (f"speakers by their folders' names: {_listed(names)}",)
    level, rivals = _level(places)
    if level:
        found = [
            replace(place, beside={**place.beside, SPEAKER: place.open[level]})
            if level in place.open
            else place
            for place in places
        ]
        names = sorted({place.open[level] for place in places if level in place.open})
        where = "above" if level < 0 else "below"
        note = f"the folders {where} the classes are taken for the speakers: {_listed(names)}"
        return _apart(found), (f"{note}; if they are not, list the files in a manifest",)
    if rivals:
        shown = " / ".join(_listed(names) for names in rivals)
        note = f"several levels of folders could be the speakers ({shown}), so none is taken"
        return list(places), (f"{note}; a manifest can name them",)
    return list(places), ()


def _level(places: Sequence[Place]) -> tuple[int, list[list[str]]]:
    """Return the level of the speakers, 0 for none, and the rivals where there are several."""
    names: dict[int, set[str]] = defaultdict(set)
    labels: dict[tuple[int, str], set[str]] = defaultdict(set)
    for place in places:
        for level, name in place.open.items():
            names[level].add(name)
            labels[level, name].add(plain(place.label))

    def recurs(level: int) -> bool:
        often = sum(len(labels[level, name]) > 1 for name in names[level])
        return 2 * often >= len(names[level])

    def counts(level: int) -> bool:
        return all(map(looks_like_an_id, names[level]))

    above = [k for k in sorted(names) if k < 0 and (len(names[k]) > 1 or counts(k))]
    below = [k for k in sorted(names) if k > 0 and len(names[k]) > 1 and recurs(k)]
    return _one_of(above or below, counts, names)


def _one_of(
    levels: Sequence[int], counts: Callable[[int], bool], names: Mapping[int, set[str]]
) -> tuple[int, list[list[str]]]:
    if len(levels) > 1:
        numbered = [level for level in levels if counts(level)]
        levels = numbered if len(numbered) == 1 else levels
    if len(levels) == 1:
        return levels[0], []
    return 0, [sorted(names[level]) for level in levels]


def _apart(places: Sequence[Place]) -> list[Place]:
    """Keep two people apart whose number is the same, `male/1` and `female/1`."""
    genders: dict[str, set[str]] = defaultdict(set)
    for place in places:
        genders[place.beside.get(SPEAKER, "")].add(place.beside.get(GENDER, ""))
    return [
        replace(place, beside={**place.beside, SPEAKER: f"{place.beside[GENDER]} {speaker}"})
        if (speaker := place.beside.get(SPEAKER, ""))
        and len(genders[speaker]) > 1
        and GENDER in place.beside
        else place
        for place in places
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f", ... ({len(names)})" if len(names) > _SHOWN else "")
