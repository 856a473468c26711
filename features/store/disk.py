"""What a store asks of the place it lies in, and what the two kinds of places cannot do alike.

Local disks (local_disk.py) and file systems at a URL (url_disk.py) are two implementations of one
class; files.py asks which of them a place belongs to, and nobody else does. Where the way of doing
a thing differs, it is a method; where a protocol differs, it is one of the facts below, named by
what can be done and not by who can do it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrStorage

Data = bytes | bytearray | memoryview
Check = Callable[[], None]
"""Called when only the renaming, or the putting, is left; what it raises, stops it."""
P = TypeVar("P")
"""How a place there is named."""


class Disk(ABC, Generic[P]):
    """A kind of place; it has no state, and each method is told which file or folder."""

    exchanges: ClassVar[bool]
    """Whether something takes another's place by renaming, and files are shared by links."""
    locks: ClassVar[bool]
    """Whether a lock beside a store holds for all who may write it."""
    appends: ClassVar[bool]
    """Whether a file can grow."""
    tears: ClassVar[bool]
    """Whether a power cut may leave a file empty, full of zeros, or half there."""
    far: ClassVar[bool]
    """Whether every question is a request over a network."""

    @abstractmethod
    def unreachable(self, error: Exception) -> bool:
        """Whether an error says that the place cannot be reached, not what is or is not there."""

    @abstractmethod
    def exists(self, path: P) -> bool:
        """Whether there is something."""

    @abstractmethod
    def is_folder(self, path: P) -> bool:
        """Whether there is a folder."""

    @abstractmethod
    def size(self, path: P) -> int:
        """Return how many bytes a file has."""

    @abstractmethod
    def names(self, folder: P) -> set[str]:
        """Return what is in a folder, by name."""

    @abstractmethod
    def real(self, path: P) -> P:
        """Return the one name of a place, links followed."""

    @abstractmethod
    def check_regular(self, path: P, most: int) -> int | None:
        """Refuse a file that may never end, or never begin; return its size where it is known."""

    @abstractmethod
    def is_blank(self, path: P) -> bool:
        """Whether a file holds nothing, or zeros alone, as after a power cut."""

    @abstractmethod
    def held(self, path: P) -> int | None:
        """Return how many bytes of a file are really there, where that can be asked."""

    @abstractmethod
    def remove(self, path: P) -> None:
        """Remove a file, a folder with all that is in it, or nothing."""

    @abstractmethod
    def remove_partial(self, folder: P) -> None:
        """Remove what writers that were killed left behind."""

    @abstractmethod
    def write_atomic(self, path: P, data: Data, check: Check | None) -> None:
        """Write a file that is there whole or not at all."""

    @abstractmethod
    def whole_file(self, target: P, aside: P) -> AbstractContextManager[Path]:
        """Give a local file to write to, that is the target in the end."""

    @abstractmethod
    def opened(self, path: P) -> AbstractContextManager[Any]:
        """Give what HDF5 opens a file by: a local path, or a file object."""

    @abstractmethod
    def zarr(self, path: P, *, read_only: bool) -> "ZarrStorage":
        """Return zarr's view of a folder."""

    @abstractmethod
    def sync(self, path: P) -> None:
        """Wait until a file's data, or a folder's names, are where they last."""

    @abstractmethod
    def sync_all(self, folder: P, but: str) -> None:
        """Make all in a folder last, but for the files of one folder in it."""

    @abstractmethod
    def make_folders(self, path: P, root: P | None) -> None:
        """Make a folder and those above it, and make them last."""

    @abstractmethod
    def move(self, source: P, target: P) -> None:
        """Rename within one disk that `exchanges`, and make the new name last."""

    @abstractmethod
    def link_or_copy(self, source: P, target: P) -> None:
        """Give a file a second name, or a copy, on a disk that `exchanges`."""
