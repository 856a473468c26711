"""What a fold answers of its development part, by a model that has not learnt from it.

A fold's final model learns from train and dev parts, so what it says of the dev part says nothing
of it. The model that is trained on the train part alone has not: its answers are what calibration
may be fitted on. Where the number of steps is chosen, they are those of the chosen step, which are
kept as they come: the training goes on past it.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from gensr.estimator.checkpoint import read_state, write_state
from gensr.estimator.errors import RunError, one_line
from gensr.estimator.fitting import LogEntry


@dataclass(frozen=True, slots=True)
class _Kept:
    step: int
    dev_loss: float
    p: Tensor


class BestLook:
    """The answers of the look at which the development part was told apart best.

    A look after a kill is taken once more, with the same answers: what is kept is the same.

    Args:
        path: where they are kept while the training lasts.
        owner: the run that they belong to.
    """

    def __init__(self, path: Path, owner: str | None) -> None:
        self._path, self._owner = path, owner

    def __call__(self, entry: LogEntry, p: Tensor) -> None:
        """Keep answers (n, C), where no look before was better.

        A look that is no later than what is kept begins or goes on anew: it counts from there.

        Raises:
            RunError: there is no room, what is kept is damaged, or is another run's.
        """
        assert entry.dev_loss is not None  # it is a look at the dev part
        kept = self._read()
        if kept is None or entry.step <= kept.step or entry.dev_loss < kept.dev_loss:
            look = {"step": entry.step, "dev_loss": entry.dev_loss, "p": p}
            write_state(self._path, {"run": self._owner, **look})

    def at(self, step: int) -> Tensor | None:
        """The answers of a step; None where those of another are kept, or none.

        Raises:
            RunError: they are damaged, or another run's.
        """
        kept = self._read()
        # None: the training was begun by a version that kept none, or the model tells none.
        return None if kept is None or kept.step != step else kept.p

    def _read(self) -> "_Kept | None":
        if not self._path.exists():
            return None
        try:
            kept = read_state(self._path)
            if kept["run"] != self._owner:
                raise ValueError("it is another run's")
            return _Kept(int(kept["step"]), float(kept["dev_loss"]), kept["p"])
        except RunError:
            raise
        except Exception as error:
            raise RunError(
                f"{self._path} is damaged ({one_line(error)}); remove every *.checkpoint under "
                f"{self._path.parent.parent}, and --resume trains what is not finished anew"
            ) from error
