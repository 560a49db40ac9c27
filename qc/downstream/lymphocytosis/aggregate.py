"""Many cells into one vector. In: features of padded bags. Out: one vector a bag, and what each cell weighed."""

import torch
from torch import Tensor, nn

from qc.config.lymphocytosis import Aggregation
from qc.downstream.lymphocytosis.transformer import Transformer


class Aggregate(nn.Module):
    """Attention (Ilse, Tomczak and Welling 2018, arXiv:1802.04712), transformer, mean, maximum, mean and deviation.

    Args:
        features: Of a cell.
        how: Which of these.
        width: Hidden units of the attention; of a transformer, the width of all its layers.
    """

    def __init__(self, features: int, how: Aggregation, width: int) -> None:
        super().__init__()
        self._how = how
        self.features = 2 * features if how == "mean_std" else features
        if how == "transformer":
            self.features = width
            self.transformer = Transformer(features, width)
        if how == "attention":
            self.score = nn.Sequential(nn.Linear(features, width), nn.Tanh(), nn.Linear(width, 1, bias=False))

    def forward(self, cells: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One vector for each bag, zero for one without cells.

        Args:
            cells: (B, N, features).
            mask: (B, N) bool, False for padding.

        Returns:
            (B, self.features) vectors and (B, N) weights, which are 0 for padding and sum to 1 in a bag with cells.
            Of a maximum the weight is the share of features that a cell decides.
        """
        has_any = mask.any(dim=1, keepdim=True)
        even = mask / mask.sum(dim=1, keepdim=True).clamp(min=1)
        if self._how == "transformer":
            return self.transformer(cells, mask)
        if self._how == "attention":
            scores = self.score(cells).squeeze(2).float().masked_fill(~mask, -torch.inf)
            weights = torch.softmax(torch.where(has_any, scores, 0.0), dim=1) * has_any
            return _weighted(cells, weights), weights
        if self._how == "max":
            filled = cells.masked_fill(~mask.unsqueeze(2), -torch.inf)
            top, place = torch.where(has_any.unsqueeze(2), filled, 0.0).max(dim=1)
            share = torch.zeros_like(even).scatter_add(1, place, torch.ones_like(top, dtype=even.dtype))
            return top, share * has_any / self.features
        mean = _weighted(cells, even)
        if self._how == "mean":
            return mean, even
        apart = (cells - mean.unsqueeze(1)) ** 2
        return torch.cat([mean, (_weighted(apart, even) + 1e-6).sqrt() * has_any], dim=1), even


def _weighted(cells: Tensor, weights: Tensor) -> Tensor:
    return torch.einsum("bn,bnf->bf", weights.to(cells.dtype), cells)
