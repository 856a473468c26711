"""The rooms and their arrows: who may import whom (docs/design.md)."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("cli", "pipeline", "features", "estimator")
ALLOWED = {
    "cli": {"cli", "pipeline", "features", "estimator"},
    "pipeline": {"pipeline", "features", "estimator"},
    "features": {"features"},
    "estimator": {"estimator"},
}
SHARED = {"gensr.estimator.errors", "gensr.estimator.device", "gensr.estimator.registry"}
"""What `features` may use of `estimator`: errors, the choice of a device, a registry."""
ONLY_IN = {
    "typer": "cli",
    "rich": "cli",
    "transformers": "features",
    "torchaudio": "features",
    "soundfile": "features",
    "av": "features",
    "zarr": "features",
    "h5py": "features",
    "dask": "features",
    "matplotlib": "pipeline",
    "jinja2": "pipeline",
}


def _imports(file: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names.append(str(node.module))
    return names


FILES = [
    pytest.param(room, file, id=str(file.relative_to(ROOT)))
    for room in ROOMS
    for file in sorted((ROOT / room).rglob("*.py"))
]


@pytest.mark.parametrize(("room", "file"), FILES)
def test_arrows_point_down(room: str, file: Path) -> None:
    for name in _imports(file):
        top = name.split(".")[0]
        assert top not in ROOMS, f"{name}: the package is gensr.{name}"
        assert ONLY_IN.get(top, room) == room, f"{name} belongs in {ONLY_IN.get(top)}/"
        if top == "gensr" and name not in SHARED:
            assert name.split(".")[1] in ALLOWED[room], f"{room}/ must not import {name}"


@pytest.mark.parametrize(("room", "file"), FILES)
def test_files_are_short_enough_to_be_one_idea(room: str, file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 400


def test_every_subpackage_is_listed_for_the_wheel() -> None:
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        "gensr." + ".".join(init.parent.relative_to(ROOT).parts)
        for room in ROOMS
        for init in (ROOT / room).rglob("__init__.py")
    }
    found = found - {"gensr.pipeline.face"} | {"gensr"}
    assert set(listed["packages"]) == set(listed["package-dir"]) == found


def test_tests_lie_as_the_modules_do() -> None:
    tests = ROOT / "tests"
    folders = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")}
    for folder in folders - {Path("pipeline/extraction/cluster")}:
        assert (ROOT / folder).is_dir(), f"tests/{folder} is the folder of no room"


def _loaded_after(code: str) -> set[str]:
    probe = f"{code}\nimport sys; print(' '.join(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in answer.stdout.split()}


@pytest.mark.parametrize(
    ("code", "never"),
    [
        ("import gensr.cli.main", {"torch", "transformers", "numpy", "zarr", "h5py", "matplotlib"}),
        (
            "import gensr.pipeline.training.train, gensr.pipeline.scoring.evaluate",
            {"transformers", "torchaudio"},
        ),
        ("import gensr.pipeline.extraction.extract", {"transformers", "torch"}),
    ],
)
def test_light_paths_stay_light(code: str, never: set[str]) -> None:
    assert not never & _loaded_after(code)


def test_no_room_leads_back_to_itself() -> None:
    """Folders of modules, and what they import: no circle, whatever the order of the imports."""
    modules = {
        f"gensr.{'.'.join(file.relative_to(ROOT).with_suffix('').parts)}".removesuffix(".__init__")
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
    }
    leads: dict[Path, set[Path]] = {}
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for name in _imported(file) & modules:
                path = ROOT.joinpath(*name.split(".")[1:])
                other = path if path.is_dir() else path.parent
                if other != file.parent:
                    leads.setdefault(file.parent, set()).add(other)
    TopologicalSorter(leads).prepare()  # CycleError names the circle


def _imported(file: Path) -> set[str]:
    """Every module that a file imports, as `from package import module` too."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= below | {str(node.module)}
    return names


def test_the_store_knows_nothing_above_it() -> None:
    """Vectors and a table: not whose speech it is, nor how it was heard or encoded."""
    above = ("corpora", "demo", "encoders", "encoding", "hearing", "media")
    for file in (ROOT / "features/store").rglob("*.py"):
        for name in _imports(file):
            assert not name.startswith(tuple(f"gensr.features.{room}" for room in above)), file


def test_path_or_url_is_asked_in_one_place() -> None:
    """`Where` is told apart where a text becomes one, and where its disk is found."""
    asked = {
        file.name
        for file in (ROOT / "features/store").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass")
        if "Path" in ast.unparse(node.args[1])
    }
    assert asked == {"where.py", "files.py"}
