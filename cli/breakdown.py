"""What `gensr eval` prints of one run beside its headline: recall by class, the worst speaker."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gensr.pipeline.scoring.evaluate import Evaluation


def show(one: "Evaluation") -> None:
    """Print a table of recalls, and a line about the speaker that is served worst."""
    from gensr.cli.console import print_plain, table
    from gensr.pipeline.scoring.breakdown import recalls

    rows = [
        [
            found.name,
            f"{100 * found.recall:.1f}",
            str(found.n),
            f"{found.taken_for} ({found.taken})" if found.taken else "-",
        ]
        for found in recalls(one.numbers)
    ]
    table(f"{one.run}: recall by class", ["class", "recall %", "n", "most taken for"], rows)
    worst = one.worst_speaker
    if worst is not None:
        print_plain(f"worst speaker: {worst.name}, {100 * worst.accuracy:.1f} % of {worst.n}")
