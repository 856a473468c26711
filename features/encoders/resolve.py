"""From an encoder's name to a local folder of files, and the exact revision of what is in it.

Hub ids are downloaded to Hugging Face's own cache and loaded from there, as a folder would be.
The hub is asked once, with a short timeout: without a network the answer comes in seconds.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gensr.estimator.errors import one_line
from gensr.features.encoders.errors import EncoderError
from gensr.features.encoders.settings import FILES

TIMEOUT = 10.0
"""Seconds for the hub's first answer."""

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SETTINGS = list(FILES)
_SAFETENSORS = ["model*.safetensors", "model.safetensors.index.json"]
_SAFE_NAMES = ("model.safetensors", "model.safetensors.index.json")
"""One of which is there where a folder holds safetensors: other names are other precisions."""
_PICKLES = ["pytorch_model*.bin", "pytorch_model.bin.index.json"]
_REPOSITORY = "models--"
"""How the folder of a model begins in a cache of the hub."""
_SINCE_FIRST = FILES[2:]
"""Settings that the first version did not download: a snapshot of its time may lack them."""
_WAY_OUT = "pass a local folder that holds the encoder, or --encoder fbank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An encoder's files."""

    name: str
    """Hub id, also of a folder that is the hub's own; else the folder's name: never where it
    lies."""
    folder: Path
    """Local folder with config.json and weights."""
    revision: str | None
    """Commit on the hub; None for other folders, which only their weights' hash identifies."""


def find_source(name: str, revision: str | None) -> Source:
    """Locate a folder, or download a hub id.

    Raises:
        EncoderError: no such folder or id, or the hub cannot be reached.
    """
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # nobody's home
        raise EncoderError(f"encoder {name!r}: there is no such folder; {_WAY_OUT}") from None
    if path.is_dir():
        source = _of_folder(path)
        if revision not in (None, source.revision):
            has = f"is revision {source.revision}" if source.revision else "has no revision"
            raise EncoderError(f"encoder {name!r} is a folder, which {has}, not {revision!r}")
        return source
    if path.exists():
        raise EncoderError(f"encoder {name!r} is a file; pass the folder that holds config.json")
    if name.startswith((".", "/", "~")) or not _HUB_ID.fullmatch(name):
        raise EncoderError(f"encoder {name!r}: there is no such folder; {_WAY_OUT}")
    return _from_hub(name, revision)


def is_here(name: str) -> bool:
    """Whether a hub id needs no download: an earlier one is in the local cache, whole."""
    return _cached(name, None) is not None


def _of_folder(path: Path) -> Source:
    """Name a folder: as the hub does, where it is a snapshot in a cache of the hub."""
    where = path.resolve()
    cached = where.parent.parent.name
    if (
        _COMMIT.fullmatch(where.name)
        and where.parent.name == "snapshots"
        and cached.startswith(_REPOSITORY)
    ):
        # An id holds no `--` of its own, so this is what the cache made of its slash.
        named = cached.removeprefix(_REPOSITORY).replace("--", "/")
        if _HUB_ID.fullmatch(named):
            return Source(name=named, folder=path, revision=where.name)
    return Source(name=where.name, folder=path, revision=None)


def _from_hub(name: str, revision: str | None) -> Source:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()  # the command line owns the terminal
    if revision is not None and _COMMIT.fullmatch(revision):
        cached = _cached(name, revision)  # a commit never changes: nothing to ask
        if cached is not None:
            _complete(cached)
            return cached
    try:
        info = HfApi().model_info(name, revision=revision, timeout=TIMEOUT)
    except GatedRepoError as error:
        raise EncoderError(
            f"encoder {name!r} asks you to accept its terms on the hub first "
            f"(then: hf auth login); or {_WAY_OUT}"
        ) from error
    except RevisionNotFoundError as error:
        raise EncoderError(f"encoder {name!r} has no revision {revision!r} on the hub") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise EncoderError(
            f"encoder {name!r} is neither a folder here nor a model on the hub; {_WAY_OUT}"
        ) from error
    except Exception as error:  # no network, a proxy's page, offline mode: the HTTP client's own
        cached = _cached(name, revision)
        if cached is not None:
            return cached
        raise EncoderError(
            f"encoder {name!r} is not in the local cache and the Hugging Face hub cannot be "
            f"reached ({one_line(error)}); {_WAY_OUT}"
        ) from error
    files = {sibling.rfilename for sibling in info.siblings or []}
    safe = not files.isdisjoint(_SAFE_NAMES)
    wanted = _SETTINGS + (_SAFETENSORS if safe else _PICKLES)
    try:
        folder = snapshot_download(name, revision=info.sha, allow_patterns=wanted)
    except Exception as error:
        raise EncoderError(
            f"the download of encoder {name!r} broke off ({one_line(error)}); "
            "run again to go on where it stopped"
        ) from error
    return Source(name=name, folder=Path(folder), revision=info.sha)


def _cached(name: str, revision: str | None) -> Source | None:
    """Return what an earlier run has downloaded, if config and weights are there."""
    from huggingface_hub import snapshot_download

    try:
        wanted = _SETTINGS + _SAFETENSORS + _PICKLES
        found = snapshot_download(
            name, revision=revision, allow_patterns=wanted, local_files_only=True
        )
    except (OSError, ValueError):
        return None
    folder = Path(found)
    weights = [*folder.glob("model*.safetensors"), *folder.glob("pytorch_model*.bin")]
    if not (folder / "config.json").is_file() or not weights:
        return None
    return Source(name=name, folder=folder, revision=folder.name)


def _complete(source: Source) -> None:
    """Fetch settings that an earlier version did not ask for; asked once, then known for good.

    Without a network they are taken to be absent, as transformers takes them.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    for file in _SINCE_FIRST:
        if try_to_load_from_cache(source.name, file, revision=source.revision) is not None:
            continue  # there, or known to be absent
        with suppress(Exception):  # absent, or no network: the HTTP client's own
            hf_hub_download(source.name, file, revision=source.revision, etag_timeout=TIMEOUT)
