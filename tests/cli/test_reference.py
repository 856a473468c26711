"""docs/commands.md is what the commands say of themselves."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs/commands.md"


def test_the_reference_is_that_of_the_live_commands(tmp_path):
    made = tmp_path / "commands.md"
    asked = ["gensr.cli.main", "utils", "docs", "--name", "gensr", "--output", str(made)]
    subprocess.run([sys.executable, "-m", "typer", *asked], check=True, capture_output=True)
    assert made.read_text() == DOCS.read_text(), "run `make reference`"
