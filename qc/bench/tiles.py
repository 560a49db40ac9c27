"""Tiles as the pipeline reads them. In: slide files. Out: pixels with their halo, and the reads they came from."""

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.bench.decoding import Read, WatchedSlide
from qc.config.assess import AssessSettings
from qc.pipeline.assess import look
from qc.pipeline.mapping import plan_reading
from qc.slide.files import SlideFile, open_slide
from qc.slide.window import read_window

TILE_PX = 512
"""Side of a tile without its halo."""


@dataclass(frozen=True, eq=False)
class SlideTiles:
    """Some tiles of one slide.

    Attributes:
        file: The slide.
        rgb: (H, W, 3) uint8 each, halo included.
        reads: What OpenSlide was asked for.
        halo_px: Width of the halo, pixels.
    """

    file: SlideFile
    rgb: tuple[NDArray[np.uint8], ...]
    reads: tuple[Read, ...]
    halo_px: int

    @property
    def inner(self) -> tuple[slice, slice]:
        """The tile without its halo."""
        side = self.rgb[0].shape[0] - self.halo_px
        return slice(self.halo_px, side), slice(self.halo_px, side)


def sample_tiles(files: Sequence[SlideFile], settings: AssessSettings, count: int) -> list[SlideTiles]:
    """About `count` tiles, as many of each slide as it has or as its share is, evenly spread over its tissue.

    Args:
        files: Slides.
        settings: How tissue is found and tiles are read; the network's halo.
        count: Tiles in all.

    Raises:
        SlideError: If a slide cannot be assessed.
    """
    return [_sampled(file, settings, math.ceil(count / len(files))) for file in files]


def _sampled(file: SlideFile, settings: AssessSettings, most: int) -> SlideTiles:
    with closing(open_slide(file)) as slide:
        tissue = look(slide, settings).tissue
        reading = settings.reading.model_copy(update={"tile_px": TILE_PX})
        plan = plan_reading(slide, tissue, reading, settings.artefact.halo_um)
        chosen = np.unique(np.linspace(0, len(plan) - 1, most).astype(int))
        watched = WatchedSlide(slide)
        pixels = [read_window(watched, plan.grid, plan.cores[index].grown(plan.halo_px)) for index in chosen]
    return SlideTiles(file, tuple(one.rgb for one in pixels), tuple(watched.reads), plan.halo_px)
