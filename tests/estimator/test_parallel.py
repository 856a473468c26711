"""Two processes that share every batch take the steps of one."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.multiprocessing as mp

from gensr.estimator.errors import ConfigError
from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.models.registry import MODELS
from gensr.estimator.network import NetworkConfig
from gensr.estimator.parallel import ALONE, Group, joined
from gensr.estimator.training import fit
from support.toy import CLASSES, K, L, clips

BUDGET = TrainingConfig(steps=30, batch_size=16, evaluate_every=10, learning_rate=3e-3)


def trained(model: str, group: Group, checkpoint: Path | None = None, **how: Any) -> Any:
    torch.manual_seed(0)
    network = NetworkConfig(hidden=16, depth=1, heads=2, dropout=0.1)
    options = {} if model == "linear" else {"network": network}
    made = MODELS[model](len(CLASSES), K + 1, L, MODELS[model].Config(**options))
    assert isinstance(made, torch.nn.Module)
    log = fit(made, clips(100), BUDGET, seed=3, group=group, checkpoint=checkpoint, **how)  # type: ignore[arg-type]
    return made, log


def work(rank: int, port: int, folder: str) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    with joined(torch.device("cpu")) as group:
        assert (group.rank, group.size, group.leads) == (rank, 2, rank == 0)
        assert group.share(f"of {rank}") == "of 0"
        for model in ("gen-ser", "linear"):
            made, log = trained(model, group, Path(folder) / model)
            torch.save((made.state_dict(), log), Path(folder) / f"{model}-{rank}.pt")


def test_two_processes_end_with_the_weights_of_one(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.start_processes(work, (port, str(tmp_path)), nprocs=2, start_method="fork")  # type: ignore[attr-defined]
    for model in ("gen-ser", "linear"):
        expected, log = trained(model, ALONE)
        each = [torch.load(tmp_path / f"{model}-{r}.pt", weights_only=False) for r in (0, 1)]
        for name, weight in expected.state_dict().items():
            assert torch.equal(each[0][0][name], each[1][0][name])
            assert torch.allclose(each[0][0][name], weight, atol=1e-5, rtol=0), name
        for mine, theirs in zip(each[0][1], log, strict=True):
            assert mine.loss == pytest.approx(theirs.loss, abs=1e-5)
        assert (tmp_path / model).is_file()  # a checkpoint, of the first process


def test_a_batch_that_does_not_divide_is_refused() -> None:
    Group(rank=0, size=3).check(99)
    with pytest.raises(ConfigError, match="a batch of 100 clips cannot be divided among 3"):
        Group(rank=0, size=3).check(100)


def test_the_parts_of_a_batch_are_all_of_it() -> None:
    batch = torch.arange(12)
    parts = [Group(rank=rank, size=3).part(batch) for rank in range(3)]
    assert sorted(torch.cat(parts).tolist()) == batch.tolist()
    assert {len(part) for part in parts} == {4}


def test_several_processes_that_torchrun_did_not_start_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(ConfigError, match="start them by torchrun"), joined(torch.device("cpu")):
        pass


def test_a_process_alone_needs_nobody() -> None:
    with joined(torch.device("cpu")) as group:
        assert group == ALONE
        group.wait()
        assert group.share(5) == 5
