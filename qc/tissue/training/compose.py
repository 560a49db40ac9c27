"""Anything that overviews show, laid on one of them. In: pixels and classes. Out: the same, as hard as slides get.

Classes move with what is laid: ink, dust, frames and shade on glass stay glass; tissue under them stays tissue as long
as it can be seen, is left open where it cannot, and is glass where something opaque or nothing was scanned instead.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue_training import TissueComposeSettings
from qc.labels import IGNORE, ArtefactClass
from qc.optics.artefact import Artefact, lay_window
from qc.optics.bubble import draw_bubbles, draw_slip_edge
from qc.optics.debris import draw_clump, draw_shadow, draw_specks, draw_squames, draw_threads
from qc.optics.defocus import blur
from qc.optics.field import Bounds, Coords, Float, Mask, darkest, log_uniform
from qc.optics.fold import draw_creases, draw_fold
from qc.optics.stain import filtered
from qc.tissue.training.appearance import faded, glass_colour, hazy, restained, shading
from qc.tissue.training.frames import draw_frame, draw_padding
from qc.tissue.training.marks import fiducials, pen, writing

Rgb = NDArray[np.uint8]
Classes = NDArray[np.uint8]
Draw = Callable[[Bounds, np.random.Generator, float, float], Artefact]

_LEAST_LIGHT = 0.002
_NOISE_SEED = 8
_DIRT: tuple[tuple[Draw, float, float], ...] = (  # with the range of sizes in micrometres
    (draw_specks, 100, 1500),
    (draw_clump, 80, 600),
    (draw_threads, 300, 4000),
    (draw_shadow, 80, 1200),
    (draw_squames, 100, 800),
)
_DIRT_SHARES = (0.25, 0.1, 0.25, 0.15, 0.08, 0.11, 0.06)  # of those, fiducial marks and writing


class Scene:
    """One tile on its way: its light, its classes, its scale, and how it is varied."""

    def __init__(self, light: Float, classes: Classes, mpp: float, settings: TissueComposeSettings) -> None:
        self.light = light
        self.classes = classes
        self.mpp = mpp
        self.settings = settings

    def lay(self, artefact: Artefact) -> None:
        """Something described in micrometres."""
        self.light = lay_window(artefact, self.light, Coords.of(self.light.shape, self.mpp))

    def cover(self, factor: Float) -> None:
        """A filter (H, W, 3); tissue under what takes most of the light is left open."""
        self.light = self.light * factor
        hidden = factor.mean(axis=2) < self.settings.hidden_light
        self.classes[hidden & (self.classes == ArtefactClass.CLEAN)] = IGNORE

    def point(self, rng: np.random.Generator) -> Bounds:
        """A place anywhere on the tile."""
        height, width = self.classes.shape
        x, y = rng.uniform(0, 1, 2) * (width * self.mpp, height * self.mpp)
        return Bounds.around((float(x), float(y)), 1.0)


def compose_tissue(
    rgb: Rgb,
    classes: Classes,
    mpp: float,
    glass_rgb: tuple[float, float, float],
    label: ArtefactClass,
    settings: TissueComposeSettings,
    rng: np.random.Generator,
) -> tuple[Rgb, Classes]:
    """Vary a tile's stain, glass and light and lay things on it.

    Args:
        rgb: (H, W, 3) uint8.
        classes: (H, W) uint8 of CLEAN, GLASS or IGNORE.
        mpp: Micrometres per pixel.
        glass_rgb: Colour of the overview's bare glass.
        label: What is certainly laid: PEN, FOREIGN (dirt and marks), BUBBLE (air, edges and frames), FOLD,
            OUT_OF_FOCUS; nothing but now and then dirt for CLEAN.
        settings: Chances and ranges.
        rng: Draws everything.
    """
    own = np.array(glass_rgb, np.float32)
    scene = Scene(np.maximum(rgb.astype(np.float32), 0.5) / own, classes.copy(), mpp, settings)
    _stain(scene, rng)
    wanted = label
    while wanted in _LAYERS:
        _LAYERS[wanted](scene, rng)
        if rng.random() >= settings.another:
            break
        wanted = list(_LAYERS)[int(rng.integers(len(_LAYERS)))]
    if rng.random() < settings.stray:
        _dirt(scene, rng)
    return _photograph(scene, own, rng), scene.classes


def _stain(scene: Scene, rng: np.random.Generator) -> None:
    settings = scene.settings
    tissue = (scene.classes != ArtefactClass.GLASS).astype(np.float32)
    weight = np.asarray(cv2.blur(tissue, (3, 3)), np.float32)
    if rng.random() < settings.recolour:
        scene.light = restained(scene.light, weight, rng, bool(rng.random() < settings.immunostain))
    if rng.random() < settings.fade:
        left = log_uniform(settings.fade_min, 1.0, rng)
        scene.light = faded(scene.light, weight, left, rng)
    scene.classes[(scene.classes == ArtefactClass.CLEAN) & ~_is_visible(scene)] = IGNORE
    if rng.random() < settings.haze:
        scene.light = hazy(scene.light, rng)


def _is_visible(scene: Scene) -> Mask:
    """Where something nearby is denser than glass, or uneven."""
    settings = scene.settings
    loss = 1 - np.minimum(darkest(scene.light), 1)
    sigma = settings.visible_um / scene.mpp / 3
    mean, square = cv2.GaussianBlur(loss, (0, 0), sigma), cv2.GaussianBlur(loss * loss, (0, 0), sigma)
    limit = 2.3 * settings.visible_density  # of light lost, for so small densities
    return (mean > limit) | (np.sqrt(np.maximum(square - mean * mean, 0)) > limit)


def _pen(scene: Scene, rng: np.random.Generator) -> None:
    scene.cover(filtered(pen(scene.light.shape, scene.mpp, rng)))


def _dirt(scene: Scene, rng: np.random.Generator) -> None:
    kind = int(rng.choice(len(_DIRT_SHARES), p=_DIRT_SHARES))
    if kind >= len(_DIRT):
        mark = fiducials if kind == len(_DIRT) else writing
        scene.cover(filtered(mark(scene.light.shape, scene.mpp, rng)))
        return
    draw, low_um, high_um = _DIRT[kind]
    for _ in range(int(rng.integers(1, 4 if draw is not draw_clump else 2))):
        size_um = log_uniform(low_um, high_um, rng)
        scene.lay(draw(scene.point(rng), rng, size_um, float(rng.uniform(0.6, 1.5))))


def _edges(scene: Scene, rng: np.random.Generator) -> None:
    kind = float(rng.random())
    if kind < 0.5:
        frame = draw_frame(scene.light.shape, scene.mpp, rng)
        scene.light = frame.over(scene.light)
        if frame.is_opaque:
            scene.classes[frame.inside[..., 0] > 0.9] = ArtefactClass.GLASS
            scene.classes[(frame.inside[..., 0] > 0.3) & (scene.classes == ArtefactClass.CLEAN)] = IGNORE
        return
    draw = draw_bubbles if kind < 0.75 else draw_slip_edge
    size_um = log_uniform(200, 3000, rng)
    scene.lay(draw(scene.point(rng), rng, size_um, float(rng.uniform(0.6, 1.5))))


def _fold(scene: Scene, rng: np.random.Generator) -> None:
    draw = draw_fold if rng.random() < 0.6 else draw_creases
    size_um = log_uniform(500, 5000, rng)
    scene.lay(draw(scene.point(rng), rng, size_um, float(rng.uniform(0.8, 2.0))))


def _defocus(scene: Scene, rng: np.random.Generator) -> None:
    scene.light = blur(scene.light, log_uniform(8, 50, rng), scene.mpp)


_LAYERS: dict[ArtefactClass, Callable[[Scene, np.random.Generator], None]] = {
    ArtefactClass.FOLD: _fold,
    ArtefactClass.FOREIGN: _dirt,
    ArtefactClass.PEN: _pen,
    ArtefactClass.BUBBLE: _edges,
    ArtefactClass.OUT_OF_FOCUS: _defocus,
}


def _photograph(scene: Scene, own: Float, rng: np.random.Generator) -> Rgb:
    settings = scene.settings
    glass = glass_colour(rng) if rng.random() < settings.glass else own
    levels = np.maximum(scene.light, _LEAST_LIGHT) * glass
    if rng.random() < settings.shading:
        levels = levels * shading(levels.shape, scene.mpp, rng)
    if rng.random() < settings.soft:
        levels = cv2.GaussianBlur(levels, (0, 0), float(rng.uniform(0.4, 1.2)))
    noise = _noise(levels.shape, rng) * np.float32(rng.uniform(0, settings.noise_max))
    seen = np.clip(levels + noise + np.float32(0.5), 0, 255).astype(np.uint8)
    if rng.random() < settings.padding:
        blank, level = draw_padding(seen.shape, rng)
        seen[blank] = level.astype(np.uint8)
        scene.classes[blank] = ArtefactClass.GLASS
    return _compressed(seen, scene.settings, rng)


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Float:
    """(H, W, 3) of deviation 1: another part of one large field each time, several times faster than new noise."""
    bank = _noise_bank(2 * max(shape[:2]))
    y, x = (int(rng.integers(side)) for side in shape[:2])
    return bank[y : y + shape[0], x : x + shape[1]]


@lru_cache(maxsize=2)
def _noise_bank(side_px: int) -> Float:
    return np.random.default_rng(_NOISE_SEED).standard_normal((side_px, side_px, 3), np.float32)


def _compressed(rgb: Rgb, settings: TissueComposeSettings, rng: np.random.Generator) -> Rgb:
    if rng.random() >= settings.jpeg:
        return rgb
    quality = int(rng.integers(settings.jpeg_min, 96))
    _, coded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR_RGB), np.uint8)
