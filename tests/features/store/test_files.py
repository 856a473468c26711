"""Files that are whole or absent: of this machine, in memory, and at an S3 server."""

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from gensr.features.store import files
from gensr.features.store.local_disk import LocalDisk
from gensr.features.store.url_disk import UrlDisk
from gensr.features.store.where import locate
from support import bucket
from support.contracts.disk import DiskContract
from support.steps import FLUSHES, NAMES, of


class TestLocal(DiskContract):
    kind = LocalDisk
    changes = (*NAMES, *FLUSHES)

    @pytest.fixture
    def folder(self, tmp_path):
        return tmp_path

    def test_a_writer_that_was_killed_leaves_what_is_removed(self, folder):
        (folder / "vectors.partial").mkdir()  # a column may be called so
        for name in ("f.1-abc.partial", "vectors.partial/0.partial", "vectors.partial/0"):
            (folder / name).touch()
        files.remove_partial(folder)
        assert files.names(folder) == {"vectors.partial"}
        assert files.names(folder / "vectors.partial") == {"0"}

    def test_a_second_name_is_the_same_file(self, folder):
        files.write_atomic(folder / "f", b"x")
        for _ in range(2):
            files.link_or_copy(folder / "f", folder / "g")
        assert (folder / "f").samefile(folder / "g")
        files.write_atomic(folder / "f", b"other")
        assert (folder / "g").read_bytes() == b"x"
        assert files.names(folder) == {"f", "g"}

    def test_where_there_are_no_links_it_is_a_copy(self, folder, monkeypatch):
        def refuse(*_):
            raise PermissionError

        monkeypatch.setattr("os.link", refuse)
        files.write_atomic(folder / "f", b"x")
        files.link_or_copy(folder / "f", folder / "g")
        assert not (folder / "f").samefile(folder / "g")
        assert (folder / "g").read_bytes() == b"x"
        assert files.names(folder) == {"f", "g"}

    def test_a_folder_takes_another_name(self, folder):
        files.make_folders(folder / "a/b", folder)
        files.write_atomic(folder / "a/b/f", b"x")
        files.move(folder / "a", folder / "c")
        assert files.names(folder) == {"c"}
        assert (folder / "c/b/f").read_bytes() == b"x"

    def test_folders_are_not_made_where_their_root_is_gone(self, folder):
        with pytest.raises(FileNotFoundError):
            files.make_folders(folder / "gone/a", folder / "gone")

    def test_a_link_is_removed_and_not_what_it_leads_to(self, folder):
        files.make_folders(folder / "real", folder)
        files.write_atomic(folder / "real/f", b"x")
        (folder / "link").symlink_to(folder / "real")
        files.remove(folder / "link")
        assert files.names(folder) == {"real"}
        assert files.names(folder / "real") == {"f"}


class TestMemory(DiskContract):
    kind = UrlDisk
    changes = of(MemoryFileSystem, "pipe_file", "put_file", "rm")

    @pytest.fixture
    def folder(self, memory):
        place = locate("memory://some/where")
        place.mkdir(parents=True)
        return place


@pytest.fixture(scope="module")
def server():
    with bucket.serving() as server:
        yield server


@pytest.mark.slow
class TestBucket(DiskContract):
    kind = UrlDisk

    @pytest.fixture
    def folder(self, server, request, monkeypatch):
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        return locate(f"s3://{bucket.BUCKET}/{request.node.name}")
