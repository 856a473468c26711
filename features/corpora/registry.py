"""The corpora by name. Another is one file, and one line here or in another package."""

from typing import TYPE_CHECKING

from gensr.estimator.registry import Registry

if TYPE_CHECKING:
    from gensr.features.corpora.adapter import Adapter

CORPORA: "Registry[Adapter]" = Registry(
    "corpus",
    "gensr.corpora",
    "gensr.features.corpora.adapter:Adapter",
    {
        name: f"gensr.features.corpora.{name}:ADAPTER"
        for name in (
            *("emodb", "ravdess", "tess", "savee", "cremad", "meld", "iemocap", "msp_podcast"),
        )
    },
)
