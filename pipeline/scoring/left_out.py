"""What an interval over speakers leaves out, in one line: said wherever intervals are printed."""

from collections.abc import Mapping


def left_out(seeds: Mapping[str, int], folds: int) -> str:
    """The line.

    >>> left_out({"gen-ser": 5}, 10)
    'intervals leave out: that folds share training clips'

    Args:
        seeds: of each system, how many trainings there are; 0 where nobody says.
        folds: that were tested.
    """
    single = [name for name, count in seeds.items() if count == 1]
    left = []
    if single:
        whose = "" if len(single) == len(seeds) else f" of {', '.join(single)}"
        left.append(f"what another training seed would change{whose} (one seed; see --seeds)")
    if folds > 1:
        left.append("that folds share training clips")
    elif folds:
        left.append("what another training part would change")
    return f"intervals leave out: {'; '.join(left)}"
