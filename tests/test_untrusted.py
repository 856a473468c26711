"""What comes from elsewhere is read as data, never run: stores, checkpoints, corpora, runs."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [
    pytest.param(file, id=str(file.relative_to(ROOT)))
    for room in ("cli", "pipeline", "features", "estimator")
    for file in sorted((ROOT / room).rglob("*.py"))
]
FORBIDDEN_MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal"}
FORBIDDEN_MODULES |= {"shelve", "yaml"}
FORBIDDEN_CALLS = {
    "pickle.load",
    "pickle.Unpickler",
    "cloudpickle.load",
    "eval",
    "exec",
    "__import__",
    "yaml.load",
    "os.system",
    "os.popen",
}
MUST_SAY = {
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
    "torch.hub.load": ("never", None),
}
"""Calls that run what they read unless told not to, and the word they must be told."""
MUST_NOT_SAY = {("allow_pickle", True), ("weights_only", False), ("trust_remote_code", True)}
MUST_NOT_SAY |= {("shell", True)}


ALLOWED = {
    ("pipeline/extraction/cluster.py", "import cloudpickle"),
    ("pipeline/extraction/worker.py", "import pickle"),
    ("pipeline/importing/header.py", "import yaml"),
}
"""An encoder object travels from the client to its workers, on the channel their code comes by; a
header of YAML is read by PyYAML's safe loaders, and never by `yaml.load`."""


def faults(source: str) -> list[str]:
    """Return what a source does that could run foreign code."""
    found = []
    names: dict[str, str] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                if alias.name.split(".")[0] in FORBIDDEN_MODULES:
                    found.append(f"import {alias.name}")
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            if node.module.split(".")[0] in FORBIDDEN_MODULES:
                found.append(f"from {node.module}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            first, _, rest = ast.unparse(node.func).partition(".")
            name = names.get(first, first) + (f".{rest}" if rest else "")
            said = {
                (word.arg, getattr(word.value, "value", "?")) for word in node.keywords if word.arg
            }
            if name in FORBIDDEN_CALLS:
                found.append(name)
            if name in MUST_SAY and MUST_SAY[name] not in said:
                found.append(f"{name} without {MUST_SAY[name]}")
            found += [f"{name}({word}={value})" for word, value in said & MUST_NOT_SAY]
        elif isinstance(node, ast.Dict):  # keywords that are passed on as a dict
            pairs = zip(node.keys, node.values, strict=True)
            said = {(getattr(k, "value", ""), getattr(v, "value", "?")) for k, v in pairs}
            found += [f"{{{word!r}: {value}}}" for word, value in said & MUST_NOT_SAY]
    return found


@pytest.mark.parametrize("file", FILES)
def test_nothing_foreign_is_run(file: Path) -> None:
    name = str(file.relative_to(ROOT))
    assert {(name, fault) for fault in faults(file.read_text())} <= ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib as j",
        "pickle.load(file)",
        "eval('1')",
        "import numpy as np; np.load('x')",
        "import numpy as np; np.load('x', allow_pickle=True)",
        "from numpy import load; load('x')",
        "import torch; torch.load('x')",
        "import torch; torch.load('x', weights_only=False)",
        "from torch import load as read; read('x', weights_only=some)",
        "AutoModel.from_pretrained('x', trust_remote_code=True)",
        "f(**{'trust_remote_code': True})",
        "import subprocess; subprocess.run('ls', shell=True)",
    ],
)
def test_each_fault_is_seen(source: str) -> None:
    assert faults(source)


def test_what_is_allowed_passes() -> None:
    said = "import torch, numpy as np\ntorch.load('x', weights_only=True)\n"
    assert faults(said + "np.load('x', allow_pickle=False)\nmodel.eval()\n") == []
