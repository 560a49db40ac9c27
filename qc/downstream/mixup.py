"""Mixup: two tiles and their labels blended with one weight (Zhang et al. 2018, arXiv:1710.09412)."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def mixup(
    images: Tensor, targets: Tensor, classes: int, alpha: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Each tile of a batch blended with another of the batch.

    Args:
        images: (N, C, H, W) float.
        targets: (N,) int64 class indices.
        classes: Number of classes.
        alpha: Weights are drawn from Beta(alpha, alpha), one for each tile; 0 blends nothing.
        rng: Draws weights and partners.

    Returns:
        (N, C, H, W) float images and (N, classes) float labels that sum to 1.
    """
    labels = functional.one_hot(targets, classes).float()
    if alpha == 0:
        return images, labels
    partner = torch.from_numpy(rng.permutation(len(images)))
    weight = torch.from_numpy(rng.beta(alpha, alpha, len(images))).float()
    pixels = weight.view(-1, 1, 1, 1).to(images.dtype)
    mixed = pixels * images + (1 - pixels) * images[partner]
    share = weight.view(-1, 1)
    return mixed, share * labels + (1 - share) * labels[partner]
