"""Speech emotion recognition as distribution transport (Gen-SER), on cached vectors.

    import gensr

    gensr.extract("corpora/emodb", "emodb.zarr")   # speech in, vectors out, once
    report = gensr.train("emodb.zarr")             # a model per fold, each fold's test answered
    gensr.evaluate(report.run)                     # the numbers, with their intervals

What a user of the library needs is named here, and imported when it is first asked for: so
`import gensr` is instant, and brings neither torch nor transformers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gensr.estimator.errors import GensrError
    from gensr.features.store import Store, open_store
    from gensr.pipeline.extraction.extract import ExtractConfig, ExtractReport, extract
    from gensr.pipeline.importing.importing import ImportConfig, ImportReport, import_features
    from gensr.pipeline.lint.lint import lint
    from gensr.pipeline.protocols.protocol import Protocol
    from gensr.pipeline.report.report import Written, report
    from gensr.pipeline.reproduce.reproduce import reproduce
    from gensr.pipeline.runs.run import Run
    from gensr.pipeline.scoring.evaluate import evaluate, evaluate_all
    from gensr.pipeline.scoring.evaluation import Evaluation
    from gensr.pipeline.scoring.foreign import score_answers
    from gensr.pipeline.scoring.table import compare
    from gensr.pipeline.training.config import TrainConfig
    from gensr.pipeline.training.seeds import train_seeds
    from gensr.pipeline.training.train import TrainReport, train
    from gensr.pipeline.use.answers import Answers
    from gensr.pipeline.use.predict import predict
    from gensr.pipeline.use.trained import Trained, load_model

    __version__: str

__all__ = [  # noqa: RUF022 (in the order of the work)
    "extract",
    "ExtractConfig",
    "ExtractReport",
    "import_features",
    "ImportConfig",
    "ImportReport",
    "open_store",
    "Store",
    "train",
    "train_seeds",
    "TrainConfig",
    "TrainReport",
    "Run",
    "Protocol",
    "evaluate",
    "evaluate_all",
    "Evaluation",
    "compare",
    "score_answers",
    "lint",
    "reproduce",
    "report",
    "Written",
    "load_model",
    "Trained",
    "predict",
    "Answers",
    "GensrError",
    "__version__",
]  # fmt: skip

if not TYPE_CHECKING:  # a type checker would take any name then
    _HOMES = {
        "gensr.estimator.errors": ("GensrError",),
        "gensr.features.store": ("Store", "open_store"),
        "gensr.pipeline.importing.importing": (
            "ImportConfig",
            "ImportReport",
            "import_features",
        ),
        "gensr.pipeline.lint.lint": ("lint",),
        "gensr.pipeline.reproduce.reproduce": ("reproduce",),
        "gensr.pipeline.scoring.foreign": ("score_answers",),
        "gensr.pipeline.scoring.table": ("compare",),
        "gensr.pipeline.scoring.evaluate": ("evaluate", "evaluate_all"),
        "gensr.pipeline.scoring.evaluation": ("Evaluation",),
        "gensr.pipeline.extraction.extract": ("ExtractConfig", "ExtractReport", "extract"),
        "gensr.pipeline.report.report": ("Written", "report"),
        "gensr.pipeline.use.answers": ("Answers",),
        "gensr.pipeline.use.predict": ("predict",),
        "gensr.pipeline.protocols.protocol": ("Protocol",),
        "gensr.pipeline.runs.run": ("Run",),
        "gensr.pipeline.training.seeds": ("train_seeds",),
        "gensr.pipeline.training.config": ("TrainConfig",),
        "gensr.pipeline.training.train": ("TrainReport", "train"),
        "gensr.pipeline.use.trained": ("Trained", "load_model"),
    }

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version

            return version("gensr")
        for home, names in _HOMES.items():
            if name in names:
                value = globals()[name] = getattr(import_module(home), name)
                return value
        raise AttributeError(f"module 'gensr' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
