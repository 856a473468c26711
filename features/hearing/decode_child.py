"""The process in which files are decoded: `python -m gensr.features.hearing.decode_child`.

A decoder is C code that reads whatever a file holds, so it can crash, or run for ever. Here that
costs one clip: `decoders.py`, on the other side of the pipes, sees this process end, or ends it.

Lines of JSON, so that a name may hold anything. In:

    ["hear", path, ...]             are these to be used? The paths' bytes, as Latin-1 text
    ["read", path, file_sha256]     its samples, if it still has the bytes with this hash

Out, for one file after another, as they become known:

    ["hashed", file_sha256]                        the bytes were read
    ["loading"]                                    FFmpeg; or what resamples, at another rate
    ["samples", count]                             only if asked to read; behind the line stand
                                                   the samples, count little-endian float32
    ["verdict", samples, audio_sha256, reason, passing]    the last line for this path
    ["broken", message]                            instead: no file can be resampled, and why

and once, in the beginning, ["ready"]. Samples that were only heard stay here: most files are
decoded again where they are encoded, by then proven harmless (`read_audio(file_sha256=...)`). Read
from here is what this process alone shall see: what FFmpeg decodes, and what libmpg123 does, which
writes to a process's standard error as it likes; here that leads nowhere.
"""

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gensr.estimator.errors import GensrError
from gensr.features.audio.errors import AudioError
from gensr.features.audio.hashes import hash_of
from gensr.features.audio.resample import SAMPLE_RATE, load_upfirdn
from gensr.features.audio.segments import locate
from gensr.features.hearing.decode import (
    CHANGED,
    content_address,
    decode,
    is_media,
    open_audio,
    to_16_khz,
)
from gensr.features.hearing.verdict import Verdict, refused
from gensr.features.media.ffmpeg import load_av

Tell = Callable[..., None]
"""Called with the fields of one line."""
Give = Callable[[NDArray[np.float32]], None]
"""Called with the samples of a clip, (n,) at 16 kHz."""


def main() -> None:
    """Answer paths until the other side closes the pipe; then end at once, whatever goes on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _no_core_dumps()
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer

    def tell(*line: object) -> None:
        os.write(answers, json.dumps(line).encode() + b"\n")

    def give(samples: NDArray[np.float32]) -> None:
        tell("samples", len(samples))
        rest = np.ascontiguousarray(samples, "<f4").data.cast("B")
        while rest:
            rest = rest[os.write(answers, rest) :]

    asked: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    # In a thread, so that an orphan ends even in the middle of a decoding that does not.
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    tell("ready")
    while True:
        task, *names = asked.get()
        wanted = names[1:] if task == "read" else []
        for name in names[: len(names) - len(wanted)]:
            path = Path(os.fsdecode(name.encode("latin-1")))
            try:
                verdict = judge(path, tell, give if task == "read" else None, *wanted)
            except GensrError as error:
                tell("broken", str(error))
                break
            tell("verdict", *astuple(verdict))


def judge(
    path: Path, tell: Tell, give: Give | None = None, file_sha256: str | None = None
) -> Verdict:
    """Decode one file, or a part of one.

    Args:
        path: the file, or the name of a part of it.
        tell: hears what is known before the verdict is.
        give: takes the samples of a file that can be used.
        file_sha256: refuse other bytes than those with this hash.

    Raises:
        GensrError: something is missing that other files need too.
    """
    try:
        whole, segment = locate(path)
        with open_audio(whole) as file:
            found = hash_of(file, segment)
            tell("hashed", found)
            if file_sha256 is not None and found != file_sha256:
                raise AudioError(CHANGED)
            if is_media(file) and not load_av.cache_info().currsize:
                tell("loading")
            mono, rate = decode(file, segment)
        if rate != SAMPLE_RATE and not load_upfirdn.cache_info().currsize:
            tell("loading")
        samples = to_16_khz(mono, rate)
    except AudioError as error:
        return refused(str(error), passing=isinstance(error.__cause__, OSError))
    except GensrError:
        raise
    except MemoryError:
        return refused("needs more memory than is free: cut it into utterances first", passing=True)
    except Exception as error:  # a header that the decoder's own code is not ready for
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return refused(f"the decoder failed ({told})", passing=True)
    if give is not None:
        give(samples)
    return Verdict(samples=len(samples), audio_sha256=content_address(samples))


def _listen(asked: "queue.SimpleQueue[list[str]]") -> None:
    for line in sys.stdin.buffer:
        asked.put(json.loads(line))
    os._exit(0)


def _no_core_dumps() -> None:
    """Keep a crash from leaving a file of gigabytes in the user's folder."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main()
