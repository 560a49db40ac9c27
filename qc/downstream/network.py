"""A tile classifier whose decision can be traced to places. In: tiles. Out: logits, and their shares by place."""

import torch
from torch import Tensor, nn

from qc.config.downstream import ClassifierSettings
from qc.errors import SettingsError
from qc.nets.pretrained import seeded, timm_network


class TileNetwork(nn.Module):
    """(N, H, W, 3) uint8 in, (N, classes) logits out: convolutions, mean over the tile, one linear layer."""

    def __init__(self, settings: ClassifierSettings, classes: int = 2) -> None:
        super().__init__()
        body = timm_network(settings.encoder, classes, settings.encoder_weights, settings.fit.dropout)
        if not isinstance(getattr(body, "fc", None), nn.Linear):
            raise SettingsError(
                f"encoder {settings.encoder} does not end in a mean and one linear layer", "choose a ResNet of timm"
            )
        self.body = body

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits of (N, H, W, 3) uint8 or of (N, 3, H, W) float tiles from `scaled`."""
        return self.body(rgb if rgb.is_floating_point() else scaled(rgb))

    def activation(self, rgb: Tensor) -> Tensor:
        """Class activation maps, (N, classes, h, w): their mean over places is the logit.

        The last layer is linear in the mean of the last activations, so each place has its share in the decision
        (Zhou et al. 2016, arXiv:1512.04150).
        """
        last = self.body.forward_features(scaled(rgb))  # type: ignore[operator]
        linear = self.body.fc
        return torch.einsum("nkhw,ck->nchw", last, linear.weight) + linear.bias.view(1, -1, 1, 1)  # type: ignore[union-attr, operator]


def scaled(rgb: Tensor) -> Tensor:
    """(N, H, W, 3) uint8 to (N, 3, H, W) float between -1 and 1."""
    return rgb.permute(0, 3, 1, 2).float() / 127.5 - 1


def build(settings: ClassifierSettings, seed: int, classes: int = 2) -> TileNetwork:
    """A network with weights drawn by seed, those of the encoder from a file where the settings name one.

    Raises:
        SettingsError: If the encoder is not known or its decisions cannot be traced to places.
        WeightsError: If the file does not hold its weights.
    """
    network = seeded(lambda: TileNetwork(settings, classes), seed)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
