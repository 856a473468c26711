"""The code of docs/api.md and of the README, run as it stands."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


PAGES = ["docs/api.md", pytest.param("README.md", marks=pytest.mark.slow)]  # a whole training


@pytest.mark.parametrize("page", PAGES)
def test_the_documented_code_runs(page, corpus, tmp_path, monkeypatch):
    shutil.copytree(corpus, tmp_path / "demo/corpus")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    names = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
