"""How every network here is optimised. In: its weights and rates. Out: AdamW and its schedule, as Lightning takes them.

The rate rises from nothing, then falls as a cosine to a hundredth (Loshchilov & Hutter 2017, arXiv:1608.03983).
"""

import math
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

Precision = Literal["16-mixed", "bf16-mixed", "32-true"]

_LAST_RATE = 0.01


def adamw(
    weights: Iterable[nn.Parameter], learning_rate: float, weight_decay: float, steps: int, warm_up: float = 0.1
) -> Any:
    """AdamW and its schedule; norms and biases do not decay.

    Args:
        weights: Of the network.
        learning_rate: The highest.
        weight_decay: Decoupled (Loshchilov & Hutter 2019, arXiv:1711.05101).
        steps: Of the whole training.
        warm_up: Share of them with a rising rate, 0-1.

    Returns:
        What `configure_optimizers` of a Lightning module returns.
    """
    every = list(weights)
    groups = [
        {"params": [one for one in every if one.ndim > 1], "weight_decay": weight_decay},
        {"params": [one for one in every if one.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=learning_rate)
    rising = max(1, round(warm_up * steps))

    def rate(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        done = (step - rising) / max(1, steps - rising)
        return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": LambdaLR(optimiser, rate), "interval": "step"}}


def precision(is_gpu: bool = False) -> Precision:
    """Half precision where it is faster: on any GPU, and on processors that multiply bfloat16."""
    if is_gpu:
        return "16-mixed"
    features = torch.cpu.get_capabilities()
    return "bf16-mixed" if features.get("avx512_bf16") or features.get("amx_bf16") else "32-true"
