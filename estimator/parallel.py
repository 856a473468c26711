"""Several processes that train one model, each on its part of every batch (torchrun).

Every process draws the whole batch and everything random, and computes its part of the clips;
the gradients are averaged, so that each takes the step that one process would have taken.

    torchrun --nproc-per-node 2 -m -- gensr.cli.main train feats.zarr --preset paper
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from gensr.estimator.errors import ConfigError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """The processes of one training, and which of them this is."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this one writes what is to be kept."""
        return self.rank == 0

    def check(self, batch: int) -> None:
        """Refuse batches that do not divide.

        Raises:
            ConfigError: saying so.
        """
        if batch % self.size:
            raise ConfigError(
                f"a batch of {batch} clips cannot be divided among {self.size} processes; pass "
                "another batch_size in --config [training]"
            )

    def part(self, batch: Tensor) -> Tensor:
        """What this process computes of a batch, (B, ...) -> (B / size, ...)."""
        return batch if self.size == 1 else batch[self.rank :: self.size]

    def average(self, gradient: Tensor) -> None:
        """Replace a gradient by its mean over all processes."""
        if self.size > 1:
            dist.all_reduce(gradient)
            gradient.div_(self.size)

    def mean(self, value: Tensor) -> Tensor:
        """Mean of one number over all processes."""
        if self.size == 1:
            return value
        total = value.clone()
        dist.all_reduce(total)
        return total / self.size

    def share(self, value: T) -> T:
        """What the first process has, given to all."""
        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values)
        return values[0]

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier()


ALONE = Group()


def is_first() -> bool:
    """Whether this process is the first of those that torchrun started, or alone."""
    return os.environ.get("RANK", "0") == "0"


def is_alone() -> bool:
    """Whether no other process trains with this one."""
    return os.environ.get("WORLD_SIZE", "1") == "1"


def own_device(device: torch.device) -> torch.device:
    """The GPU of this process, where each has one of its own; it becomes the current one.

    Raises:
        ConfigError: there are fewer GPUs than processes.
    """
    if device.type != "cuda":
        return device
    if str(device) == "cuda" and "LOCAL_RANK" in os.environ:
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        if device.index >= torch.cuda.device_count():
            raise ConfigError(
                f"this is process {device.index} and there are {torch.cuda.device_count()} GPUs; "
                "start as many processes as GPUs (torchrun --nproc-per-node)"
            )
    if str(device) != "cuda":
        torch.cuda.set_device(device)  # streams and graphs are made on the current one
    return device


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """The group that torchrun started this process in; alone where it did not.

    Args:
        device: whose tensors are averaged: by NCCL on a GPU, by gloo else.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if lacking := {"RANK", "MASTER_ADDR", "MASTER_PORT"} - os.environ.keys():
        raise ConfigError(
            f"WORLD_SIZE says that there are several processes, but {min(lacking)} is not set; "
            "start them by torchrun, or unset WORLD_SIZE"
        )
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
