"""`gensr` as a command, and how a call of it ended."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

GENSR = Path(sys.executable).with_name("gensr")
"""The command as it is installed beside this Python."""


@dataclass(frozen=True)
class Said:
    """How a call ended."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of what could not be done, with exit status 1."""
        return self._one_line(1)

    @property
    def usage(self) -> str:
        """The one line of a call that cannot be meant, with exit status 2."""
        return self._one_line(2)

    def _one_line(self, status: int) -> str:
        """Alone on stderr, nothing on stdout, no traceback."""
        assert self.status == status, self
        assert self.out == ""
        assert re.fullmatch(r"gensr: [^\n]+\n", self.err), self.err
        assert "Traceback" not in self.err
        return self.err

    def ok(self) -> "Said":
        assert self.status == 0, self
        return self
