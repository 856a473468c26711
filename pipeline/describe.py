"""What a path is, in a few lines: a store, a run, or a corpus."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gensr.features.corpora import scan
from gensr.features.store import open_store
from gensr.features.store.where import Where, locate
from gensr.pipeline.run import Run


@dataclass(frozen=True, slots=True)
class Description:
    """A title, named facts, and further lines."""

    title: str
    facts: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def describe(path: Where | str) -> Description:
    """Tell what there is to know of a store, a run or a corpus; at a URL, of a store.

    Raises:
        GensrError: it is none of them, or damaged.
    """
    path = locate(path)
    if not isinstance(path, Path):
        return _store(path)
    if (path / "protocol.json").is_file():
        return _run(path)
    is_zarr = path.suffix == ".zarr" or (path / "zarr.json").is_file()
    if is_zarr or path.suffix in (".h5", ".hdf5"):
        return _store(path)
    return _corpus(path)


def _store(path: Where) -> Description:
    with open_store(path) as store:
        encoder = store.header.encoder
        table = {name: [*map(str, values.tolist())] for name, values in store.table.items()}
        facts = [
            ("clips", f"{len(store)}, {store.table['seconds'].sum() / 3600:.2f} h"),
            ("encoder", f"{encoder.get('name')} ({encoder.get('family')})"),
            ("dtype", f"{encoder.get('dtype')}, stored as {store.header.dtype}"),
            ("verified", _verified(store.header.verification)),
            ("layers", f"{len(store.layers)} x {store.width}: {', '.join(store.layers)}"),
            ("x1", str(encoder.get("x1"))),
            ("identical audio", f"{len(store) - store.header.audios} clips"),
            *_counts(table),
            ("hash", store.fingerprint()[:16]),
        ]
        failed = zip(store.failed["path"], store.failed["reason"], strict=True)
        return Description(
            f"store {path}", tuple(facts), tuple(f"unusable: {p}: {why}" for p, why in failed)
        )


def _verified(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "no (gensr extract --verify K)"
    return (
        f"{found['clips']} clips encoded again alone, largest relative error "
        f"{found['error']:.1e} (bound {found['bound']:.0e})"
    )


def _corpus(path: Path) -> Description:
    found = scan(path, allow_outside=True)  # nothing is read but names
    columns = ("corpus", "emotion", "canonical", "speaker", "gender", "split")
    table = {name: [getattr(clip, name) for clip in found.clips] for name in columns}
    problems = tuple(f"unusable: {p.path}: {p.reason}" for p in found.problems)
    return Description(
        f"corpus {path}",
        (("clips", str(len(found.clips))), *_counts(table)),
        (*found.notes, *problems),
    )


def _run(path: Path) -> Description:
    run = Run.open(path)
    config, manifest, protocol = run.config, run.manifest, run.protocol
    done = (path / "predictions.csv").is_file()
    facts = (
        ("model", f"{config['model']}, preset {config['preset']}"),
        ("state", "finished" if done else "unfinished; --resume goes on with it"),
        ("protocol", f"{protocol.name} ({protocol.hash})"),
        ("keeps apart", ", ".join(protocol.disjoint) or "nothing"),
        ("label", f"{protocol.label}: {', '.join(protocol.classes)}"),
        ("clips", str(len(protocol.paths))),
        ("folds", ", ".join(f"{fold.name}: {fold.held_out}" for fold in protocol.folds)),
        ("encoder", config["encoder"]["name"]),
        ("steps", str(config["training"]["steps"])),
        ("seed", str(config["seed"])),
        ("stores", ", ".join(config["stores"])),
        ("made by", f"gensr {manifest['gensr']}, {manifest['git_revision']}"),
        ("created", manifest["created"]),
    )
    notes = tuple(f"left out: {count} clips, {why}" for why, count in protocol.left_out.items())
    return Description(f"run {path}", facts, notes)


def _counts(table: dict[str, list[str]]) -> Iterable[tuple[str, str]]:
    for name in ("corpus", "emotion", "canonical", "gender", "split"):
        counts = Counter(value or "(none)" for value in table[name])
        if set(counts) != {"(none)"}:
            yield name, ", ".join(f"{value} {count}" for value, count in sorted(counts.items()))
    pairs = set(zip(table["corpus"], table["speaker"], strict=True))
    yield "speakers", str(len([pair for pair in pairs if pair[1]]))
