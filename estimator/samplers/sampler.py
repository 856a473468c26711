"""From x1 to x0 in N steps: Algorithm 2, Eq. 10 and 11.

Shapes: B batch, L width, N steps.

A sampler is one plain function of an estimate x_theta, a path, the start x1 and a grid of
times; it makes N network calls, at t_0 = T down to t_{N-1}, and returns every state and every
estimate. Which of them is classified is the caller's choice: by default the last estimate,
since after one Euler step the state has barely moved (cosine 0.04 with its code at k = 10),
so the paper's 56.13 % at N = 1 cannot have read the state.

Eq. 10 as printed adds the field while t falls; that diverges. We subtract: x_s = x_t - (t-s)u.
Its times T - n/N go negative where T < 1; we use N equal steps from T to t_eps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import torch
from torch import Tensor

from gensr.estimator.device import send
from gensr.estimator.errors import ConfigError
from gensr.estimator.paths.path import GaussianPath
from gensr.estimator.ranges import check_range
from gensr.estimator.targets.target import Estimate

MAX_STEPS = 100_000
"""N above this is a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Where a batch went."""

    times: Tensor
    """(N+1,) from T down to t_eps."""
    states: Tensor
    """(N+1, B, L): x_t at each time; states[0] is where it began. Only the last where not
    recorded."""
    estimates: Tensor
    """(N, B, L): x0_hat made at times[0] .. times[N-1]. Only the last where not recorded."""


class Sampler(Protocol):
    """What every sampler takes."""

    def __call__(
        self,
        estimate: Estimate,
        path: GaussianPath,
        x1: Tensor,
        times: Tensor,
        record: bool = True,
        x_T: Tensor | None = None,
    ) -> Trajectory:
        """Carry x1, or a noisy x_T, along `times`; without `record` keep the last of each only.

        One without `x_T` begins at x1 alone (start.py refuses to begin it elsewhere).
        """
        ...


def time_grid(T: float, t_eps: float, N: int) -> Tensor:
    """N+1 times from T down to t_eps, equally spaced (in place of Eq. 11), float32."""
    check_range("the number of sampler steps", N, least=1, most=MAX_STEPS)
    if not 0 <= t_eps < T <= 1:
        raise ConfigError(f"need 0 <= t_eps < T <= 1, found t_eps = {t_eps}, T = {T}")
    return torch.linspace(T, t_eps, N + 1)


def march(
    step: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    estimate: Estimate,
    x1: Tensor,
    times: Tensor,
    record: bool,
    x_T: Tensor | None = None,
) -> Trajectory:
    """Take `step` from each time to the next, an estimate at each: what all samplers do.

    Args:
        step: from (x_t, x0_hat, t, s) to x_s, one method.
        estimate: x_theta with X_c bound.
        x1: (B, L) speech, which is also the state at T where no other is given.
        times: (N+1,), falling, inside (0, 1).
        record: keep every state and estimate, not only the last.
        x_T: (B, L) state at T.
    """
    times = send(times, x1.device)
    states, estimates = [x1 if x_T is None else x_T], []
    for t, s in pairwise(times):
        x0_hat = estimate(states[-1], t[None])
        states.append(step(states[-1], x0_hat, t, s))
        estimates.append(x0_hat)
        if not record:
            del states[:-1], estimates[:-1]
    return Trajectory(times, torch.stack(states), torch.stack(estimates))
