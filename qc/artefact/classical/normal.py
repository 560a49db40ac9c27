"""What is normal on this slide. In: evidence and tissue of its tiles. Out: glass colour, stain and focus statistics."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.artefact.classical.evidence import BLOCK_CELLS, Evidence
from qc.artefact.classical.focus import focus_map, score_of_focus
from qc.artefact.classical.stain import (
    density_of,
    hue_of,
    is_immunostained,
    score_of_immunostain,
    score_of_stain,
    smoothed,
    without_brown,
)

HUE_EDGES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 1.0)

_DEFAULT_GLASS = (243.0, 243.0, 243.0)
_MIN_GLASS_LEVEL = 200.0
_CELLS_PER_TILE = 4_000
_BLOCKS_PER_TILE = 300
_MIN_CELLS = 500
_STAINED_DENSITY = 0.05
_MIN_CELLS_PER_HUE = 200
_MIN_BLOCKS = 20
_MOST_BLUE_OVER_GREEN = 0.68
_MOST_OVER_ALL = 1.2
_MIN_FOCUS_CONTRAST = 0.008
_FOCUS_WINDOW_UM = 96.0
_CONTRAST_CAP = 2.0
_BLOCK_STEP = 7
_BLOCK_CENTRES = (slice(BLOCK_CELLS // 2, None, BLOCK_CELLS),) * 2

Tissue = tuple[Evidence, NDArray[np.bool_]]
"""Evidence of a tile and where tissue is in it."""


@dataclass(frozen=True)
class SlideReference:
    """Statistics of one slide; NaN where too little tissue was seen.

    Attributes:
        glass: RGB of clear glass, 0-255.
        density: 10th, 50th and 90th centile of the tissue's mean optical density.
        red_over_green: Median hue of the tissue, OD red / OD green.
        stain_blue_over_green: OD blue / OD green of the stains without pigment, blood or dirt; at most 0.68.
        density_of_hue: Density of single tissue in each bin of `HUE_EDGES` (OD red / OD green).
        focus: 10th, 50th and 75th centile of focus over tissue that has texture.
        chroma: Median of 1 - min(OD) / max(OD) over the tissue, 0 grey to 1 pure.
        n_cells: Tissue cells behind the stain statistics.
        is_immunostained: Brown on blue: hue and density of hue are then those of the counterstain.
        contrast_cap: Coarse density above which a block counts no more for focus; infinite without texture.
    """

    glass: tuple[float, float, float]
    density: tuple[float, ...]
    red_over_green: float
    stain_blue_over_green: float
    density_of_hue: tuple[float, ...]
    focus: tuple[float, ...]
    chroma: float
    n_cells: int
    is_immunostained: bool
    contrast_cap: float


def reference(tiles: Callable[[], Iterable[Tissue]]) -> SlideReference:
    """Pool a slide's tiles, a bounded sample of each.

    Args:
        tiles: Gives the evidence of each tile and its (h, w) bool tissue mask; called once for each of three passes,
            so that the masks of a large slide need not be held.
    """
    tissue, glass = [np.empty((0, 3), np.uint8)], [np.empty((0, 3), np.uint8)]
    for evidence, is_tissue in tiles():
        tissue.append(_sample(smoothed(evidence.rgb)[is_tissue & evidence.is_scanned]))
        glass.append(_sample(evidence.rgb[~is_tissue & evidence.is_scanned]))
    cap = _contrast_cap(tiles())
    focus = [np.empty(0), *(_sample_focus(evidence, is_tissue, cap) for evidence, is_tissue in tiles())]
    glass_rgb = _glass(np.concatenate(glass), np.concatenate(tissue))
    return _summarise(glass_rgb, np.concatenate(tissue), np.concatenate(focus), cap)


def focus_score(reference: SlideReference) -> float:
    """Sharpness of the slide's textured tissue, 0-10, below 4 calls for a re-scan; NaN without texture.

    `4 + 2.5 log2(focus / 0.45)` of the median focus (see `qc.artefact.classical.focus`), cut to 0-10.
    """
    return score_of_focus(reference.focus[1])


def stain_score(reference: SlideReference) -> float:
    """Strength and colour of the stain, 0-10, below 4 is too pale, too dark or without colour; NaN without tissue."""
    if reference.is_immunostained:
        return score_of_immunostain(reference.density[2])
    return score_of_stain(reference.density[1], reference.chroma)


def _sample(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return rows[:: max(1, math.ceil(len(rows) / _CELLS_PER_TILE))]


def _contrast_cap(tiles: Iterable[Tissue]) -> float:
    """Twice the median coarse density of the slide's textured blocks; unlimited without any."""
    samples = [np.empty(0, np.float16)]
    for evidence, is_tissue in tiles:
        is_block = is_tissue[_BLOCK_CENTRES]
        coarse = evidence.coarse[: is_block.shape[0], : is_block.shape[1]]
        samples.append(coarse[is_block & (coarse >= _MIN_FOCUS_CONTRAST)][::_BLOCK_STEP])
    pooled = np.concatenate(samples)
    return _CONTRAST_CAP * float(np.median(pooled)) if len(pooled) >= _MIN_BLOCKS else math.inf


def _sample_focus(evidence: Evidence, is_tissue: NDArray[np.bool_], contrast_cap: float) -> NDArray[np.float64]:
    focus, contrast = focus_map(evidence, is_tissue, _FOCUS_WINDOW_UM, contrast_cap)
    blocks = _BLOCK_CENTRES
    is_textured = is_tissue[blocks] & (contrast[blocks] >= _MIN_FOCUS_CONTRAST)
    values = focus[blocks][is_textured].astype(np.float64)
    return values[:: max(1, math.ceil(len(values) / _BLOCKS_PER_TILE))]


def _glass(glass: NDArray[np.uint8], tissue: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Median of the brighter half of what is not tissue; without any, of the brightest tissue cells."""
    source, share = (glass, 0.5) if len(glass) >= _MIN_CELLS else (tissue, 0.01)
    if len(source) < _MIN_CELLS:
        return _DEFAULT_GLASS
    level = source.sum(axis=1, dtype=np.int32)
    red, green, blue = (float(v) for v in np.median(source[level >= np.quantile(level, 1 - share)], axis=0))
    return (red, green, blue) if min(red, green, blue) >= _MIN_GLASS_LEVEL else _DEFAULT_GLASS


def _summarise(
    glass: tuple[float, float, float], tissue: NDArray[np.uint8], focus: NDArray[np.float64], contrast_cap: float
) -> SlideReference:
    od = density_of(tissue[None], glass)[0]
    mean = od.mean(axis=1)
    is_stained = _is_stained(mean)
    od, mean = od[is_stained], mean[is_stained]
    is_enough = len(mean) >= _MIN_CELLS
    brown_on_blue = is_immunostained(od)
    structure = without_brown(od[None])[0] if brown_on_blue else od
    red_over_green, blue_over_green = hue_of(structure)
    chroma = 1 - od.min(axis=1) / np.maximum(od.max(axis=1), 1e-3)
    return SlideReference(
        glass=glass,
        density=_centiles(mean, (10, 50, 90), is_enough),
        red_over_green=_centiles(red_over_green, (50,), is_enough)[0],
        stain_blue_over_green=_stain_blue(blue_over_green, is_enough),
        density_of_hue=_density_of_hue(red_over_green, structure.mean(axis=1)),
        focus=_centiles(focus, (10, 50, 75), len(focus) >= _MIN_BLOCKS),
        chroma=_centiles(chroma, (50,), is_enough)[0],
        n_cells=len(mean),
        is_immunostained=brown_on_blue,
        contrast_cap=contrast_cap,
    )


def _is_stained(mean: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Cells that carry stain: fat may be most of the tissue and says nothing about it; a faded slide has no others."""
    clearly = mean > _STAINED_DENSITY
    if np.count_nonzero(clearly) >= _MIN_CELLS:
        return clearly
    return mean > 0.5 * np.median(mean) if len(mean) else mean > 0


def _stain_blue(blue_over_green: NDArray[np.float32], is_enough: bool) -> float:
    """The median, but no more than eosin and haematoxylin can have: dirt may cover half of the tissue."""
    return min(float(np.median(blue_over_green)), _MOST_BLUE_OVER_GREEN) if is_enough else _MOST_BLUE_OVER_GREEN


def _centiles(values: NDArray, centiles: tuple[int, ...], is_enough: bool) -> tuple[float, ...]:
    if not is_enough:
        return (math.nan,) * len(centiles)
    return tuple(float(v) for v in np.percentile(values, centiles))


def _density_of_hue(red_over_green: NDArray[np.float32], mean: NDArray[np.float32]) -> tuple[float, ...]:
    """Density of single tissue in each hue bin: of all tissue where the hue is rare, and not far above that."""
    if len(mean) < _MIN_CELLS:
        return (math.nan,) * (len(HUE_EDGES) - 1)
    overall = _single_density(mean)
    bins = np.digitize(red_over_green, HUE_EDGES[1:-1])
    groups = [mean[bins == i] for i in range(len(HUE_EDGES) - 1)]
    own = (_single_density(g) if len(g) >= _MIN_CELLS_PER_HUE else overall for g in groups)
    return tuple(min(density, _MOST_OVER_ALL * overall) for density in own)


def _single_density(mean: NDArray[np.float32]) -> float:
    """Density below which a third of the stain lies.

    Weighting by density keeps gaps and pale borders from passing for single tissue; a third, not a half, keeps
    folds out even where they hold much of the stain.
    """
    ordered = np.sort(mean)
    mass = np.cumsum(ordered, dtype=np.float64)
    return float(ordered[np.searchsorted(mass, mass[-1] / 3)])
