"""transformers 4 and 5: the same checkpoints, the same vectors, whichever saved or loaded them."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import transformers

from support.checkpoints import relative_error
from support.processes import with_support

MAIN_MAJOR = int(transformers.__version__.split(".")[0])
OTHER = "transformers==4.56.*" if MAIN_MAJOR == 5 else "transformers>=5,<6"
"""The oldest that pyproject.toml allows; the newest 4 lies between the two."""
UNREACHABLE = ("dns error", "error sending request", "tcp connect error", "timed out")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(*command):
    return subprocess.run(
        [str(part) for part in command], env=with_support(), capture_output=True, text=True
    )


def succeed(*command):
    done = run(*command)
    assert done.returncode == 0, done.stderr[-3_000:]


@pytest.fixture(scope="module")
def other_python(tmp_path_factory):
    """An environment with the other transformers; all else, torch above all, is the main one's."""
    uv = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv")
    assert uv is not None, "make setup puts uv into .venv/bin"
    home = tmp_path_factory.mktemp("other") / "venv"
    python = home / "bin" / "python"
    succeed(uv, "venv", "--python", sys.executable, home)
    done = run(uv, "pip", "install", "--python", python, OTHER)
    if done.returncode and any(words in done.stderr for words in UNREACHABLE):
        pytest.skip(f"the package index cannot be reached, so there is no {OTHER}")
    assert done.returncode == 0, done.stderr[-3_000:]
    own = next(home.glob("lib/python*/site-packages"))
    shared = sysconfig.get_paths()["purelib"]
    # Sorted last, and behind the environment's own packages: only what is missing is shared.
    (own / "zz_shared.pth").write_text(f"import site; site.addsitedir({shared!r})\n")
    return python


@pytest.fixture(scope="module")
def found(other_python, tmp_path_factory):
    """Vectors by (who encoded, who saved)."""
    root = tmp_path_factory.mktemp("versions")
    pythons = {"main": sys.executable, "other": other_python}
    for saver, python in pythons.items():
        succeed(python, "-m", "support.encode_kinds", "make", root / saver)
    results = {}
    for reader, python in pythons.items():
        for saver in pythons:
            out = root / f"{reader}-{saver}.npz"
            succeed(python, "-m", "support.encode_kinds", "encode", root / saver, out)
            with np.load(out) as arrays:
                results[reader, saver] = dict(arrays)
    return results


def test_the_two_are_of_different_majors(found):
    majors = [
        int(str(found[reader, "main"]["version"]).split(".")[0]) for reader in ("main", "other")
    ]
    assert sorted(majors) == [4, 5]
    assert majors[0] == MAIN_MAJOR


def test_x1_is_the_mean_of_last_hidden_state_in_both(found):
    for arrays in found.values():
        kinds = [key.split("/")[1] for key in arrays if key.startswith("vectors/")]
        assert len(kinds) == 9
        for kind in kinds:
            assert relative_error(arrays[f"alone/{kind}"], arrays[f"theirs/{kind}"]) < 1e-6, kind


@pytest.mark.parametrize("saver", ["main", "other"])
def test_both_give_the_same_vectors_of_a_checkpoint(found, saver):
    main, other = found["main", saver], found["other", saver]
    for key in main:
        if key.startswith("vectors/"):
            assert relative_error(other[key], main[key]) < 1e-6, key
