"""A trained segmentation of glands. In: the folder of a model, images. Out: probabilities and instances.

The folder holds `glands.json` (settings and what was trained on), `weights.safetensors` and what the trainer writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from safetensors import SafetensorError
from safetensors.torch import load_file

from qc.config.base import Settings
from qc.config.glands import GlandSettings
from qc.downstream.glands.images import Labels, Rgb, reduced
from qc.downstream.glands.instances import separate
from qc.downstream.glands.target import CLASSES
from qc.errors import WeightsError
from qc.nets.unet import Unet, build_unet

Box = tuple[slice, slice]

CARD, WEIGHTS = "glands.json", "weights.safetensors"
_WINDOW_PX, _HALO_PX = 1024, 128
_TURNS = 4


class GlandCard(Settings):
    """What a model is."""

    settings: GlandSettings = Field(description="All settings.")
    images: int = Field(ge=1, description="Images trained on.")
    fingerprint: str = Field(description="SHA-256 of the images, their masks and the settings that decide the weights.")
    software_version: str = Field(description="Of what trained it.")


@dataclass(frozen=True)
class GlandModel:
    """A network in evaluation mode and its settings."""

    network: Unet
    settings: GlandSettings

    def probabilities(self, rgb: Rgb) -> NDArray[np.float32]:
        """(H, W, 3) chances of outside, core and border for each pixel of an image.

        Args:
            rgb: (H, W, 3) uint8 at `settings.image_mpp`; large ones are looked at in windows.
        """
        small = reduced(rgb, self.settings.image_mpp, self.settings.mpp)
        found = np.empty((*small.shape[:2], CLASSES), np.float32)
        for inner, outer in windows(small.shape[0], small.shape[1], _WINDOW_PX, _HALO_PX):
            seen = self._of_window(small[outer])
            top, left = (a.start - b.start for a, b in zip(inner, outer, strict=True))
            height, width = (one.stop - one.start for one in inner)
            found[inner] = seen[top : top + height, left : left + width]
        size = (rgb.shape[1], rgb.shape[0])
        return np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_LINEAR), np.float32)

    def instances(self, rgb: Rgb) -> Labels:
        """(H, W) int32 instance labels of an image at `settings.image_mpp`."""
        return separate(self.probabilities(rgb), self.settings.image_mpp, self.settings.instances)

    def _of_window(self, rgb: Rgb) -> NDArray[np.float32]:
        height, width = rgb.shape[:2]
        stride = self.network.stride
        grown = np.pad(rgb, ((0, -height % stride), (0, -width % stride), (0, 0)), mode="symmetric")
        total = np.zeros((*grown.shape[:2], CLASSES), np.float32)
        turns = 2 * _TURNS if self.settings.turned else 1
        for turn in range(turns):
            batch = torch.from_numpy(np.ascontiguousarray(_turned(grown, turn)))[None]
            with torch.inference_mode():
                seen = torch.softmax(self.network(batch).float(), dim=1)[0].permute(1, 2, 0).numpy()
            total += _turned_back(seen, turn)
        return total[:height, :width] / np.float32(turns)


def load_model(folder: Path) -> GlandModel:
    """The model of a folder.

    Raises:
        WeightsError: If it holds none, or one that is not finished or damaged.
    """
    settings = read_card(folder).settings
    network = build_unet(settings.network.model_copy(update={"encoder_weights": ""}), CLASSES)
    try:
        network.load_state_dict(load_file(folder / WEIGHTS))
    except FileNotFoundError as error:
        raise WeightsError(f"the training of {folder} is not finished", "run it again; it goes on") from error
    except (OSError, RuntimeError, SafetensorError) as error:
        raise WeightsError(f"{folder / WEIGHTS} does not fit its card ({error})", "train it again") from error
    return GlandModel(network.eval(), settings)


def read_card(folder: Path) -> GlandCard:
    """What is known of the model of a folder.

    Raises:
        WeightsError: If there is no card, or it cannot be read.
    """
    try:
        return GlandCard.model_validate_json((folder / CARD).read_text("utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(
            f"{folder} holds no model of glands ({CARD} is missing)",
            "name a folder that qc downstream glands train wrote",
        ) from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{folder / CARD} cannot be read ({error})", "train it again") from error


def windows(height: int, width: int, side_px: int, halo_px: int) -> Iterator[tuple[Box, Box]]:
    """Windows of an image: each pixel is in exactly one inner box; the outer one adds what lies around it."""
    step = side_px - 2 * halo_px
    tops, lefts = ([0] if side <= side_px else list(range(0, side, step)) for side in (height, width))
    for top in tops:
        for left in lefts:
            inner = _box(top, left, step if len(tops) > 1 else height, step if len(lefts) > 1 else width, height, width)
            rows, columns = inner
            outer = (
                slice(max(0, rows.start - halo_px), min(height, rows.stop + halo_px)),
                slice(max(0, columns.start - halo_px), min(width, columns.stop + halo_px)),
            )
            yield inner, outer


def _box(top: int, left: int, tall: int, wide: int, height: int, width: int) -> Box:
    return slice(top, min(height, top + tall)), slice(left, min(width, left + wide))


def _turned(image: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """One of the eight turns and mirrors of an image."""
    return np.rot90(image.transpose(1, 0, 2) if turn >= _TURNS else image, turn % _TURNS)


def _turned_back(image: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    back = np.rot90(image, -(turn % _TURNS))
    return np.asarray(back.transpose(1, 0, 2) if turn >= _TURNS else back, np.float32)
