"""What a network is corrected by. In: logits and labels, exact or weak. Out: one number.

Exact labels: cross entropy of every labelled cell. Weak labels say which classes a tile may show and which of them it
shows somewhere: no cell may show another class (partial labels, Cour et al. 2011, JMLR 12), and the cells that show a
class most clearly must show it (multiple instances, Foucart et al. 2018, doi:10.1109/CloudTech.2018.8713350).
"""

import torch
from torch import Tensor
from torch.nn import functional

from qc.labels import IGNORE

PRESENT_SHARE = 0.05
"""Share of a tile that a weak label speaks of at least, 0-1."""


def exact_loss(logits: Tensor, classes: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean cross entropy over labelled cells; 0 without any.

    Args:
        logits: (N, C, H, W).
        classes: (N, H, W) int64 indices below C, or IGNORE.
        weights: (C,) of cells of each class in the mean; 1 when left out.
    """
    total = functional.cross_entropy(logits, classes, weights, ignore_index=IGNORE, reduction="sum")
    is_labelled = classes != IGNORE
    if weights is None:
        return total / is_labelled.sum().clamp(min=1)
    return total / weights[classes[is_labelled]].sum().clamp(min=1)


def weak_loss(logits: Tensor, allowed: Tensor, present: Tensor) -> Tensor:
    """Mean over tiles of what their weak labels say.

    Args:
        logits: (N, C, H, W).
        allowed: (N, C) bool, classes that cells of a tile may show.
        present: (N, C) bool, classes that at least `PRESENT_SHARE` of them show.
    """
    if not len(logits):
        return logits.sum() * 0
    log_p = functional.log_softmax(logits, dim=1).flatten(2)
    outside = log_p.masked_fill(~allowed[..., None], -torch.inf).logsumexp(dim=1)
    top = max(1, round(PRESENT_SHARE * log_p.shape[-1]))
    clearest = log_p.topk(top, dim=-1).values.mean(dim=-1)
    shown = -(clearest * present).sum(dim=1)
    return (-outside.mean(dim=-1) + shown).mean()
