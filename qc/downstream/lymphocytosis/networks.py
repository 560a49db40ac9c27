"""Networks that read bags of cells and clinical values. In: padded batches. Out: a logit and weights of cells."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from qc.config.lymphocytosis import AttentionMilSettings, DeepMilSettings, InstanceMilSettings
from qc.downstream.lymphocytosis.aggregate import Aggregate
from qc.downstream.lymphocytosis.cohort import CLINICAL
from qc.downstream.network import scaled
from qc.nets.pretrained import timm_network

_LEAST_CHANCE = 1e-6


class AttentionMil(nn.Module):
    """A convolutional network for each cell, attention over cells, a branch for clinical values, one linear layer.

    All parts are trained at once.
    """

    def __init__(self, settings: AttentionMilSettings) -> None:
        super().__init__()
        self._settings = settings
        width = 0
        if settings.uses_images:
            self.encoder = timm_network(settings.encoder, 0, settings.encoder_weights)
            self._features = int(self.encoder.num_features)  # type: ignore[arg-type]
            self.aggregate = Aggregate(self._features, settings.aggregation, settings.attention_width)
            width += self.aggregate.features
        if settings.clinical == "branch":
            self.branch = clinical_branch(settings.branch_width, settings.branch_layers, settings.branch_dropout)
            width += settings.branch_width
        elif settings.clinical == "direct":
            self.branch = nn.Identity()
            width += len(CLINICAL)
        self.head = nn.Linear(width, 1)

    def forward(self, cells: Tensor, mask: Tensor, clinical: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B,) and weights (B, N) of (B, N, H, W, 3) uint8 cells, (B, N) mask and (B, 3) clinical values."""
        found, weights = [], mask / mask.sum(dim=1, keepdim=True).clamp(min=1)
        if self._settings.uses_images:
            features = torch.zeros((*mask.shape, self._features))
            if mask.any():
                features[mask] = self.encoder(scaled(cells[mask])).float()
            vector, weights = self.aggregate(features, mask)
            found.append(vector)
        if self._settings.clinical != "none":
            found.append(self.branch(clinical))
        return self.head(torch.cat(found, dim=1)).squeeze(1), weights


class DeepMil(nn.Module):
    """D-MIL: aggregated features and clinical values, each through two layers, then one linear layer.

    Args:
        features: Of a cell.
        settings: Widths, dropout, aggregation.
    """

    def __init__(self, features: int, settings: DeepMilSettings) -> None:
        super().__init__()
        self.aggregate = Aggregate(features, settings.aggregation, settings.attention_width)
        self.bag = _layers([self.aggregate.features, settings.width, settings.width], settings.dropout)
        self._uses_clinical = settings.uses_clinical
        if settings.uses_clinical:
            self.branch = _layers([len(CLINICAL) - 1, settings.width, settings.width], settings.dropout)
        self.head = nn.Linear(settings.width * (1 + settings.uses_clinical), 1)

    def forward(self, cells: Tensor, mask: Tensor, clinical: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B,) and weights (B, N) of (B, N, features) cells, (B, N) mask and (B, 3) clinical values."""
        vector, weights = self.aggregate(cells, mask)
        found = [self.bag(vector)]
        if self._uses_clinical:
            found.append(self.branch(clinical[:, : len(CLINICAL) - 1]))
        return self.head(torch.cat(found, dim=1)).squeeze(1), weights


class InstanceMil(nn.Module):
    """A network judges each cell; the patient's chance is the mean or the maximum of the cells'."""

    def __init__(self, settings: InstanceMilSettings) -> None:
        super().__init__()
        self._pooling = settings.pooling
        self.encoder = timm_network(settings.encoder, 1, settings.encoder_weights)

    def forward(self, cells: Tensor, mask: Tensor, clinical: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Logits (B,) of patients, 0 without cells, and chances (B, N) of (B, N, H, W, 3) uint8 cells and a mask."""
        chance = torch.zeros(mask.shape)
        if mask.any():
            chance[mask] = torch.sigmoid(self.encoder(scaled(cells[mask])).float()[:, 0])
        mean = chance.sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        pooled = mean if self._pooling == "mean" else chance.max(dim=1).values
        return torch.logit(torch.where(mask.any(dim=1), pooled, 0.5), _LEAST_CHANCE), chance


def clinical_branch(width: int, layers: int, dropout: float) -> nn.Sequential:
    """Linear layers with ReLU; dropout between them."""
    parts: list[nn.Module] = [nn.Linear(len(CLINICAL), width), nn.ReLU()]
    for _ in range(layers - 1):
        parts += [nn.Dropout(dropout), nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*parts)


def _layers(widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Linear layers, each followed by ReLU, dropout and a norm."""
    parts: list[nn.Module] = []
    for before, after in itertools.pairwise(widths):
        parts += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(dropout), nn.LayerNorm(after)]
    return nn.Sequential(*parts)
