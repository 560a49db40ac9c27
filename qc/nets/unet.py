"""A U-Net from segmentation-models-pytorch, for outlines as sharp as pixels. In: settings. Out: a module."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError

import segmentation_models_pytorch as smp
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from qc.config.glands import UnetSettings
from qc.errors import SettingsError, WeightsError


class Unet(nn.Module):
    """(N, H, W, 3) uint8 in, (N, classes, H, W) logits out; H and W must be multiples of `stride`."""

    def __init__(self, settings: UnetSettings, classes: int) -> None:
        super().__init__()
        self.stride = 2 ** len(settings.decoder_channels)
        try:
            self.body = smp.Unet(
                settings.encoder,
                encoder_depth=len(settings.decoder_channels),
                encoder_weights=None,
                decoder_channels=settings.decoder_channels,
                classes=classes,
            )
        except (KeyError, ValueError, RuntimeError) as error:
            reason = str(error).strip("\"'").partition(",")[0]
            raise SettingsError(
                f"encoder {settings.encoder} cannot be built ({reason})",
                "name one that segmentation-models-pytorch lists; timm's need the prefix tu-",
            ) from error

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
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Unet(settings, classes)
    if settings.encoder_weights:
        _load_encoder(network, Path(settings.encoder_weights), settings.encoder)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _load_encoder(network: Unet, path: Path, name: str) -> None:
    """Every weight of the encoder must be in the file; what the file holds besides, as a classifier's end, is left."""
    given, own = _state(path), network.body.encoder.state_dict()
    plain = {key.removeprefix("model."): key for key in own}
    found = {
        plain[key.removeprefix("model.")]: one for key, one in given.items() if key.removeprefix("model.") in plain
    }
    missing = [key for key in own if key not in found or found[key].shape != own[key].shape]
    if missing:
        raise WeightsError(
            f"{path} does not hold the weights of encoder {name} ({len(missing)} of {len(own)} are missing or of "
            f"another shape, as {missing[0]})",
            "name a file of the same encoder, or leave encoder_weights out",
        )
    network.body.encoder.load_state_dict(found)


def _state(path: Path) -> Mapping[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, SafetensorError, UnpicklingError) as error:
        raise WeightsError(
            f"{path} cannot be read as weights ({error})", "name a file of the encoder's weights"
        ) from error
    if not isinstance(state, Mapping):
        raise WeightsError(f"{path} holds no weights by name", "save the encoder's state_dict")
    return state
