"""Where a store is: a path of this machine, or a URL of a file system that fsspec knows.

Text becomes a place here and nowhere else, since `Path("s3://x")` is the local folder "s3:". The
doors of the library take a `Location`, or several, and ask `locate`, `located` or `local` first.
Both kinds have pathlib's interface. What they cannot do alike stands in disk.py, and files.py asks
which disk a place is on. fsspec is imported for URLs alone.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union
from urllib.parse import unquote, urlsplit

from gensr.estimator.errors import ConfigError, one_line

if TYPE_CHECKING:
    from upath import UPath

Where: TypeAlias = Union[Path, "UPath"]
"""A `Path` of this machine, or a `UPath`."""
Location: TypeAlias = Union[str, os.PathLike[str], "UPath"]
"""What a user may give for one: text, a path of any library, or a URL."""

_SCHEME = re.compile(r"([A-Za-z][\w+.:-]*)://")
_LOCAL = ("file", "local")
_SERVER = re.compile(r"[^:@]*(:\d+)?")
"""A bucket, or a host and a port."""
_NAMED = frozenset({"abfs", "abfss", "ftp", "hdfs", "sftp", "smb", "ssh"})
"""Where the name of a container, or of a user, belongs before the server's: `name@server`."""


def locate(given: Location) -> Where:
    """Return where a text leads; a place stays what it is.

    Raises:
        ConfigError: the URL holds a secret, names no store, or its file system is not known or
            not installed; or it is no place at all.
    """
    if isinstance(given, Path):
        return given
    if protocol := getattr(given, "protocol", None):  # a UPath
        return Path(given.path) if protocol in _LOCAL else given  # type: ignore[union-attr, return-value]
    text = _text(given)
    found = _SCHEME.match(text)
    if found is None:
        return Path(text)
    scheme = found[1].lower()
    if scheme in _LOCAL:
        return Path(unquote(urlsplit(text).path))
    return _url(scheme, text[found.end() :].rstrip("/"))


def located(given: Location | Iterable[Location]) -> tuple[Where, ...]:
    """Return where one text, or each of several, leads.

    >>> [str(place) for place in located("feats.zarr")]
    ['feats.zarr']

    Raises:
        ConfigError: as of `locate`.
    """
    return tuple(locate(place) for place in each(given))


def local(given: Location) -> Path:
    """Return a path of this machine.

    Raises:
        ConfigError: it is a URL of another.
    """
    found = locate(given)
    if not isinstance(found, Path):
        raise ConfigError(f"{found} is a URL, and stores alone are read from there; give a path")
    return found


def each(given: Any) -> tuple[Any, ...]:
    """Return what was given as several: a text or a path is one, as Python sees it many letters."""
    one = isinstance(given, str | bytes | os.PathLike) or hasattr(given, "protocol")
    return (given,) if one or not isinstance(given, Iterable) else tuple(given)


def _text(given: object) -> str:
    try:
        return os.fsdecode(given)  # type: ignore[arg-type]
    except TypeError:
        raise ConfigError(f"a {type(given).__name__} is no path and no URL") from None


def _url(scheme: str, rest: str) -> "UPath":
    plain = unquote(rest)
    server = plain.partition("/")[0]
    if scheme in _NAMED:
        server = re.sub("^[^:@]*@", "", server)
    # A secret may hold a slash, and begin with digits, as a port does. It would be written into
    # runs and messages.
    if "?" in rest or not _SERVER.fullmatch(server) or re.search(r":.*@", plain, re.DOTALL):
        raise ConfigError(
            f"{scheme}://...: a URL with a password or a query in it is refused; give "
            "credentials by the environment, or by the settings of fsspec"
        )
    text = f"{scheme}://{rest}"
    if "::" in scheme:
        raise ConfigError(f"{text}: chained URLs are not supported; name the store's own")
    from fsspec import get_filesystem_class
    from upath import UPath

    try:
        get_filesystem_class(scheme)
        url = UPath(text)
    except ImportError as error:
        how = "pip install 'gensr[s3]'" if scheme in ("s3", "s3a") else one_line(error)
        raise ConfigError(f"{text}: a package is missing for {scheme}://; {how}") from None
    except ValueError:
        raise ConfigError(f"{text}: fsspec knows no {scheme}://") from None
    if not url.name:
        raise ConfigError(f"{text} names no store; a store's URL is like s3://bucket/feats.zarr")
    return url
