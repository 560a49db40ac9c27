"""How every network here is optimised. In: its weights and rates. Out: optimiser and schedule, as Lightning takes them.

AdaMuon or AdamW; the rate rises from nothing, then falls as a cosine to a hundredth (Loshchilov & Hutter 2017,
arXiv:1608.03983). Others are for recipes that were published with them.
"""

import math
from collections.abc import Iterable
from typing import Any, Literal

import torch
from timm.optim.muon import Muon
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ExponentialLR, LambdaLR

Precision = Literal["16-mixed", "bf16-mixed", "32-true"]

_LAST_RATE = 0.01
_MOMENTUM = 0.95


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
    return cosine(torch.optim.AdamW(groups(weights, learning_rate, weight_decay)), steps, warm_up)


def adamuon(
    weights: Iterable[nn.Parameter], learning_rate: float, weight_decay: float, steps: int, warm_up: float = 0.1
) -> Any:
    """AdaMuon and its schedule: momentum of convolutions is made orthogonal and scaled, the rest learns by NAdamW.

    Updates are as large as AdamW's, so its learning rates serve (Si et al. 2025, arXiv:2507.11005).

    Args:
        weights: Of the network.
        learning_rate: The highest.
        weight_decay: Decoupled; norms and biases do not decay.
        steps: Of the whole training.
        warm_up: Share of them with a rising rate, 0-1.

    Returns:
        What `configure_optimizers` of a Lightning module returns.
    """
    told = groups(weights, learning_rate, weight_decay)
    return cosine(Muon(told, momentum=_MOMENTUM, nesterov=True, algo="adamuon"), steps, warm_up)


def groups(weights: Iterable[nn.Parameter], learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
    """What any optimiser takes; norms and biases do not decay."""
    every = list(weights)
    return [
        {"params": [one for one in every if one.ndim > 1], "lr": learning_rate, "weight_decay": weight_decay},
        {"params": [one for one in every if one.ndim <= 1], "lr": learning_rate, "weight_decay": 0.0},
    ]


def cosine(optimiser: Optimizer, steps: int, warm_up: float = 0.1) -> Any:
    """An optimiser whose rates rise, then fall as a cosine, changed at every step; as Lightning takes it."""
    rising = max(1, round(warm_up * steps))

    def rate(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        done = (step - rising) / max(1, steps - rising)
        return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": LambdaLR(optimiser, rate), "interval": "step"}}


def exponential(optimiser: Optimizer, factor: float) -> Any:
    """An optimiser whose rates are multiplied by a factor after each epoch; as Lightning takes it."""
    return {
        "optimizer": optimiser,
        "lr_scheduler": {"scheduler": ExponentialLR(optimiser, factor), "interval": "epoch"},
    }


def precision(is_gpu: bool = False) -> Precision:
    """Half precision where it is faster: on any GPU, and on processors that multiply bfloat16."""
    if is_gpu:
        return "16-mixed"
    features = torch.cpu.get_capabilities()
    return "bf16-mixed" if features.get("avx512_bf16") or features.get("amx_bf16") else "32-true"
