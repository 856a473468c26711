"""The notebooks of docs/, each run as it stands by a kernel of its own."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[3] / "docs/notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path, tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))  # nobody's own settings
    monkeypatch.setenv("OMP_NUM_THREADS", os.environ.get("OMP_NUM_THREADS", "1"))
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": tmp_path}})
    client.execute()
    kept = {output.output_type for cell in notebook.cells for output in cell.get("outputs", ())}
    assert kept <= {"execute_result", "display_data", "stream"}
    told = [out for cell in notebook.cells for out in cell.get("outputs", ()) if "data" in out]
    assert any("text/html" in out.data for out in told)
