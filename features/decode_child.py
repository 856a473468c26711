"""The process in which files are decoded: `python -m gensr.features.decode_child`.

A decoder is C code that reads whatever a file holds, so it can crash, or run for ever. Here that
costs one clip: `decoders.py`, on the other side of the pipes, sees this process end, or ends it.

Lines of JSON, so that a name may hold anything. In: the bytes of a path, as Latin-1 text. Out,
for each path, one after another as they become known:

    ["hashed", file_sha256]                        the bytes were read
    ["loading"]                                    what resamples, at the first other rate
    ["verdict", samples, audio_sha256, reason, passing]    the last line for this path
    ["broken", message]                            instead: no file can be resampled, and why

and once, in the beginning, ["ready"]. Samples stay here: what is heard is decoded again when it
is encoded, by then proven harmless (`read_audio(file_sha256=...)`).
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

from gensr.estimator.errors import AudioError, GensrError
from gensr.features.audio import (
    SAMPLE_RATE,
    content_address,
    decode,
    hash_bytes,
    hash_once,
    open_audio,
    to_16_khz,
)
from gensr.features.resample import load_upfirdn
from gensr.features.segments import locate
from gensr.features.verdict import Verdict, refused

Tell = Callable[..., None]
"""Called with the fields of one line."""


def main() -> None:
    """Answer paths until the other side closes the pipe; then end at once, whatever goes on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    _no_core_dumps()
    answers = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer

    def tell(*line: object) -> None:
        os.write(answers, json.dumps(line).encode() + b"\n")

    paths: queue.SimpleQueue[Path] = queue.SimpleQueue()
    # In a thread, so that an orphan ends even in the middle of a decoding that does not.
    threading.Thread(target=_listen, args=(paths,), daemon=True).start()
    tell("ready")
    while True:
        path = paths.get()
        try:
            verdict = judge(path, tell)
        except GensrError as error:
            tell("broken", str(error))
        else:
            tell("verdict", *astuple(verdict))


def judge(path: Path, tell: Tell) -> Verdict:
    """Decode one file, or a part of one.

    Args:
        path: the file, or the name of a part of it.
        tell: hears what is known before the verdict is.

    Raises:
        GensrError: something is missing that other files need too.
    """
    try:
        whole, segment = locate(path)
        with open_audio(whole) as file:
            tell("hashed", hash_bytes(file) if segment is None else hash_once(file))
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
    return Verdict(samples=len(samples), audio_sha256=content_address(samples))


def _listen(paths: "queue.SimpleQueue[Path]") -> None:
    for line in sys.stdin.buffer:
        paths.put(Path(os.fsdecode(json.loads(line).encode("latin-1"))))
    os._exit(0)


def _no_core_dumps() -> None:
    """Keep a crash from leaving a file of gigabytes in the user's folder."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


if __name__ == "__main__":
    main()
