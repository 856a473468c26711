"""What a user installs: the wheel holds every module of the four folders, and nothing bare."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_the_wheel_holds_every_module_under_one_namespace(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(tmp_path)]
    subprocess.run([*build, str(clone)], check=True, capture_output=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    tracked = subprocess.run(
        ["git", "ls-files", "cli", "pipeline", "features", "estimator"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    wanted = {f"gensr/{file.removeprefix('pipeline/face/')}" for file in tracked}
    assert wanted <= set(names)
    assert all(name.startswith(("gensr/", "gensr-")) for name in names)
