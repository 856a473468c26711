"""Settings of matplotlib that lie in the current folder, or are the user's, change nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gensr.estimator.metrics import numbers
from gensr.pipeline.scoring import canvas, figures

DRAW = """
import sys
from gensr.estimator.metrics import numbers
from gensr.pipeline.scoring import canvas, figures
found = numbers([0, 1, 1, 0], [0, 1, 0, 0], list("abcd"), ["happy", "sad"])
with canvas.plain([figures.fonts.OURS]):
    figure = figures.confusion(found, "title")
    figure.savefig(sys.argv[1], metadata={"Software": None})
"""
HOSTILE = {
    "another style": b"text.color: red\nfont.size: 30\nsavefig.dpi: 20\nfigure.facecolor: black\n",
    "nonsense": b"no such setting: 1\n::::\nfont.size: large as a house\nbackend: nowhere\n",
    "no text": bytes(range(128, 256)) * 10,
    "a pipe": None,
}


def drawn(folder, **variables):
    done = subprocess.run(
        [sys.executable, "-c", DRAW, "a.png"],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return (folder / "a.png").read_bytes()


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    path = tmp_path_factory.mktemp("expected") / "a.png"
    found = numbers([0, 1, 1, 0], [0, 1, 0, 0], list("abcd"), ["happy", "sad"])
    with canvas.plain([figures.fonts.OURS]):
        figures.confusion(found, "title").savefig(path, metadata={"Software": None})
    return path.read_bytes()


def lay(path: Path, content):
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_matplotlibrc_in_the_current_folder(kind, expected, tmp_path):
    lay(tmp_path / "matplotlibrc", HOSTILE[kind])
    assert drawn(tmp_path) == expected


@pytest.mark.slow
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_matplotlibrc_that_is_the_users(kind, expected, tmp_path):
    folder = tmp_path / "settings"
    folder.mkdir()
    lay(folder / "matplotlibrc", HOSTILE[kind])
    assert drawn(tmp_path, MPLCONFIGDIR=str(folder)) == expected
    assert drawn(tmp_path, MATPLOTLIBRC=str(folder / "matplotlibrc")) == expected


def test_the_current_folder_stays_the_current_one(tmp_path):
    code = (
        "import os; os.rmdir(os.getcwd()); from gensr.pipeline.scoring import canvas; os.getcwd()"
    )
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=False
    )
    assert done.stderr.splitlines()[-1].startswith("FileNotFoundError"), done.stderr  # of getcwd
    assert "canvas.py" not in done.stderr
