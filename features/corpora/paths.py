"""The parts of a POSIX path, as pathlib has them, of texts: a scan asks for them by the million."""

from functools import lru_cache


def name_of(path: str) -> str:
    """Return the last part of a path.

    >>> name_of("angry/a.wav"), name_of("a.wav")
    ('a.wav', 'a.wav')
    """
    return path[path.rfind("/") + 1 :]


@lru_cache(maxsize=16)  # each adapter asks for the same one
def stem_of(path: str) -> str:
    """Return a path's file name without its suffix.

    >>> stem_of("angry/a.b.wav"), stem_of(".hidden"), stem_of("dot.")
    ('a.b', '.hidden', 'dot.')
    """
    start, cut = path.rfind("/") + 1, path.rfind(".")
    return path[start:cut] if start < cut < len(path) - 1 else path[start:]


def suffix_of(path: str) -> str:
    """Return the suffix of a path's file name, with its dot.

    >>> suffix_of("angry/a.b.wav"), suffix_of("v.1/.hidden"), suffix_of("dot.")
    ('.wav', '', '')
    """
    start, cut = path.rfind("/") + 1, path.rfind(".")
    return path[cut:] if start < cut < len(path) - 1 else ""


def folders_of(path: str) -> tuple[str, ...]:
    """Return the folders above a file, the outermost first.

    >>> folders_of("angry/01/a.wav"), folders_of("a.wav")
    (('angry', '01'), ())
    """
    return tuple(path.split("/")[:-1])
