"""What every place promises that a store may lie in."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from gensr.features.store import files
from gensr.features.store.disk import Disk
from gensr.features.store.where import Where, locate
from support.steps import At, Steps, every, killed, of, status_of


class DiskContract:
    """Inherit this, and give the fixture `folder`."""

    disk: Any = files
    """The hook: who does it."""
    kind: type[Disk[Any]]
    """The hook: the class that does it."""
    changes: tuple[tuple[Any, str], ...] = of(files, "write_atomic")
    """The hook: functions by which it changes what is there, each of which may be the last."""

    @pytest.fixture
    def folder(self) -> Where:
        """The hook: an empty folder, which is there as far as the place has folders."""
        raise NotImplementedError

    @pytest.fixture
    def read(self) -> Callable[[Where], bytes]:
        """What somebody else finds there, who has looked before."""
        return lambda path: locate(str(path)).read_bytes()

    def test_a_file_is_what_was_written(
        self, folder: Where, read: Callable[[Where], bytes]
    ) -> None:
        for data in (b"", b"one", memoryview(b"more than one"), bytearray(2**20 + 1)):
            self.disk.write_atomic(folder / "f", data)
            assert read(folder / "f") == bytes(data)
            assert self.disk.size(folder / "f") == len(data)
        assert self.disk.names(folder) == {"f"}

    def test_what_is_there_and_what_is_not(self, folder: Where) -> None:
        there, absent = folder / "f", folder / "g"
        self.disk.write_atomic(there, b"x")
        assert [self.disk.exists(path) for path in (there, absent, folder)] == [True, False, True]
        assert [self.disk.is_folder(path) for path in (there, absent, folder)] == [
            False,
            False,
            True,
        ]
        with pytest.raises(FileNotFoundError):
            self.disk.size(absent)
        assert not self.disk.is_blank(absent)
        assert self.disk.check_regular(absent, most=1) is None

    def test_each_place_has_its_disk_and_one_name(self, folder: Where) -> None:
        assert type(self.disk.disk_of(folder)) is self.kind
        assert self.disk.real(folder / "f") == self.disk.real(self.disk.real(folder / "f"))

    def test_what_others_do_there_is_seen(self, folder: Where) -> None:
        """Nothing that was found out before is believed."""
        path = folder / "f"
        self.disk.write_atomic(folder / "g", b"x")
        assert not self.disk.exists(path)
        assert self.disk.names(folder) == {"g"}
        locate(str(path)).write_bytes(b"12345")
        assert self.disk.exists(path)
        assert self.disk.size(path) == 5
        assert self.disk.names(folder) == {"f", "g"}
        locate(str(path)).unlink()
        assert not self.disk.exists(path)
        assert self.disk.names(folder) == {"g"}

    def test_names_are_those_right_below(self, folder: Where) -> None:
        names = {"a b", "ähnlich", "0", "zarr.json", "deep"}
        self.disk.make_folders(folder / "deep/down", folder)
        self.disk.write_atomic(folder / "deep/down/f", b"x")
        for name in names - {"deep"}:
            self.disk.write_atomic(folder / name, b"x")
        assert self.disk.names(folder) == names
        assert self.disk.names(folder / "deep") == {"down"}

    def test_removing(self, folder: Where) -> None:
        """A file, a folder with all that is in it, or nothing where nothing is."""
        self.disk.make_folders(folder / "a/b", folder)
        for name in ("a/1", "a/b/2", "ab", "c"):
            self.disk.write_atomic(folder / name, b"x")
        self.disk.remove(folder / "a")
        self.disk.remove(folder / "c")
        self.disk.remove(folder / "never")
        assert self.disk.names(folder) == {"ab"}
        assert not self.disk.exists(folder / "a/b/2")

    @pytest.mark.parametrize("before", [None, b"old"])
    def test_a_check_that_fails_writes_nothing(
        self, folder: Where, read: Callable[[Where], bytes], before: bytes | None
    ) -> None:
        path = folder / "f"
        if before is not None:
            self.disk.write_atomic(path, before)

        def check() -> None:
            raise KeyError("no")

        with pytest.raises(KeyError, match="no"):
            self.disk.write_atomic(path, b"new", check)
        assert self.disk.names(folder) == ({"f"} if before else set())
        assert before is None or read(path) == before
        self.disk.write_atomic(path, b"new", lambda: None)
        assert read(path) == b"new"

    def test_whoever_writes_last_wins(self, folder: Where, read: Callable[[Where], bytes]) -> None:
        """Though the other has begun before, and both are whole."""
        path = folder / "f"
        self.disk.write_atomic(path, b"first", lambda: self.disk.write_atomic(path, b"second"))
        assert read(path) == b"first"
        assert self.disk.names(folder) == {"f"}

    def test_killed_at_any_step_a_file_is_the_old_or_the_new(
        self, folder: Where, read: Callable[[Where], bytes]
    ) -> None:
        path, found = folder / "f", set()

        def attempt(step: int) -> int:
            self.disk.write_atomic(path, b"old")
            with Steps(self.changes, At(step, killed)):
                return status_of(lambda: self.disk.write_atomic(path, b"new"))

        for _ in every(range(20), attempt, least=0):
            found.add(read(path))
            assert found <= {b"old", b"new"}
        assert b"old" in found
        assert read(path) == b"new"

    def test_a_file_for_a_writer_that_seeks(
        self, folder: Where, read: Callable[[Where], bytes]
    ) -> None:
        """It is nowhere before it is whole."""
        path, aside = folder / "f", folder / "aside"

        def write(data: bytes, error: Exception | None = None) -> None:
            with self.disk.whole_file(path, aside) as local:
                local.write_bytes(data)
                assert before is None or read(path) == before
                assert before is not None or not self.disk.exists(path)
                if error is not None:
                    raise error

        before = None
        write(b"whole")
        assert read(path) == b"whole"
        before = b"whole"
        with pytest.raises(KeyError):
            write(b"half", KeyError())
        assert read(path) == b"whole"

    def test_a_place_travels_between_processes(
        self, folder: Where, read: Callable[[Where], bytes]
    ) -> None:
        path = folder / "f"
        self.disk.write_atomic(pickle.loads(pickle.dumps(path)), b"x")
        assert read(path) == b"x"
