"""The rules. In: evidence of one tile, its tissue, the slide's reference. Out: (h, w) uint8 of `ArtefactClass`.

Each rule is a function from the same few planes to a bool mask; the stronger claim wins:
ink, then grey matter (debris, rims, dry tissue), then folds, then defocus.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.artefact.classical.evidence import Evidence
from qc.artefact.classical.focus import broad_contrast, focus_map
from qc.artefact.classical.normal import HUE_EDGES, SlideReference
from qc.artefact.classical.shape import closed, extent_um, grown, large_only, opened, touching
from qc.artefact.classical.stain import density_of, grey_density, hue_of, smoothed, without_brown
from qc.config.artefact import ClassicalSettings
from qc.labels import ArtefactClass

Mask = NDArray[np.bool_]

# Hues of inks, OD red / OD green and OD blue / OD green, between those of markers and of stains on real slides.
_BLUE_INK_BLUE = 0.6
_DEEP_BLUE_INK_BLUE = 0.42
_DEEP_BLUE_INK_RED = 1.0
_GREEN_INK_BLUE = 0.72
_RED_INK_RED = 0.2
_RED_INK_BLUE = 0.72
_RED_INK_MORE_BLUE = 0.12
_DEEP_RED_INK_RED = 0.35
_DEEP_RED_INK_BLUE = 0.9
_DEEP_RED_INK_DENSITY = 0.3


@dataclass(frozen=True, eq=False)
class Planes:
    """Planes that several rules read, (h, w) each, smoothed over about 10 um.

    Attributes:
        density: Mean optical density of the channels.
        grey: Density that no stain of this slide explains, equal in all channels.
        grey_share: Share of that in all density, 0-1.
        red_over_green: Hue, OD red / OD green.
        blue_over_green: Hue, OD blue / OD green.
        focus: Ratio of fine to coarse contrast.
        contrast: RMS coarse density.
        broad: RMS density on a scale coarser than that, which even strong defocus leaves.
        cell_um: Side of a cell in micrometres.
    """

    density: NDArray[np.float32]
    grey: NDArray[np.float32]
    grey_share: NDArray[np.float32]
    red_over_green: NDArray[np.float32]
    blue_over_green: NDArray[np.float32]
    focus: NDArray[np.float32]
    contrast: NDArray[np.float32]
    broad: NDArray[np.float32]
    cell_um: float


def classify(
    evidence: Evidence, is_tissue: Mask, reference: SlideReference, settings: ClassicalSettings
) -> NDArray[np.uint8]:
    """Artefact map of one tile.

    Args:
        evidence: Planes of the tile, halo included.
        is_tissue: (h, w) bool on the same grid.
        reference: Statistics of the slide.
        settings: Thresholds.

    Raises:
        ValueError: If the tissue mask does not fit the evidence.
    """
    if is_tissue.shape != evidence.shape:
        raise ValueError(f"tissue {is_tissue.shape} does not fit evidence {evidence.shape}")
    planes = planes_of(evidence, is_tissue, reference, settings)
    classes = np.full(evidence.shape, ArtefactClass.CLEAN, np.uint8)
    classes[is_blurred(planes, is_tissue, reference, settings)] = ArtefactClass.OUT_OF_FOCUS
    _paint_absorbers(classes, planes, reference, settings)
    classes[~is_tissue] = ArtefactClass.GLASS
    classes[~evidence.is_scanned] = ArtefactClass.UNASSESSED
    return classes


def _paint_absorbers(
    classes: NDArray[np.uint8], planes: Planes, reference: SlideReference, settings: ClassicalSettings
) -> None:
    """Folds, grey matter and ink; what borders on ink is its soft edge."""
    ink = is_ink(planes, reference.stain_blue_over_green, settings)
    fold, grey = is_folded(planes, reference, settings), is_grey(planes, settings) & ~ink
    dry = is_dry(planes, settings) & ~ink
    dry = touching(dry | grey, dry)
    is_black, is_debris, is_rim = split_grey(grey & ~dry, planes, settings)
    classes[fold] = ArtefactClass.FOLD
    classes[is_rim | dry] = ArtefactClass.BUBBLE
    classes[is_debris] = ArtefactClass.FOREIGN
    ink |= is_black
    ink |= grown(ink, settings.ink_edge_um, planes.cell_um) & (fold | is_debris | is_rim)
    classes[ink] = ArtefactClass.PEN


def planes_of(evidence: Evidence, is_tissue: Mask, reference: SlideReference, settings: ClassicalSettings) -> Planes:
    """Density, hue and focus of each cell."""
    density = density_of(smoothed(evidence.rgb), reference.glass)
    grey, grey_share = grey_density(
        density, reference.stain_blue_over_green, evidence.cell_um, reference.is_immunostained
    )
    if reference.is_immunostained:
        density = without_brown(density)
    red_over_green, blue_over_green = hue_of(density)
    focus, contrast = focus_map(evidence, is_tissue, settings.focus_window_um, reference.contrast_cap)
    mean = np.full((1, 3), 1 / 3, np.float32)
    unsmoothed = np.asarray(cv2.transform(density_of(evidence.rgb, reference.glass), mean), np.float32)
    return Planes(
        density=np.asarray(cv2.transform(density, mean), np.float32),
        grey=grey,
        grey_share=grey_share,
        red_over_green=red_over_green,
        blue_over_green=blue_over_green,
        focus=focus,
        contrast=contrast,
        broad=broad_contrast(unsmoothed, is_tissue, evidence.cell_um, settings.focus_window_um),
        cell_um=evidence.cell_um,
    )


def is_ink(planes: Planes, stain_blue_over_green: float, settings: ClassicalSettings) -> Mask:
    """Blue, green and red marker: hues that haematoxylin, eosin, blood and diaminobenzidine do not have."""
    red, blue = planes.red_over_green, planes.blue_over_green
    is_blue = (blue < _BLUE_INK_BLUE) & (red > settings.ink_red_over_green)
    is_blue |= (blue < _DEEP_BLUE_INK_BLUE) & (red > _DEEP_BLUE_INK_RED)
    is_green = (blue > _GREEN_INK_BLUE) & (red > settings.ink_red_over_green)
    is_red = (red < _RED_INK_RED) & (blue > max(_RED_INK_BLUE, stain_blue_over_green + _RED_INK_MORE_BLUE))
    is_red |= (red < _DEEP_RED_INK_RED) & (blue > _DEEP_RED_INK_BLUE) & (planes.density > _DEEP_RED_INK_DENSITY)
    is_red = opened(is_red, settings.ink_red_width_um, planes.cell_um)
    ink = (is_blue | is_green | is_red) & (planes.density > settings.ink_min_density)
    ink = large_only(opened(ink, settings.ink_width_um, planes.cell_um), settings.ink_min_area_um2, planes.cell_um)
    return closed(ink, 2 * settings.ink_width_um, planes.cell_um)


def is_dry(planes: Planes, settings: ClassicalSettings) -> Mask:
    """Tissue in air, without mounting medium: grey, grainy and soft from scattered light, over a large area."""
    side = max(1, round(settings.dry_window_um / planes.cell_um))
    grey, density = (cv2.blur(plane, (side, side)) for plane in (planes.grey, planes.density))
    is_scatter = grey > np.maximum(settings.dry_min_density, settings.dry_min_share * density)
    is_grainy = planes.contrast > np.maximum(settings.dry_min_contrast, settings.dry_min_grain * density)
    dry = is_scatter & is_grainy & (planes.focus < settings.dry_max_focus)
    return large_only(dry, settings.dry_min_area_um2, planes.cell_um)


def is_grey(planes: Planes, settings: ClassicalSettings) -> Mask:
    """Absorption without hue: dust, fibres, soot and their shadows, rims, black ink."""
    is_hueless = planes.grey_share > settings.grey_min_share
    core = opened(is_hueless & (planes.grey > settings.grey_min_density), settings.grey_width_um, planes.cell_um)
    core = large_only(core, settings.grey_min_area_um2, planes.cell_um)
    return touching(is_hueless & (planes.grey > settings.grey_edge_density), core)


def split_grey(grey: Mask, planes: Planes, settings: ClassicalSettings) -> tuple[Mask, Mask, Mask]:
    """Smooth grey matter by width, length and area: black ink, debris, rims of bubbles and edges of cover slips."""
    thick = opened(grey, settings.rim_width_um, planes.cell_um)
    thin = grey & ~closed(thick, settings.rim_width_um, planes.cell_um)
    rims = thin & (extent_um(thin, planes.cell_um) > settings.rim_length_um)
    black = grey & (planes.grey > settings.ink_black_density)
    black = large_only(
        opened(black, settings.rim_width_um, planes.cell_um), settings.ink_black_area_um2, planes.cell_um
    )
    return black, grey & ~rims & ~black, rims


def is_folded(planes: Planes, reference: SlideReference, settings: ClassicalSettings) -> Mask:
    """Tissue lying double: far denser than single tissue of its hue on this slide, and lifted out of focus.

    Without the second half every lymphoid follicle and keratin layer among pale stroma would be a fold.
    """
    single = np.asarray(reference.density_of_hue, np.float32)
    relative = planes.density / single[np.digitize(planes.red_over_green, HUE_EDGES[1:-1])]
    sharp = math.inf if math.isnan(reference.focus[2]) else reference.focus[2]
    is_dense = planes.density > settings.fold_min_density
    is_core = is_dense & (relative > settings.fold_ratio) & (planes.focus < settings.fold_max_focus_share * sharp)
    core = opened(is_core, settings.fold_width_um, planes.cell_um)
    core = large_only(core, settings.fold_min_area_um2, planes.cell_um)
    body = opened(is_dense & (relative > settings.fold_edge_ratio), settings.fold_width_um, planes.cell_um)
    return closed(touching(body, core), settings.fold_width_um, planes.cell_um)


def is_blurred(planes: Planes, is_tissue: Mask, reference: SlideReference, settings: ClassicalSettings) -> Mask:
    """Textured tissue whose fine detail is missing, against physics and against the slide's sharp tissue."""
    sharp = reference.focus[2]
    own = 0.0 if math.isnan(sharp) else settings.focus_share * sharp
    limit = min(max(own, settings.focus_floor), settings.focus_ceiling)
    blurred = (planes.focus < limit) & (planes.focus > 0) & (planes.contrast > settings.focus_min_contrast)
    is_featureless = (planes.contrast < settings.blur_heavy_ratio * planes.broad) & (
        planes.focus * planes.contrast < settings.blur_heavy_max_fine
    )
    blurred |= is_featureless & (planes.broad > settings.blur_heavy_min_broad)
    is_stained = closed(planes.density > settings.blur_min_density, settings.blur_gap_um, planes.cell_um)
    return large_only(blurred & is_tissue & is_stained, settings.blur_min_area_um2, planes.cell_um)
