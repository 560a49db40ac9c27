"""Architectures of others, untrained, to time beside our own. In: a name. Out: a module.

GrandQC (Weng et al. 2024, doi:10.1038/s41467-024-54769-y) finds artefacts by a U-Net and tissue by a U-Net++, both on
an EfficientNet-B0. Only what they compute is rebuilt here; weights are drawn at random and say nothing.
"""

import warnings

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

PEERS = ("GrandQC artefact, U-Net", "GrandQC tissue, U-Net++")
_ENCODER = "timm-efficientnet-b0"


class Peer(nn.Module):
    """(N, H, W, 3) uint8 in, (N, classes, H, W) float32 logits out."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits; H and W must be multiples of 32."""
        return self.body(rgb.permute(0, 3, 1, 2).float() / 127.5 - 1)


def build_peer(name: str) -> Peer:
    """One of `PEERS` in evaluation mode, its weights drawn by a fixed seed."""
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a newer name of this encoder would be another variant
        torch.manual_seed(0)
        if name == PEERS[0]:
            body = smp.Unet(_ENCODER, encoder_weights=None, classes=8)
        else:
            body = smp.UnetPlusPlus(_ENCODER, encoder_weights=None, classes=2)
    return Peer(body).eval()
