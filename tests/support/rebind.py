"""A run whose files were changed on purpose, bound together again as if it had been made so."""

import hashlib
import json
from pathlib import Path

from gensr.pipeline.runs.files import identity


def rebind(run: Path) -> Path:
    """Write the hashes and the identity that the files of a run have now into all of them."""
    config = json.loads((run / "config.json").read_text())
    config["hashes"] = {name: _sha256(run / name) for name in config["hashes"]}
    config["run"] = identity(config)
    (run / "config.json").write_text(json.dumps(config))
    for path in run.glob("folds/*/config.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "run": config["run"]}))
    if (run / "predictions.csv").exists():
        seal = {"run": config["run"], "predictions.csv": _sha256(run / "predictions.csv")}
        (run / "seal.json").write_text(json.dumps(seal))
    return run


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
