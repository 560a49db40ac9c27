"""The networks: a compact feature pyramid from segmentation-models-pytorch. In: settings. Out: a module.

Bytes of an image go in, logits of classes come out. No layer looks at a tile as a whole (no global pooling, no group
statistics), so what is said of a place does not depend on where the tile was cut, and halos leave no seams.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce

import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.decoders.fpn.decoder import Conv3x3GNReLU, MergeBlock
from torch import Tensor, nn
from torch.nn import functional

from qc.config.train import NetworkSettings
from qc.errors import SettingsError
from qc.nets.pretrained import seeded

STRIDE = 4
"""Pixels of the input per cell of the output, before `upsampling`."""

_GLOBAL_LAYERS = (
    *("squeezeexcit", "semodule", "ecamodule", "gatherexcite", "globalcontext", "nonlocal", "attention", "attn"),
    *("adaptiveavgpool", "adaptivemaxpool", "globalresponsenorm", "instancenorm"),
)


class Network(nn.Module):
    """(N, H, W, 3) uint8 in, (N, classes, H / stride, W / stride) float32 logits out."""

    def __init__(self, settings: NetworkSettings, classes: int) -> None:
        super().__init__()
        self.settings, self.classes = settings, classes
        self.body = _body(settings, classes)

    @property
    def stride(self) -> int:
        """Pixels per cell of the output."""
        return STRIDE // self.settings.upsampling

    def forward(self, rgb: Tensor) -> Tensor:
        """Logits; H and W must be multiples of 32.

        Args:
            rgb: (N, H, W, 3) uint8.
        """
        return self.body(rgb.permute(0, 3, 1, 2).float() / 127.5 - 1)


def build(settings: NetworkSettings, classes: int, seed: int = 0) -> Network:
    """A network with weights drawn by seed.

    Raises:
        SettingsError: If the encoder is not known, or looks at tiles as a whole.
    """
    network = seeded(lambda: Network(settings, classes), seed)
    _check_local(network, settings)
    return network


def _body(settings: NetworkSettings, classes: int) -> nn.Module:
    with known_encoder(settings.encoder):
        body = smp.FPN(
            settings.encoder,
            encoder_weights=None,
            decoder_pyramid_channels=settings.pyramid_channels,
            decoder_segmentation_channels=settings.segmentation_channels,
            decoder_dropout=0.0,
            classes=classes,
            upsampling=settings.upsampling,
        )
    _make_local(body)
    return body


@contextmanager
def known_encoder(name: str) -> Iterator[None]:
    """Say in one sentence that segmentation-models-pytorch cannot build an encoder.

    Raises:
        SettingsError: In place of what the library raises inside.
    """
    try:
        yield
    except (KeyError, ValueError, RuntimeError) as error:
        reason = str(error).strip("\"'").partition(",")[0]
        raise SettingsError(
            f"encoder {name} cannot be built ({reason})",
            "name one that segmentation-models-pytorch lists; timm's need the prefix tu-",
        ) from error


class _Enlarged(nn.Module):
    """A block whose output is enlarged twofold about its cells' centres."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, cells: Tensor) -> Tensor:
        return functional.interpolate(self.block(cells), scale_factor=2.0, mode="bilinear", align_corners=False)


class _Sum(nn.Module):
    """The levels of a pyramid added up one by one, which graphs compute faster than a stack and its sum."""

    def forward(self, levels: list[Tensor]) -> Tensor:
        return reduce(torch.add, levels)


def _make_local(module: nn.Module) -> None:
    """Group norms become batch norms, constants once trained; enlarging does not stretch cells to a tile's corners."""
    for name, child in module.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(module, name, nn.BatchNorm2d(child.num_channels))
            continue
        if isinstance(child, MergeBlock):
            setattr(module, name, _Sum())
            continue
        if isinstance(child, nn.Upsample):
            child.align_corners = None if child.mode == "nearest" else False
        _make_local(child)
        if isinstance(child, Conv3x3GNReLU) and child.upsample:
            setattr(module, name, _Enlarged(child.block))


def _check_local(network: Network, settings: NetworkSettings) -> None:
    """Squeeze-and-excitation and attention see whole tiles; they are refused."""
    for name, child in network.named_modules():
        kind = child.__class__.__name__.lower()
        if any(word in kind for word in _GLOBAL_LAYERS):
            raise SettingsError(
                f"encoder {settings.encoder} looks at tiles as a whole ({name}), which would leave seams",
                "choose one without squeeze-and-excitation or attention",
            )
