"""Names of files and folders: which can be a clip's or a corpus's, and how any can be shown.

What cannot be stored or printed as it is (bytes that are no UTF-8, line ends, control characters)
is refused here, before anything is decoded or encoded.
"""

import unicodedata
from pathlib import Path

from gensr.features.corpora.errors import CorpusError
from gensr.features.corpora.files import Tree, dead_link


def corpus_name(folder: Path) -> str:
    """Return a folder's own name, as the name of the corpus in it.

    Args:
        folder: An existing folder.

    Raises:
        CorpusError: The name cannot be stored.
    """
    name = folder.resolve().name
    if why := odd(name):
        raise CorpusError(
            f"{printable(str(folder))}: the folder's name is its corpus's, and it is {why}; "
            "rename it, or give every row of a manifest its corpus"
        )
    return name


def unusable(tree: Tree, path: str) -> str:
    """Return why a file cannot be a clip whatever its name means, or nothing.

    Args:
        tree: What was scanned; the root's own name may be anything.
        path: One of its paths.
    """
    if path in tree.links and (reason := dead_link(tree.root / path)):
        return reason
    if why := odd(path):
        return f"a name that is {why}; rename the file"
    return ""


def odd(name: str) -> str:
    r"""Return what keeps a name from being stored and shown, or nothing.

    >>> odd("Ärger"), odd("a\nb")
    ('', 'not printable')
    """
    if name.isprintable():  # nearly all are
        return ""
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "not UTF-8"
    if any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in name):
        return "not printable"
    return ""


def printable(path: str) -> str:
    r"""Return a path that can be printed and stored, what `odd` finds in it as escapes.

    >>> printable("a\nb\udcff")
    'a\\nb\\udcff'
    """
    return "".join(
        letter.encode("unicode_escape").decode() if odd(letter) else letter for letter in path
    )
