"""The sizes that are measured, and clips for them, made where they are used."""

from dataclasses import dataclass, field
from pathlib import Path

import torch

from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.gen_ser import GenSER, GenSERConfig
from gensr.estimator.network import NetworkConfig
from gensr.estimator.resident import Resident

_BLOCK = 1024
_NATIVE = {"avx512_bf16", "amx_bf16", "bf16"}
"""Flags of CPUs that multiply in bfloat16: of Intel and AMD, of Intel, of Arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """A model, its vectors and its budget."""

    name: str
    layers: int
    """K+1."""
    width: int
    classes: int
    options: GenSERConfig = field(default_factory=GenSERConfig)
    budget: TrainingConfig = field(default_factory=TrainingConfig)

    def model(self, device: torch.device, seed: int = 0, classes: int | None = None) -> GenSER:
        """A fresh one; the same weights for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made = GenSER(classes or self.classes, self.layers, self.width, self.options)
        return made.to(device)

    def clips(self, count: int, device: torch.device, seed: int = 0) -> Resident:
        """Labelled vectors on the device: a place a class, and noise."""
        drawn = torch.Generator(device).manual_seed(seed)
        shape = self.layers, self.width
        means = torch.randn(self.classes, *shape, device=device, generator=drawn)
        y = torch.randint(self.classes, (count,), device=device, generator=drawn)
        x = torch.empty(count, *shape, device=device)
        for block, labels in zip(x.split(_BLOCK), y.split(_BLOCK), strict=True):
            block.normal_(generator=drawn).add_(means[labels], alpha=0.2)
        return Resident(x, y, alone=True)


SIZES = {
    each.name: each
    for each in (
        Sizes(
            name="paper",
            layers=25,
            width=1024,
            classes=4,
            options=GenSERConfig.paper(),
            budget=TrainingConfig.paper(),
        ),
        Sizes(name="small", layers=7, width=512, classes=6),
        Sizes(name="narrow", layers=3, width=64, classes=4),
        Sizes(
            name="tiny",
            layers=3,
            width=16,
            classes=3,
            options=GenSERConfig(network=NetworkConfig(hidden=16, depth=1, heads=2)),
            budget=TrainingConfig(batch_size=8),
        ),
    )
}
"""By name: section 3.2; the small preset on whisper-base's vectors; narrow ones; for smoke runs."""


def native_bfloat16(device: torch.device) -> bool:
    """Whether products in bfloat16 are the hardware's own; elsewhere they are imitated, slowly."""
    if device.type != "cpu":
        return True
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = {
        flag
        for line in lines
        if line.lower().startswith(("flags", "features"))
        for flag in line.partition(":")[2].split()
    }
    return bool(flags & _NATIVE)
