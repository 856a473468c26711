"""The lock is the kernel's or none: never a file that outlives its owner."""

import errno
import fcntl
import os
import re

import pytest

from gensr.features.store.convert import convert
from gensr.features.store.errors import StoreError
from support import synthetic as made


def without_locks(patch, number=errno.ENOSYS):
    """Make this a file system that has no locks, as Lustre mounted without flock."""

    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    patch.setattr(fcntl, "flock", refuse)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_file_system_without_locks_is_one_line(out, tmp_path, monkeypatch, number):
    source = made.make(tmp_path / "source.zarr", made.clips("ab"))
    without_locks(monkeypatch, number)
    reason = re.escape(os.strerror(number))
    said = rf"{out.name}\.work/lock cannot be locked \({reason}\): mount .*flock.*local disk$"
    for attempt in (
        lambda: made.make(out, made.clips("ab")),
        lambda: made.make(out, made.clips("ab")),  # nothing was left that locks it out
        lambda: convert(source, out),
    ):
        with pytest.raises(StoreError, match=said) as told:
            attempt()
        assert "\n" not in str(told.value)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["source.zarr"]


def test_what_is_half_done_stays(out, monkeypatch):
    with made.started(out, made.clips("ab")):
        pass
    work = out.with_name(out.name + ".work")
    before = sorted(path.name for path in work.iterdir())
    with monkeypatch.context() as patch:
        without_locks(patch)
        with pytest.raises(StoreError, match="cannot be locked"):
            made.make(out, made.clips("ab"))
    assert sorted(path.name for path in work.iterdir()) == before
    made.make(out, made.clips("ab"))


def test_a_url_needs_a_cache_with_locks(memory, monkeypatch):
    without_locks(monkeypatch)
    with pytest.raises(StoreError, match=r"\.lock cannot be locked .*XDG_CACHE_HOME name a folder"):
        made.make("memory://a/s.zarr", made.clips("ab"))
    assert not memory()
