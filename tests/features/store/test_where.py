"""What a text leads to: a path, a URL, or one line that says why not."""

import subprocess
import sys
from pathlib import Path

import pytest

from gensr.estimator.errors import ConfigError
from gensr.features.store.where import locate
from support import synthetic as made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo://bucket/s.zarr", "foo://bucket/s.zarr: fsspec knows no foo://"),
        (
            "dropbox://a/s.zarr",
            "a package is missing for dropbox://; .*dropbox",
        ),
        ("s3://somebody:secret@host/s.zarr", r"s3://\.\.\.: a URL with a password"),
        ("s3://somebody:se/cret-secret@bucket/x.zarr", r"s3://\.\.\.: a URL with a password"),
        ("s3://somebody:12/secret@bucket/x.zarr", r"s3://\.\.\.: a URL with a password"),
        ("s3://somebody:a/b/c/secret@bucket/x.zarr", r"s3://\.\.\.: a URL with a password"),
        ("s3://somebody%3Asecret@bucket/x.zarr", r"s3://\.\.\.: a URL with a password"),
        ("s3://somebody:secret", r"s3://\.\.\.: a URL with a password"),
        ("https://secret@host/s.h5", r"https://\.\.\.: a URL with a password"),
        ("sftp://me:secret@host/s.zarr", r"sftp://\.\.\.: a URL with a password"),
        ("simplecache::s3://me:se/secret@b/s.zarr", r"::s3://\.\.\.: a URL with a password"),
        ("https://host/s.h5?token=secret", r"https://\.\.\.: a URL with a password or a query"),
        ("memory://", "memory:// names no store"),
        ("simplecache::s3://bucket/s.zarr", "chained URLs are not supported"),
    ],
)
def test_urls_that_cannot_be_used(text, said):
    with pytest.raises(ConfigError, match=said) as told:
        locate(text)
    assert "\n" not in str(told.value)
    assert "secret" not in str(told.value)


def test_what_is_missing_for_s3_is_told(monkeypatch):
    def without(scheme):
        raise ImportError(f"Install s3fs to access {scheme}")

    monkeypatch.setattr("fsspec.get_filesystem_class", without)
    with pytest.raises(ConfigError, match=r"pip install 'gensr\[s3\]'"):
        locate("s3://bucket/s.zarr")


def test_local_places(tmp_path):
    assert locate(f"file://{tmp_path}/a%20b.zarr") == tmp_path / "a b.zarr"
    assert locate(str(tmp_path / "s.zarr")) == tmp_path / "s.zarr"
    assert locate(tmp_path) is tmp_path
    assert str(locate("memory://a/s.zarr/")) == "memory://a/s.zarr"
    for url in ("memory://host:9000/a/s.zarr", "memory://a/b@c/s.zarr", "memory://a/b:c.zarr"):
        assert str(locate(url)) == url
    assert locate(locate("memory://a/s.zarr")) == locate("memory://a/s.zarr")


def test_a_name_before_the_server_is_no_password(monkeypatch):
    """Azure's containers and the users of SSH stand there."""
    monkeypatch.setattr("fsspec.get_filesystem_class", lambda scheme: None)
    monkeypatch.setattr("upath.UPath", Path)
    for url in ("abfs://container@account.dfs.core.windows.net/s.zarr", "sftp://me@host:22/s.zarr"):
        assert locate(url).name == "s.zarr"


def test_a_local_path_does_not_pay(tmp_path):
    made.make(tmp_path / "s.zarr", made.clips("abc"))
    code = (
        "import sys; from gensr.features.store import open_store\n"
        "from gensr.features.store import job\n"
        f"open_store({str(tmp_path / 's.zarr')!r}).vectors()\n"
        "print({'upath', 's3fs', 'aiohttp'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
