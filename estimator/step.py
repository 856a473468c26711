"""One optimizer step: draws, loss, gradient, AdamW, average. Eager on a CPU, captured on a GPU.

On a GPU launching the 200 kernels of a step costs the host more than they take to run. So the
first steps run as they are, the next is captured as one CUDA graph, and every later one is a few
copies into the tensors that it reads, and one launch. What is drawn is drawn outside the graph,
from a seed of the step's own. No step waits for the device: the loss is summed up there, and
asked for at the looks alone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from gensr.estimator.fitting import TrainingConfig
from gensr.estimator.learner import Draws, Learner
from gensr.estimator.mean_loss import MeanLoss
from gensr.estimator.optimizer import Update, Weights, joined, share_at
from gensr.estimator.parallel import Group
from gensr.estimator.precision import computing
from gensr.estimator.seeds import mix_seed, reseed
from gensr.estimator.source import Window

_WARM = 3
"""Steps before the capture: libraries choose and allocate in their first calls."""


class Step:
    """The steps of one training.

    Args:
        model: trained in place, on the device that it is on.
        config: the budget.
        seed: of every draw.
        group: the processes that share each batch.
    """

    def __init__(self, model: Learner, config: TrainingConfig, seed: int, group: Group) -> None:
        self._weights = Weights(model)
        self.update = Update(self._weights, config)
        self._model, self._config, self._seed, self._group = model, config, seed, group
        self._device = self._weights.row.device
        self._graphed = self._device.type == "cuda" and group.size == 1 and model.stacks
        self._loss = MeanLoss(self._device)
        self._taken = 0
        self._graphs: dict[int, _Graph] = {}

    def take(self, window: Window, number: int, step: int) -> None:
        """Take one step.

        Args:
            window: the clips at hand.
            number: which of the window's steps.
            step: which of the training's.
        """
        self.update.set(step)
        # For all that draws by torch's generators; the host's is put back by who called.
        reseed(self._device, mix_seed(self._seed, "step", step))
        rows, y = window.rows[number], window.y[number]
        draws = self._model.draw(len(rows))
        self._taken += 1
        self._loss.count()
        if not self._graphed:
            share = share_at(step, self._config)
            self._run(window, self._group.part(rows), self._group.part(y), draws, share)
            return
        with torch.cuda.device(self._device):
            if self._taken <= _WARM:
                with _beside(self._device):
                    self._run(window, rows, y, draws)
                return
            graph = self._graphs.get(window.x.data_ptr())
            if graph is None:
                graph = _Graph(rows, y, draws)
                self._graphs[window.x.data_ptr()] = graph
                graph.capture(lambda: self._run(window, graph.rows, graph.y, graph.draws))
            graph.replay(rows, y, draws)

    def mean_loss(self) -> tuple[float, int]:
        """Mean loss since it was asked last, and since when it is not finite: `MeanLoss.ask`."""
        return self._loss.ask(total=self._group.mean(self._loss.total))

    def _run(
        self, window: Window, rows: Tensor, y: Tensor, draws: Draws, share: float | None = None
    ) -> None:
        """All of a step that is a function of tensors."""
        draws = {name: self._group.part(drawn) for name, drawn in draws.items()}
        with computing(self._device, self._config.precision):
            loss = self._model.loss(window.take(rows), y, draws)
        gradients = torch.autograd.grad(
            loss, self._weights.parameters, allow_unused=True, materialize_grads=True
        )
        joined(gradients, self.update.gradient)
        self._group.average(self.update.gradient)
        self.update.run(share)
        self._loss.add(loss.detach())


class _Graph:
    """A captured step, and the tensors that it reads."""

    def __init__(self, rows: Tensor, y: Tensor, draws: Draws) -> None:
        self.rows, self.y = rows.clone(), y.clone()
        self.draws: Mapping[str, Tensor] = {name: one.clone() for name, one in draws.items()}
        self._graph = torch.cuda.CUDAGraph()

    def capture(self, run: Callable[[], None]) -> None:
        stream = torch.cuda.Stream(self.rows.device)  # type: ignore[no-untyped-call]
        # Other threads may send the next window meanwhile: what they do is not this graph's.
        with torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
            run()

    def replay(self, rows: Tensor, y: Tensor, draws: Draws) -> None:
        self.rows.copy_(rows)
        self.y.copy_(y)
        for name, drawn in draws.items():
            self.draws[name].copy_(drawn)
        self._graph.replay()


@contextmanager
def _beside(device: torch.device) -> Iterator[None]:
    """A stream of its own, as capturing asks of the steps before it."""
    own = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    own.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(own):
        yield
    torch.cuda.current_stream(device).wait_stream(own)
