"""What a forward asks of a device, heard without one: tensors on `meta` have no content."""

import weakref
from dataclasses import replace
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

META = torch.device("meta")


def to_meta(encoder: Any) -> Any:
    """Put an encoder's model on the device that computes nothing."""
    encoder._model.to("meta")
    encoder._pretrained = replace(encoder._pretrained, device=META)
    return encoder


class Memory(TorchDispatchMode):
    """Counts the bytes that operations allocate and let go of."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.most = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = {_storage(each) for each in tree_leaves((args, kwargs)) if _is_there(each)}
        result = function(*args, **(kwargs or {}))
        for each in filter(_is_there, tree_leaves(result)):
            key = _storage(each)
            if key not in given and key not in self._known:
                self._count(key, each.untyped_storage())
        return result

    def _count(self, key: int, storage: Any) -> None:
        size = storage.nbytes()
        self._known.add(key)
        self.alive += size
        self.most = max(self.most, self.alive)

        def let_go() -> None:
            self.alive -= size
            self._known.discard(key)

        weakref.finalize(storage, let_go)


def _is_there(leaf: object) -> bool:
    return isinstance(leaf, torch.Tensor) and leaf.device == META


def _storage(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
