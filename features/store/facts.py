"""What a store is, by its header alone: nothing else is read for it."""

from gensr.features.audio.perturb import perturbation_of
from gensr.features.same_encoder import named
from gensr.features.store.schema import Header


def store_facts(header: Header) -> list[tuple[str, str]]:
    """Return named facts, the first three of which tell a store in a line."""
    return [
        ("clips", f"{header.clips} clips"),
        ("layers", f"{len(header.layers)} layers x {header.width}"),
        ("encoder", f"{named(header.encoder)}, {header.encoder.get('dtype')}"),
        ("names", f"{', '.join(header.layers)} (x1 is the last)"),
        ("stored as", header.dtype),
        *([("perturbed", done)] if (done := perturbed(header)) else []),
        ("unusable files", str(header.failed)),
        ("columns", ", ".join(["path", "row", *header.columns])),
    ]


def perturbed(header: Header) -> str:
    """What was done to every clip before it was encoded; empty for clips as they are."""
    return str(perturbation_of(header.preprocessing))
