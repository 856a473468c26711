"""The first of gensr that runs: from here on Ctrl-C is one line, and then the rest is imported.

Until a stage begins its work there is nothing to bring to an end, and a press ends the process at
once: an exception in the middle of imports would be a traceback, or be swallowed by a library
that takes it for a fault of its own. Afterwards a press is Python's KeyboardInterrupt, which
releases locks and ends workers; while something is being imported it waits for that.

What is pressed before Python has read this file, Python answers itself. So it imports what Python
has loaded already, and nothing else: `signal` would bring `enum` along, which takes longer than
all of this.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from types import FrameType
else:
    import _signal as signal

INTERRUPTED = 1
"""Exit status after Ctrl-C: as of everything that was not done."""
SAID = (
    "interrupted; what is finished is kept: the same `extract` goes on from there, "
    "and so does `train` with --run RUN --resume"
)
_AGAIN = 0.05
"""Seconds until a press is tried again that came at a bad moment."""


def run(command: "Callable[[], None] | None" = None) -> None:
    """Entry point of the process: the command line, where Ctrl-C is one line at any time.

    Args:
        command: what to run; None is `gensr.cli.main.run`, imported only now.
    """
    _listen()
    try:
        (command or _commands())()
    except KeyboardInterrupt:
        ending()
        sys.stderr.write(f"gensr: {SAID}\n")
        sys.exit(INTERRUPTED)
    finally:
        ending()


def _commands() -> "Callable[[], None]":
    from gensr.cli.main import run

    return run


def at_work() -> None:
    """From now on a press breaks off what is done, and does not end the process at once."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, _break_off)


def ending() -> None:
    """From now on a press changes nothing: all is done, and Python ends in peace."""
    if signal.getsignal(signal.SIGINT) in (_end, _break_off):
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _listen() -> None:
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # in the background, where a shell has made it deaf
    signal.signal(signal.SIGINT, _end)
    signal.signal(signal.SIGALRM, _press_again)
    sys.unraisablehook = _not_lost


def _end(number: int, frame: "FrameType | None") -> None:
    """Handle SIGINT while nothing is at work: say it, and end without another word."""
    try:
        os.write(2, f"gensr: {SAID}\n".encode())
    finally:
        os._exit(INTERRUPTED)


def _break_off(number: int, frame: "FrameType | None") -> None:
    """Handle SIGINT while a stage is at work."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def _press_again(number: int, frame: "FrameType | None") -> None:
    """Handle SIGALRM: to whoever handles a press now."""
    signal.raise_signal(signal.SIGINT)


def _not_lost(ignored: "sys.UnraisableHookArgs") -> None:
    """Press again where the interrupt came in a finaliser, which Python lets no exception leave."""
    if issubclass(ignored.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    else:
        sys.__unraisablehook__(ignored)
