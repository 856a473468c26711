"""nkululeko's HuBERT features, as its users get them; run by the Python of its own environment.

An ini file names the data and the feature type, `Experiment` loads the data, and
`FeatureExtractor` extracts and writes its pickle: the first and third step of the command
`nkululeko.nkululeko`. Its split, statistics, plots and classifier are left out, and loading the
data and the model counts as start-up, not as work. Imports nothing of this project.
"""

import configparser
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path


def main(asked: dict) -> dict:
    """Extract all clips listed in a CSV; the answer is what the parent reads."""
    config = configparser.ConfigParser()
    config.read_dict(
        {
            "EXP": {"root": asked["results"], "name": "bench"},
            "DATA": {
                "databases": "['clips']",
                "clips": asked["csv"],
                "clips.type": "csv",
                "target": "emotion",
            },
            "FEATS": {
                "type": f"['{asked['kind']}']",
                "hubert.model": asked["encoder"],
                "no_reuse": "True",
            },
            "MODEL": {"type": "svm", "device": asked["device"]},
        }
    )
    ini = Path(asked["results"], "bench.ini")
    with ini.open("w") as file:
        config.write(file)
    config = configparser.ConfigParser()
    config.read(ini)

    from nkululeko.experiment import Experiment
    from nkululeko.feat_extract.feats_hubert import Hubert
    from nkululeko.feature_extractor import FeatureExtractor

    loading = [0.0]
    load = Hubert.init_model

    def timed(self: Hubert) -> None:
        began = time.perf_counter()
        load(self)
        loading[0] += time.perf_counter() - began

    Hubert.init_model = timed
    experiment = Experiment(config)
    experiment.set_module("nkululeko")
    experiment.load_datasets()
    data = experiment.datasets["clips"].df
    before = time.time() - float(os.environ["STARTED"])
    began = time.perf_counter()
    extractor = FeatureExtractor(data, [asked["kind"]], "clips", "all", context=experiment.context)
    vectors = extractor.extract()
    work = time.perf_counter() - began - loading[0]
    if len(vectors) != len(data):
        raise SystemExit(f"{len(vectors)} of {len(data)} clips have features")
    return {
        "audio": float(data["duration"].sum()),
        "work": work,
        "startup": before + loading[0],
        "layers": 1,
        "note": f"nkululeko {version('nkululeko')}, last layer alone, float32",
    }


if __name__ == "__main__":
    answer = main(json.loads(sys.argv[1]))
    print()
    print(json.dumps(answer))
