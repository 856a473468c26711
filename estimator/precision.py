"""Which type matrix products are computed in; weights, sums and norms stay float32."""

import torch


def computing(device: torch.device, precision: str) -> torch.autocast:
    """Products in bfloat16 where `precision` says so, a context."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16")
