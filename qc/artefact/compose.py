"""Artefacts composed onto clean tissue, so that networks learn without annotators.

In: clean tissue (H, W, 3) uint8 at a stated mpp, where it is tissue, and a recipe. Out: the same tissue with
artefacts, and the class of every pixel of which it can be told. Pixels become transmittance by the colour of glass;
artefacts are laid in optical density in the order in which light and hands meet them: the knife's and the mounting's
(tears, folds, embedded debris), depth of focus, air under the cover slip, then what lies on the cover slip (ink,
dust), which is soft.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.artefact.place import SEEN_ON_GLASS, covered_by, place, touched_by
from qc.artefact.recipe import Kind, Recipe
from qc.config.tissue import TissueSettings
from qc.labels import ARTEFACTS, IGNORE, ArtefactClass
from qc.optics.artefact import Artefact, lay_window
from qc.optics.defocus import blur
from qc.optics.field import Coords, Float, Mask, darkest
from qc.phantom.place import PRIORITY
from qc.tissue.glass import estimate_glass

Rgb = NDArray[np.uint8]

_NEARBY_UM = 14.0
_CLEARLY = 0.04
"""Mean change of transmittance nearby from which something is seen there, on glass or even tissue."""
_CLEARLY_IN_TEXTURE = 0.4
"""The same, relative to the standard deviation of transmittance around: faint shadows are lost in dense tissue."""
_AROUND_UM = 50.0
_BARELY = 0.375
"""Share of the change that is clearly seen, from which nobody can say that nothing is there."""

_MAY_BE_FAINT = frozenset({ArtefactClass.FOLD, ArtefactClass.FOREIGN, ArtefactClass.PEN})


def compose(
    rgb: Rgb,
    is_tissue: Mask,
    mpp: float,
    recipe: Recipe,
    rng: np.random.Generator,
    glass_rgb: tuple[float, float, float] | None = None,
) -> tuple[Rgb, NDArray[np.uint8]]:
    """Lay a recipe's artefacts onto clean tissue.

    Args:
        rgb: (H, W, 3) uint8.
        is_tissue: (H, W) bool.
        mpp: Micrometres per pixel.
        recipe: What to lay; see `qc.artefact.recipe.draw_recipe`.
        rng: Draws places and shapes.
        glass_rgb: Colour of the slide's bare glass, 0-255; estimated from the tile when absent.

    Returns:
        (H, W, 3) uint8, and (H, W) uint8 of `ArtefactClass`: CLEAN or what ruins it in tissue; outside
        tissue GLASS, or what is seen on it, which looks the same there; IGNORE where it is hardly seen.

    Raises:
        ValueError: If the two arrays differ in height or width.
    """
    if rgb.shape[:2] != is_tissue.shape:
        raise ValueError(f"image {rgb.shape[:2]} and tissue mask {is_tissue.shape} differ")
    glass = np.array(glass_rgb or _own_glass(rgb), np.float32)
    placed = place(is_tissue, mpp, recipe, rng)
    at = Coords.of(rgb.shape, mpp)
    before = _light(rgb, glass, recipe.gamma)
    after = blur(before, recipe.soft_um, mpp)
    changes: list[Float | None] = []
    for kind, artefact in placed:
        under, after = after, lay_window(artefact, after, at)
        changes.append(_seen(after, under, mpp) if kind.label in _MAY_BE_FAINT else None)
    seen = _pixels(before, after, rgb, glass, recipe.gamma)
    return _noisy(seen, rgb, recipe.noise, rng), _classes(placed, changes, is_tissue, at)


def _seen(after: Float, under: Float, mpp: float) -> Float:
    """(H, W) change of light around each pixel, 1 where it is clearly seen.

    A fold across a hole leaves nothing to see, nor does a breath of grey on dense tissue.
    """
    change = -darkest(-np.abs(after - under))
    texture = _spread(under[..., 1], _AROUND_UM, mpp)
    return _mean(change, _NEARBY_UM, mpp) / np.maximum(_CLEARLY, _CLEARLY_IN_TEXTURE * texture)


def _spread(light: Float, over_um: float, mpp: float) -> Float:
    """Standard deviation around each pixel."""
    return np.sqrt(np.maximum(_mean(light * light, over_um, mpp) - _mean(light, over_um, mpp) ** 2, 0))


def _mean(light: Float, over_um: float, mpp: float) -> Float:
    side = 2 * round(over_um / mpp / 2) + 1
    return np.asarray(cv2.blur(light, (side, side)), np.float32)


def _classes(
    placed: list[tuple[Kind, Artefact]], changes: list[Float | None], is_tissue: Mask, at: Coords
) -> NDArray[np.uint8]:
    """What is seen clearly has its class; what is seen barely, or is hard to tell from biology, has none."""
    classes = np.where(is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS).astype(np.uint8)
    for label in PRIORITY:
        where = np.True_ if label in SEEN_ON_GLASS else is_tissue
        for (kind, artefact), change in zip(placed, changes, strict=True):
            if kind.label is not label:
                continue
            there = covered_by(artefact, at) & where
            if change is not None:
                hardly = touched_by(artefact, at) & where & (change > _BARELY) & ~np.isin(classes, ARTEFACTS)
                classes[hardly] = IGNORE
                there &= (change > 1) & kind.is_told
            classes[there] = label
    return classes


def _own_glass(rgb: Rgb) -> tuple[float, float, float]:
    glass = estimate_glass(rgb, np.ones(rgb.shape[:2], np.bool_), TissueSettings()).rgb
    brightest = np.percentile(rgb[::4, ::4].reshape(-1, 3), 99, axis=0)
    red, green, blue = np.maximum(glass, brightest).tolist()
    return red, green, blue


def _light(rgb: Rgb, glass: Float, gamma: float) -> Float:
    """Transmittance; a little above 1 where a pixel is brighter than glass."""
    levels = np.maximum(np.arange(256, dtype=np.float32), 0.5)[:, None] / glass
    table = np.power(levels, gamma).astype(np.float32)
    return np.stack([table[rgb[..., channel], channel] for channel in range(3)], axis=-1)


def _pixels(before: Float, after: Float, rgb: Rgb, glass: Float, gamma: float) -> Float:
    """(H, W, 3) float32 grey levels; untouched pixels keep theirs exactly."""
    touched = darkest((before == after).view(np.uint8)) == 0
    out = rgb.astype(np.float32)
    out[touched] = np.power(np.maximum(after[touched], 0), 1 / gamma) * glass
    return out


def _noisy(seen: Float, source: Rgb, extra: float, rng: np.random.Generator) -> Rgb:
    """Rounded pixels: where artefacts smoothed the source's own noise away it is put back, and `extra` everywhere."""
    own = _noise_level(source)
    change = -darkest(-np.abs(seen - source))[..., None]
    back = own * np.clip(change / 4, 0, 1)
    noise = rng.standard_normal(seen.shape, np.float32)
    return np.clip(np.rint(seen + noise * np.sqrt(back**2 + extra**2)), 0, 255).astype(np.uint8)


def _noise_level(rgb: Rgb) -> float:
    """Standard deviation of sensor noise, grey levels, from the least structured tenth of the tile's blocks."""
    green = rgb[..., 1].astype(np.float32)
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6  # keeps the variance of white noise
    detail = cv2.filter2D(green, -1, kernel)
    power = cv2.blur(detail * detail, (16, 16))[8::16, 8::16]
    return float(np.sqrt(np.clip(np.quantile(power, 0.1), 0, 16))) if power.size else 0.0
