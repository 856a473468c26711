"""The answers of Gen-SER at every number of sampling steps (Table 3), and its mean way (Fig. 1).

Both ask the trained models again, on the vectors that they were trained on.
"""

from collections.abc import Sequence
from pathlib import Path

from gensr.pipeline.progress import Listener
from gensr.pipeline.runs.predictions import Prediction
from gensr.pipeline.runs.run import Run
from gensr.pipeline.scoring.replay import MeanTrajectory, Replay


def answers_by_steps(
    runs: Sequence[Run], steps: Sequence[int], device: str, listener: Listener
) -> dict[int, list[list[Prediction]]]:
    """What every run answers at each N.

    Args:
        runs: one for each seed.
        steps: N, each at least 1.
        device: that the models are asked on.
        listener: told how far it is.

    Returns:
        For each N a list of answers for each run.

    Raises:
        RunError: a run does not fit its store any more.
    """
    found: dict[int, list[list[Prediction]]] = {N: [] for N in steps}
    listener.stage("sampling", sum(steps) * len(runs))
    for run in runs:
        with Replay(run, None, device) as replay:
            for N in steps:
                found[N].append(replay.predictions(N=N))
                listener.advance(N)
    return found


def mean_way(run: Run, device: str) -> MeanTrajectory | None:
    """The mean way of the first class that is tested: the paper's i_b = 0 (Fig. 1)."""
    with Replay(run, None, device) as replay:
        return replay.trajectory(None, N=20)


def draw_way(way: MeanTrajectory, title: str, path: Path) -> None:
    """Draw a mean way as a PNG: six panels, from x1 to the code x0."""
    from gensr.pipeline.scoring import canvas  # first: matplotlib without others' settings

    # isort: split
    from gensr.features.shown import in_picture
    from gensr.pipeline.scoring import figures, fonts

    families, without = fonts.families([in_picture(title), in_picture(way.name)])
    path.parent.mkdir(parents=True, exist_ok=True)
    with canvas.plain(families):
        figure = figures.trajectory(way, title, without)
        figure.savefig(path, dpi=150, bbox_inches="tight", metadata={"Software": None})
