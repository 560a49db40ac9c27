"""A field of view too small to be a slide. In: its pixels, their mpp and a stage. Out: what the stage says of it.

All of the field is taken for tissue. It is continued beyond its edges by reflection as far as the stage looks, and is
the whole slide that the stage sees: what is normal must be told from the field alone.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.artefact.stage import ArtefactStage
from qc.config.assess import AssessSettings
from qc.config.reading import MAP_BLOCK_CELLS
from qc.errors import SettingsError
from qc.evaluate.detection import detection_score, mean_suspicion
from qc.geometry import Mpp, Window
from qc.labels import ArtefactClass
from qc.maps import TissueMask
from qc.pipeline.mapping import Sight, map_artefacts, plan_reading
from qc.slide.memory import MemorySlide
from qc.slide.window import native_grid, read_overview

E = TypeVar("E")
_TILE_STEP_PX = 64


@dataclass(frozen=True)
class Field:
    """A judged field of view.

    Attributes:
        suspicion: (h, w) float32, 0-1, how probably a cell is an artefact; NaN where nothing was seen.
        classes: (h, w) uint8 of `ArtefactClass`.
        focus_score: 0-10, NaN when focus cannot be judged.
    """

    suspicion: NDArray[np.float32]
    classes: NDArray[np.uint8]
    focus_score: float

    @property
    def detection_score(self) -> float:
        """See `qc.evaluate.detection`."""
        return detection_score(self.suspicion, np.ones_like(self.suspicion, np.bool_))

    @property
    def mean_suspicion(self) -> float:
        """See `qc.evaluate.detection`."""
        return mean_suspicion(self.suspicion, np.ones_like(self.suspicion, np.bool_))

    @property
    def blurred_share(self) -> float:
        """Share of the cells called out of focus."""
        return float(np.mean(self.classes == ArtefactClass.OUT_OF_FOCUS))


def judge_field(rgb: NDArray[np.uint8], mpp: Mpp, settings: AssessSettings, stage: ArtefactStage[E]) -> Field:
    """Let a stage judge one field.

    Args:
        rgb: (H, W, 3) uint8.
        mpp: Micrometres per pixel of it.
        settings: How to read.
        stage: The judge.
    """
    bare = plan_reading(*_seen(rgb, mpp, settings), settings.reading, stage.reach_um, stage.cut_px)
    margin_px = math.ceil(bare.halo_px * bare.grid.pitch)
    slide, tissue = _seen(np.pad(rgb, ((margin_px,) * 2, (margin_px,) * 2, (0, 0)), "symmetric"), mpp, settings)
    settings = _in_small_tiles(settings, max(rgb.shape[:2]) / bare.grid.pitch + 2 * bare.halo_px)
    plan = plan_reading(slide, tissue, settings.reading, stage.reach_um, stage.cut_px)
    sight = Sight(read_overview(slide, tissue.grid), tissue.is_tissue, tissue)
    mapped = map_artefacts(slide, sight, plan, settings, stage, threads=1, with_suspicion=True)
    assert mapped.suspicion is not None
    pitch = mapped.artefacts.grid.pitch
    height, width = (max(1, math.floor(side / pitch)) for side in rgb.shape[:2])
    inside = Window(round(margin_px / pitch), round(margin_px / pitch), width, height)
    return Field(mapped.suspicion[inside.slices], mapped.artefacts.classes[inside.slices], mapped.focus_score)


def read_field(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8.

    Raises:
        SettingsError: If the file is missing or no image.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise SettingsError(f"{path} is missing or no image", "check --data")
    return np.asarray(image, np.uint8)


def _in_small_tiles(settings: AssessSettings, side_px: float) -> AssessSettings:
    """The same with tiles no larger than a field needs, so that little is read around it."""
    step_px = math.lcm(_TILE_STEP_PX, MAP_BLOCK_CELLS * settings.reading.stride_px)
    tile_px = min(settings.reading.tile_px, step_px * math.ceil(side_px / step_px))
    return settings.model_copy(update={"reading": settings.reading.model_copy(update={"tile_px": tile_px})})


def _seen(rgb: NDArray[np.uint8], mpp: Mpp, settings: AssessSettings) -> tuple[MemorySlide, TissueMask]:
    """The field as a slide that is tissue all over."""
    slide = MemorySlide(rgb, mpp, "field")
    grid = native_grid(slide, settings.reading.tissue_mpp)
    return slide, TissueMask(np.ones(grid.shape, np.bool_), grid)
