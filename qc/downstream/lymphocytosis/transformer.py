"""Cells that attend to each other. In: features of padded bags. Out: one vector a bag, and what each cell weighed."""

import torch
from torch import Tensor, nn

_LAYERS, _HEADS = 2, 4


class Transformer(nn.Module):
    """Two layers of attention, norms first, over cells and a token that gathers them.

    As in Vaswani et al. 2017 (arXiv:1706.03762), the token as in Dosovitskiy et al. 2020 (arXiv:2010.11929). Cells
    have no order, so no place is encoded.

    Args:
        features: Of a cell.
        width: Of all layers; a multiple of the heads, 4.
    """

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.enter = nn.Linear(features, width)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.layers = nn.ModuleList(_Layer(width) for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(width)

    def forward(self, cells: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """One vector for each bag, zero for one without cells.

        Args:
            cells: (B, N, features).
            mask: (B, N) bool, False for padding.

        Returns:
            (B, width) vectors and (B, N) what the token attends to in the last layer, its own share left out: 0 for
            padding, and 1 in sum for a bag with cells.
        """
        seen = torch.cat([self.token.expand(len(cells), -1, -1), self.enter(cells)], dim=1)
        is_there = torch.cat([torch.ones_like(mask[:, :1]), mask], dim=1)
        weights = torch.zeros(mask.shape)
        for layer in self.layers:
            seen, weights = layer(seen, is_there)
        own = weights[:, 0, 1:].float() * mask
        has_any = mask.any(dim=1, keepdim=True)
        return self.norm(seen[:, 0]) * has_any, own / own.sum(dim=1, keepdim=True).clamp(min=1e-12)


class _Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, _HEADS, batch_first=True)
        self.inner = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, seen: Tensor, is_there: Tensor) -> tuple[Tensor, Tensor]:
        normed = self.before(seen)
        found, weights = self.attention(normed, normed, normed, key_padding_mask=~is_there)
        seen = seen + found
        return seen + self.inner(self.between(seen)), weights
