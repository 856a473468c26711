"""Keeps the paths that a manifest names inside the manifest's own folder, links included.

A corpus that is moved, or packed and sent on, still fits its manifest then, and a manifest from
elsewhere cannot reach for other files of the machine. Whoever trusts it may allow more.
"""

import os
import posixpath
import re
from pathlib import Path

from gensr.features.corpora.errors import CorpusError


class Fence:
    """Keeps a manifest's paths inside its folder."""

    def __init__(self, folder: Path, allow_outside: bool) -> None:
        self._folder, self._open = folder, allow_outside
        self._real = os.path.realpath(folder)
        self._inside: dict[str, bool] = {}
        """Whether a folder named by a path is, all links followed, in the manifest's."""

    def inside(self, where: str, file: str) -> str:
        """Return a manifest's path in its shortest POSIX form, or refuse it by name."""
        posix = file.replace("\\", "/")  # as Windows writes it
        if not posix or "\0" in posix:
            raise CorpusError(f"{where}: names no file")
        short = posixpath.normpath(posix)
        if self._open:
            return short
        if posix.startswith("/") or re.match(r"[A-Za-z]:/", posix):
            raise CorpusError(
                f"{where}: {file} is absolute; give it relative to the manifest's folder, or "
                "trust the manifest with --allow-outside"
            )
        if short == ".." or short.startswith("../"):
            raise CorpusError(
                f"{where}: {file} leaves the manifest's folder; move the manifest up, or trust it "
                "with --allow-outside"
            )
        if self._leads_outside(short):
            raise CorpusError(
                f"{where}: {file} leaves the manifest's folder by a symbolic link; put the file "
                "there itself, or trust the manifest with --allow-outside"
            )
        return short

    def _leads_outside(self, short: str) -> bool:
        """Whether links take a path out; each folder is looked up once, as clips share them."""
        parent = posixpath.dirname(short)
        if parent not in self._inside:
            self._inside[parent] = self._holds(self._folder / parent)
        file = self._folder / short
        try:
            return not self._inside[parent] or (file.is_symlink() and not self._holds(file))
        except OSError:  # a name too long, a folder that may not be searched: no file of ours
            return False

    def _holds(self, path: Path) -> bool:
        real = os.path.realpath(path)
        return real == self._real or real.startswith(self._real.rstrip("/") + "/")
