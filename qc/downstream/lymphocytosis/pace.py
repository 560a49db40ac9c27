"""How a network's weights move. In: settings of a pace. Out: an optimiser and its schedule, for the trainer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from qc.config.lymphocytosis import PaceSettings
from qc.downstream.trainer import Optimise, Rates
from qc.nets.optimise import cosine, exponential, groups

Groups = Callable[[nn.Module], list[dict[str, Any]]]
"""From a network to groups of weights, each with a rate, as an optimiser takes them."""

HOUSE = PaceSettings(schedule="cosine")
_OPTIMISERS: Mapping[str, Callable[[Any], torch.optim.Optimizer]] = {
    "adam": torch.optim.AdamW,
    "sgd": partial(torch.optim.SGD, momentum=0.9),
    "rmsprop": torch.optim.RMSprop,
}


def optimise_of(rates: Rates, pace: PaceSettings | None, own_groups: Groups | None = None) -> Optimise | None:
    """Optimiser and schedule; None where they are the house's. A plateau is the trainer's, as it watches a loss.

    Args:
        rates: Of learning and of weight decay.
        pace: None takes the house's.
        own_groups: Weights with rates of their own; None: one rate for all.
    """
    if pace is None and own_groups is None:
        return None
    told = pace or HOUSE

    def optimise(network: nn.Module, steps: int) -> Any:
        rate, decay = rates.learning_rate, rates.weight_decay
        weights = own_groups(network) if own_groups else groups(network.parameters(), rate, decay)
        optimiser = _OPTIMISERS[told.optimiser](weights)
        if told.schedule == "cosine":
            return cosine(optimiser, steps)
        return exponential(optimiser, told.factor) if told.schedule == "exponential" else optimiser

    return optimise
