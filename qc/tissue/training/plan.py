"""What can be read: every tile of every declared overview, with its slide and its patient."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.tissue_training import OverviewSpec, TissueTrainingSources
from qc.errors import SettingsError
from qc.geometry import Mpp
from qc.labels import IGNORE, ArtefactClass
from qc.slide.declared import check_use, named_files
from qc.slide.files import SlideFile, open_slide
from qc.slide.window import native_grid, read_overview
from qc.tissue.glass import estimate_glass
from qc.tissue.training.labels import label_overview
from qc.tissue.training.phantoms import draw_overviews


@dataclass(frozen=True, eq=False)
class Overview:
    """One overview in memory.

    Attributes:
        rgb: (H, W, 3) uint8.
        classes: (H, W) uint8 of CLEAN, GLASS or IGNORE.
        mpp: Micrometres per pixel it is taken for.
        own_mpp: Micrometres per pixel it has; more than `mpp` where it is coarse.
        glass_rgb: Colour of its bare glass, 0-255.
        source: Name of its source; `phantoms` for drawn ones.
    """

    rgb: NDArray[np.uint8]
    classes: NDArray[np.uint8]
    mpp: float
    own_mpp: float
    glass_rgb: tuple[float, float, float]
    slide: str
    patient: str
    file: str
    source: str


@dataclass(frozen=True)
class TissueTileRef:
    """One tile that can be read; every tile can be given anything.

    Attributes:
        item: Index into `PlannedTissue.overviews`.
        centre_um: (x, y) of its middle from the overview's top left corner.
        classes: Artefacts annotated in it: none.
        composable: True: anything can be laid on it.
        weak: Always None: pixels are labelled, or open.
        is_composed: True for a tile that was kept with something laid on it.
    """

    item: int
    centre_um: tuple[float, float]
    slide: str
    patient: str
    file: str
    classes: frozenset[ArtefactClass] = frozenset()
    composable: bool = True
    weak: None = None
    is_composed: bool = False

    @property
    def place(self) -> tuple[float, ...]:
        """Where on its slide it lies."""
        return self.centre_um


@dataclass(frozen=True, eq=False)
class PlannedTissue:
    """Everything that can be read."""

    settings: TissueTrainingSources
    overviews: tuple[Overview, ...]
    tiles: tuple[TissueTileRef, ...]


def plan_tissue_sources(settings: TissueTrainingSources, root: Path, throw_away: bool = False) -> PlannedTissue:
    """Read and label every overview once; the planned tiles hold them in memory.

    Args:
        settings: The declared sources.
        root: Data folder that their paths start from.
        throw_away: True for weights that are never published; only these may come from sources with `use = "evaluate"`.

    Raises:
        SettingsError: If a source may not be used, finds no files or no mpp, or a correction names no slide.
        SlideError: If an overview cannot be read.
    """
    overviews = [one for source in settings.sources for one in _overviews(source, root, settings, throw_away)]
    unknown = {one.slide for one in settings.corrections} - {one.slide for one in overviews}
    if unknown:
        raise SettingsError(f"corrections name {', '.join(sorted(unknown))}, which no source has", "correct the names")
    for drawn in draw_overviews(settings.phantoms, settings.mpp, settings.trust.band_um):
        white = drawn.rgb[drawn.classes == ArtefactClass.GLASS]
        red, green, blue = np.median(white, axis=0).tolist() if len(white) else (245.0, 245.0, 245.0)
        overviews.append(
            Overview(
                drawn.rgb,
                drawn.classes,
                settings.mpp,
                settings.mpp,
                (red, green, blue),
                drawn.name,
                drawn.name,
                drawn.name,
                "phantoms",
            )
        )
    tiles = [ref for index, one in enumerate(overviews) for ref in _refs(index, one, settings)]
    return PlannedTissue(settings, tuple(overviews), tuple(tiles))


def _overviews(
    source: OverviewSpec, root: Path, settings: TissueTrainingSources, throw_away: bool
) -> Iterator[Overview]:
    check_use(source, throw_away)
    table = _mpp_table(root / source.mpp_table) if source.mpp_table else {}
    for path, name in named_files(source, root, source.only):
        if source.mpp_table and name not in table:
            raise SettingsError(f"{source.mpp_table} has no slide {name}", "add it, or leave the slide out")
        yield _read(path, name, source.name, table.get(name, source.mpp), settings)


def _read(path: Path, name: str, source: str, mpp: float | None, settings: TissueTrainingSources) -> Overview:
    slide = open_slide(SlideFile(path, Mpp(mpp) if mpp else None))
    try:
        grid = native_grid(slide, settings.mpp)
        pixels = read_overview(slide, grid)
    finally:
        slide.close()
    corrections = [one for one in settings.corrections if one.slide == name]
    classes = label_overview(pixels.rgb, pixels.is_scanned, grid.cell_mpp, settings.trust, corrections)
    glass = estimate_glass(pixels.rgb, pixels.is_scanned, settings.trust.strict).rgb
    patient = settings.patients.get(name, name)
    shown_mpp = min(grid.cell_mpp, settings.coarsest_mpp)
    return Overview(pixels.rgb, classes, shown_mpp, grid.cell_mpp, glass, name, patient, path.as_posix(), source)


def _mpp_table(path: Path) -> dict[str, float]:
    try:
        rows = pd.read_csv(path, dtype=str)[["slide", "overview_mpp"]].to_numpy()
        return {str(slide): float(mpp) for slide, mpp in rows}
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(
            f"{path} is no table of mpp ({error})", "it needs the columns slide and overview_mpp"
        ) from error


def _refs(index: int, one: Overview, settings: TissueTrainingSources) -> Iterator[TissueTileRef]:
    """Half-overlapping tiles with enough said about them; of those without tissue every so many."""
    side_px = round(settings.tile_px * settings.mpp / one.mpp)
    bare = 0
    for y in _starts(one.classes.shape[0], side_px):
        for x in _starts(one.classes.shape[1], side_px):
            classes = one.classes[y : y + side_px, x : x + side_px]
            if (classes == IGNORE).mean() > settings.open_share_max:
                continue
            if not (classes == ArtefactClass.CLEAN).any():
                bare += 1
                if bare % settings.glass_every:
                    continue
            centre = ((x + side_px / 2) * one.mpp, (y + side_px / 2) * one.mpp)
            yield TissueTileRef(index, centre, one.slide, one.patient, one.file)


def _starts(length_px: int, side_px: int) -> list[int]:
    if length_px <= side_px:
        return [-((side_px - length_px) // 2)] if length_px < side_px else [0]
    count = 1 + -(-(length_px - side_px) // max(1, side_px // 2))
    return [round(index * (length_px - side_px) / (count - 1)) for index in range(count)]
