"""What every disk does alike: a rival, for another kind of place, inherits this suite."""

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gensr.features.store import files
from gensr.features.store.local_disk import LocalDisk
from gensr.features.store.url_disk import UrlDisk
from gensr.features.store.where import locate


class RefusedError(Exception):
    """A check that stops a writing."""


class DiskContract:
    """The promises of `Disk`; a subclass says which one, and gives an empty folder as `root`."""

    disk: type

    def test_it_is_the_disk_of_its_places(self, root):
        assert type(files.disk_of(root)) is self.disk

    def test_a_file_is_there_whole(self, root):
        files.make_folders(root / "a/b", root)
        files.write_atomic(root / "a/b/c", b"one")
        files.write_atomic(root / "a/b/c", bytearray(b"three"))
        files.sync(root / "a/b")
        assert (root / "a/b/c").read_bytes() == b"three"
        assert files.size(root / "a/b/c") == 5
        assert files.exists(root / "a/b/c")
        assert files.is_folder(root / "a/b")
        assert not files.is_folder(root / "a/b/c")
        assert files.names(root / "a") == {"b"}
        assert files.names(root / "a/b") == {"c"}

    def test_a_file_that_is_refused_leaves_nothing(self, root):
        def refuse():
            raise RefusedError

        files.make_folders(root / "a", root)
        files.write_atomic(root / "a/b", b"old")
        for name in ("b", "c"):
            with pytest.raises(RefusedError):
                files.write_atomic(root / "a" / name, b"new", refuse)
        assert files.names(root / "a") == {"b"}
        assert (root / "a/b").read_bytes() == b"old"

    def test_what_is_absent(self, root):
        assert not files.exists(root / "x")
        assert not files.is_folder(root / "x")
        assert not files.is_blank(root / "x")
        assert files.check_regular(root / "x", most=1) is None
        with pytest.raises(FileNotFoundError):
            files.size(root / "x")
        files.remove(root / "x")

    def test_what_is_removed_goes_with_all_that_is_in_it(self, root):
        files.make_folders(root / "a/b", root)
        for name in ("a/b/c", "a/d"):
            files.write_atomic(root / name, b"x")
        files.remove(root / "a/d")
        assert files.names(root / "a") == {"b"}
        files.remove(root / "a")
        assert not files.exists(root / "a/b/c")

    def test_a_file_that_is_sought_in_is_the_target_in_the_end(self, root):
        files.make_folders(root / "a", root)
        with files.whole_file(root / "a/t.h5", root / "a/aside") as local:
            local.write_bytes(b"12")
            assert not files.exists(root / "a/t.h5")
        assert (root / "a/t.h5").read_bytes() == b"12"
        assert files.names(root / "a") == {"t.h5"}

    def test_nothing_is_there_of_a_file_that_breaks_off(self, root):
        files.make_folders(root / "a", root)

        def write():
            with files.whole_file(root / "a/t.h5", root / "a/aside") as local:
                local.write_bytes(b"1")
                raise RefusedError

        with pytest.raises(RefusedError):
            write()
        assert not files.exists(root / "a/t.h5")

    def test_a_place_has_one_name(self, root):
        assert files.real(root / "a") == files.real(files.real(root / "a"))


class TestLocal(DiskContract):
    """A folder of this machine."""

    disk = LocalDisk

    @pytest.fixture
    def root(self, tmp_path):
        return tmp_path


class TestUrl(DiskContract):
    """Objects, by fsspec."""

    disk = UrlDisk

    @pytest.fixture
    def root(self, monkeypatch):
        monkeypatch.setattr(MemoryFileSystem, "store", {})
        monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
        return locate("memory://root")
