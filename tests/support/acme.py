"""The package of docs/extending.md, as that page has it."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/extending.md"
FILES = dict(re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```", PAGE.read_text(), re.M | re.S))
"""Text of each file, by its path in the package."""


def install(source: Path, target: Path) -> Path:
    """Write the package to one folder and install it to another; return the latter."""
    for name, text in FILES.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    (source / "gensr_acme/__init__.py").touch()
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--offline"]
    where = ["--no-build-isolation", "--python", sys.executable, "--target", str(target)]
    subprocess.run([*command, *where, str(source)], check=True)
    return target
