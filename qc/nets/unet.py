"""A U-Net from segmentation-models-pytorch, for outlines as sharp as pixels. In: settings. Out: a module."""

from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from qc.config.glands import UnetSettings
from qc.nets.build import known_encoder
from qc.nets.pretrained import load_encoder, seeded


class Unet(nn.Module):
    """(N, H, W, 3) uint8 in, (N, classes, H, W) logits out; H and W must be multiples of `stride`."""

    def __init__(self, settings: UnetSettings, classes: int) -> None:
        super().__init__()
        self.stride = 2 ** len(settings.decoder_channels)
        with known_encoder(settings.encoder):
            self.body = smp.Unet(
                settings.encoder,
                encoder_depth=len(settings.decoder_channels),
                encoder_weights=None,
                decoder_channels=settings.decoder_channels,
                classes=classes,
            )

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits.

        Args:
            rgb: (N, H, W, 3) uint8.
        """
        return self.body(rgb.permute(0, 3, 1, 2).float() / 127.5 - 1)


def build_unet(settings: UnetSettings, classes: int, seed: int = 0) -> Unet:
    """A U-Net with weights drawn by seed, those of the encoder from a file where the settings name one.

    Raises:
        SettingsError: If the encoder is not known.
        WeightsError: If the file does not hold its weights.
    """
    network = seeded(lambda: Unet(settings, classes), seed)
    if settings.encoder_weights:
        load_encoder(network.body.encoder, Path(settings.encoder_weights), settings.encoder)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
