"""Errors that are the user's to mend: one line each, saying what, where, and what to do.

The lowest file of the project: every other room may import it, and it imports none.
"""


class GensrError(Exception):
    """Anything a user can mend; the command line prints it in one line and exits non-zero."""


class ConfigError(GensrError, ValueError):
    """A setting is out of its range, or two settings exclude each other."""


class RunError(GensrError, RuntimeError):
    """A run folder is missing, incomplete, or does not fit the store or the request."""


def one_line(error: BaseException, most: int = 300) -> str:
    r"""What another library's error says, to stand in a line of ours.

    >>> one_line(ValueError("no such\n    thing")), one_line(KeyError())
    ('no such thing', 'KeyError')
    >>> one_line(OSError("no room left"), most=10)
    'no room...'

    Args:
        error: whatever was raised.
        most: characters.
    """
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= most else f"{said[: most - 3]}..."
