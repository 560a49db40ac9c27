"""Tiles for training: pixels at the training mpp and the class of every pixel, the same for the same seed."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qc.artefact.compose import compose
from qc.artefact.recipe import draw_recipe
from qc.artefact.training.items import Item
from qc.artefact.training.noise import spoil
from qc.artefact.training.plan import Planned, TileRef
from qc.config.training import ComposeSettings, LabelNoiseSettings
from qc.labels import ARTEFACTS, IGNORE, ArtefactClass
from qc.slide.protocol import Slide
from qc.slide.window import read_window
from qc.tissue.light import WHITE

Glass = tuple[float, float, float] | None

_OPEN_SLIDES = 256


@dataclass(frozen=True, eq=False)
class Tile:
    """One tile.

    Attributes:
        rgb: (H, W, 3) uint8.
        classes: (H, W) uint8 of `ArtefactClass`, or IGNORE.
        mpp: Micrometres per pixel.
    """

    rgb: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    mpp: float
    ref: TileRef


class TileSource:
    """Reads planned tiles and composes artefacts onto clean ones.

    Args:
        planned: What can be read.
        compose_settings: How composed artefacts look.
        noise: How labels are spoilt; by default not at all.
        seed: Of everything drawn.
        indices: Tiles of one part of a split; all by default.
    """

    def __init__(
        self,
        planned: Planned,
        compose_settings: ComposeSettings,
        noise: LabelNoiseSettings,
        seed: int = 0,
        indices: list[int] | None = None,
    ) -> None:
        self._planned = planned
        self._compose = compose_settings
        self._noise = noise
        self._seed = seed
        chosen = [planned.tiles[i] for i in (range(len(planned.tiles)) if indices is None else indices)]
        if noise.only_positive:
            chosen = [ref for ref in chosen if ref.classes or ref.composable]
        self.refs: tuple[TileRef, ...] = tuple(chosen)
        self._open: OrderedDict[int, Slide] = OrderedDict()

    def __len__(self) -> int:
        return len(self.refs)

    def __getstate__(self) -> dict[str, Any]:
        """Workers open their own files."""
        return {**self.__dict__, "_open": OrderedDict()}

    def read(self, index: int, label: ArtefactClass = ArtefactClass.CLEAN, draw: int = 0) -> Tile:
        """One tile, with an artefact of class `label` if it is clean tissue.

        Args:
            index: Into `refs`.
            label: What to compose; annotated tiles are read as they are.
            draw: Equal numbers give equal tiles; count it up for another artefact on the same tissue.

        Raises:
            TruncatedSlideError: If the pixels cannot be decoded.
        """
        ref = self.refs[index]
        item = self._planned.items[ref.item]
        rng = np.random.default_rng([self._seed, index, int(label), draw])
        pixels = read_window(self._slide(ref.item, item), item.grid, ref.window)
        is_tissue = item.tissue.smooth(item.grid, ref.window) & pixels.is_scanned
        mpp = float(item.grid.cell_mpp)
        seen, glass_rgb = self._standardised(pixels.rgb, item)
        if ref.weak is not None:
            rgb, classes = seen, np.full(is_tissue.shape, IGNORE, np.uint8)
        elif item.annotation is None:
            recipe = draw_recipe(label, self._compose, rng, self._planned.cutouts)
            rgb, classes = compose(seen, is_tissue, mpp, recipe, rng, glass_rgb)
        else:
            rgb, classes = seen, _annotated(item, ref, is_tissue)
        classes = spoil(classes, mpp, self._noise, rng)
        classes[~pixels.is_scanned] = IGNORE
        return Tile(rgb, classes, mpp, ref)

    def _standardised(self, rgb: NDArray[np.uint8], item: Item) -> tuple[NDArray[np.uint8], Glass]:
        """Pixels as the network is to see them, and the colour of their glass where it is known."""
        density = self._planned.settings.tissue_density
        if density is None:
            return rgb, item.light.glass_rgb if item.shows_glass else None
        return item.light.standardised(rgb, density), (WHITE, WHITE, WHITE)

    def _slide(self, key: int, item: Item) -> Slide:
        if key not in self._open:
            if len(self._open) >= _OPEN_SLIDES:
                self._open.popitem(last=False)[1].close()
            self._open[key] = item.open()
        self._open.move_to_end(key)
        return self._open[key]


def _annotated(item: Item, ref: TileRef, is_tissue: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Glass stays glass; an artefact drawn beyond the tissue we find is left open, for either may be wrong.

    Ink is the exception: it is drawn on glass as often as on tissue, and looks the same there.
    """
    if item.annotation is None:
        raise ValueError(f"{item.path} has no annotation")
    classes = item.annotation.window(item.grid, ref.window)
    beyond = ~is_tissue & (classes != IGNORE)
    beyond &= classes != ArtefactClass.PEN
    classes[beyond] = np.where(np.isin(classes[beyond], ARTEFACTS), IGNORE, ArtefactClass.GLASS)
    return classes
