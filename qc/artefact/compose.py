"""Artefacts composed onto clean tissue, so that networks learn without annotators.

In: clean tissue (H, W, 3) uint8 at a stated mpp, where it is tissue, and a recipe. Out: the same tissue with artefacts,
and the exact class of every pixel. Pixels become transmittance by the colour of glass; artefacts are laid in optical
density in the order in which light and hands meet them: the knife's and the mounting's (tears, folds, embedded debris),
depth of focus, air under the cover slip, then what lies on the cover slip (ink, dust), which is soft.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.artefact.cutout import CutOut, Picture
from qc.config.tissue import TissueSettings
from qc.config.training import ComposeSettings
from qc.labels import ARTEFACTS, ArtefactClass
from qc.optics.artefact import Artefact, lay_window
from qc.optics.bubble import draw_bubbles, draw_slip_edge
from qc.optics.debris import draw_clump, draw_shadow, draw_specks, draw_squames, draw_threads
from qc.optics.defocus import blur, draw_focus_dip, draw_focus_tilt
from qc.optics.dry import draw_dry_bubbles, draw_dry_edge
from qc.optics.field import Bounds, Coords, Float, darkest
from qc.optics.fold import draw_creases, draw_fold, draw_wrinkles
from qc.optics.off_plane import draw_marker
from qc.optics.tear import draw_blinds, draw_cracks
from qc.phantom.place import PRIORITY, Draw, Mask
from qc.tissue.glass import estimate_glass

Rgb = NDArray[np.uint8]

_TRIES = 10
_PLAN_UM = 6.0
_NEARBY_UM = 14.0
_VISIBLE_NEARBY = 0.015


@dataclass(frozen=True)
class Kind:
    """A way to ruin tissue: its class, where it lies in the light path, and how large one is."""

    label: ArtefactClass
    plane: int  # 0 tissue, 1 focus, 2 under the cover slip, 3 on the cover slip
    draws: tuple[Draw, ...]
    least_um: float
    most_um: float
    most: int  # on one tile
    chance: float  # among the kinds of its class


KINDS = {
    "fold": Kind(ArtefactClass.FOLD, 0, (draw_fold, draw_creases, draw_creases, draw_wrinkles), 120, 4000, 2, 0.65),
    "tear": Kind(ArtefactClass.FOLD, 0, (draw_cracks,), 80, 2500, 2, 0.2),
    "chatter": Kind(ArtefactClass.FOLD, 0, (draw_blinds,), 200, 3000, 1, 0.15),
    "debris": Kind(ArtefactClass.FOREIGN, 0, (draw_specks, draw_clump, draw_squames), 15, 250, 3, 0.4),
    "thread": Kind(ArtefactClass.FOREIGN, 0, (draw_threads,), 100, 2000, 2, 0.2),
    "shadow": Kind(ArtefactClass.FOREIGN, 3, (draw_shadow,), 40, 500, 3, 0.4),
    "focus_patch": Kind(ArtefactClass.OUT_OF_FOCUS, 1, (draw_focus_dip,), 250, 6000, 2, 0.5),
    "focus_tilt": Kind(ArtefactClass.OUT_OF_FOCUS, 1, (draw_focus_tilt,), 200, 4000, 1, 0.5),
    "bubble": Kind(ArtefactClass.BUBBLE, 2, (draw_bubbles, draw_dry_bubbles), 60, 4000, 3, 0.6),
    "slip_edge": Kind(ArtefactClass.BUBBLE, 2, (draw_slip_edge, draw_dry_edge, draw_dry_edge), 1000, 6000, 1, 0.4),
    "pen": Kind(ArtefactClass.PEN, 3, (draw_marker,), 250, 8000, 2, 1.0),
}


@dataclass(frozen=True)
class Wanted:
    """One kind of artefact and the share of the tile's tissue it should ruin, 0-1."""

    kind: str
    share: float
    strength: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """What is done to one tile; no artefacts and no softness leave it clean.

    Attributes:
        wanted: Artefacts, in any order.
        cutouts: Pictures of foreign bodies; one of them may stand in for a drawn one.
        cutout_chance: Chance of that.
        soft_um: Blur radius of the whole tile, too small to ruin it.
        gamma: Exponent from pixel values to light.
        noise: Standard deviation of the sensor noise added everywhere, grey levels.
    """

    wanted: tuple[Wanted, ...] = ()
    cutouts: tuple[Picture, ...] = field(default=(), repr=False)
    cutout_chance: float = 0.0
    soft_um: float = 0.0
    gamma: float = 1.0
    noise: float = 0.0


def draw_recipe(
    label: ArtefactClass,
    settings: ComposeSettings,
    rng: np.random.Generator,
    cutouts: tuple[Picture, ...] = (),
) -> Recipe:
    """A recipe with an artefact of class `label` (CLEAN for none) and now and then others.

    Raises:
        ValueError: If `label` is neither CLEAN nor an artefact.
    """
    if label is not ArtefactClass.CLEAN and label not in ARTEFACTS:
        raise ValueError(f"{label.label} cannot be composed; CLEAN or an artefact can")
    wanted = []
    while label in ARTEFACTS:
        wanted.append(_draw_wanted(label, settings, rng))
        if rng.random() >= settings.another:
            break
        label = ARTEFACTS[int(rng.integers(len(ARTEFACTS)))]
    return Recipe(
        wanted=tuple(wanted),
        cutouts=cutouts,
        cutout_chance=settings.cutout,
        soft_um=float(rng.uniform(0, settings.soft_um_max)) if rng.random() < settings.soft else 0.0,
        gamma=float(rng.uniform(settings.gamma_min, settings.gamma_max)),
        noise=float(rng.uniform(0, settings.noise_max)),
    )


def _draw_wanted(label: ArtefactClass, settings: ComposeSettings, rng: np.random.Generator) -> Wanted:
    names = [name for name, kind in KINDS.items() if kind.label is label]
    name = str(rng.choice(names, p=[KINDS[name].chance for name in names]))
    is_wide = KINDS[name].plane > 0 and label is not ArtefactClass.FOREIGN
    is_whole = is_wide and rng.random() < settings.whole
    return Wanted(
        name,
        share=1.0 if is_whole else _log_uniform(settings.share_min, settings.share_max, rng),
        strength=_log_uniform(settings.strength_min, settings.strength_max, rng),
    )


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
        recipe: See `draw_recipe`.
        rng: Draws places and shapes.
        glass_rgb: Colour of the slide's bare glass, 0-255; estimated from the tile when absent.

    Returns:
        (H, W, 3) uint8, and (H, W) uint8 of `ArtefactClass`: GLASS outside tissue, CLEAN or what ruins it inside.

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
    fold_seen = np.zeros(is_tissue.shape, np.bool_)
    for kind, artefact in placed:
        under, after = after, lay_window(artefact, after, at)
        if kind.label is ArtefactClass.FOLD:
            fold_seen |= _visible(after, under, mpp)
    seen = _pixels(before, after, rgb, glass, recipe.gamma)
    return _noisy(seen, rgb, recipe.noise, rng), _classes(placed, is_tissue, fold_seen, at)


def place(is_tissue: Mask, mpp: float, recipe: Recipe, rng: np.random.Generator) -> list[tuple[Kind, Artefact]]:
    """The recipe's artefacts in micrometres from the tile's corner, in the order in which they are laid."""
    if not is_tissue.any():
        return []
    step = max(1, round(_PLAN_UM / mpp))
    coarse, at = is_tissue[::step, ::step], Coords.of(is_tissue.shape, mpp)
    at = Coords(at.x[:, ::step], at.y[::step], mpp * step)
    placed = []
    for wanted in sorted(recipe.wanted, key=lambda one: KINDS[one.kind].plane):
        kind = KINDS[wanted.kind]
        if kind.label is ArtefactClass.FOREIGN and recipe.cutouts and rng.random() < recipe.cutout_chance:
            kind = _cutout_kind(recipe.cutouts)
        placed += [(kind, one) for one in _filled(kind, wanted, coarse, at, rng)]
    return placed


def _cutout_kind(pictures: tuple[Picture, ...]) -> Kind:
    def draw(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float) -> CutOut:
        return CutOut.draw(pictures[int(rng.integers(len(pictures)))], bounds, rng, size_um, strength)

    return Kind(ArtefactClass.FOREIGN, 3, (draw,), 30, 400, 4, 1.0)


def _filled(kind: Kind, wanted: Wanted, is_tissue: Mask, at: Coords, rng: np.random.Generator) -> list[Artefact]:
    """Artefacts of one kind until they cover about the wanted share; each the nearest of several tries."""
    target = wanted.share * is_tissue.sum()
    covered = np.zeros_like(is_tissue)
    chosen: list[Artefact] = []
    while len(chosen) < kind.most and covered.sum() < 0.6 * target:
        tries = [_tried(kind, wanted.strength, is_tissue, covered, at, rng) for _ in range(_TRIES)]
        best, now = min(tries, key=lambda one: abs(np.log((one[1].sum() + 0.1) / target)))
        if chosen and now.sum() == covered.sum():
            break
        chosen.append(best)
        covered = now
    return chosen


def _tried(
    kind: Kind, strength: float, is_tissue: Mask, covered: Mask, at: Coords, rng: np.random.Generator
) -> tuple[Artefact, Mask]:
    box = at.bounds
    size_um = _log_uniform(kind.least_um, min(kind.most_um, 6 * box.diagonal), rng)
    ys, xs = np.nonzero(is_tissue)
    which = int(rng.integers(len(ys)))
    reach = 0.5 * size_um * float(rng.uniform(0, 1))  # large ones lie mostly outside: only an arc of a rim is seen
    angle = float(rng.uniform(0, 2 * np.pi))
    centre = (
        float(at.x[0, xs[which]]) + reach * float(np.cos(angle)),
        float(at.y[ys[which], 0]) + reach * float(np.sin(angle)),
    )
    draw = kind.draws[int(rng.integers(len(kind.draws)))]
    artefact = draw(Bounds.around(centre, 1.0), rng, size_um, strength)
    return artefact, covered | (_covers(artefact, at) & is_tissue)


def _visible(after: Float, under: Float, mpp: float) -> Mask:
    """Where light changed nearby: a fold or tear across a hole leaves nothing to see."""
    change = -darkest(-np.abs(after - under))
    reach_px = 2 * round(_NEARBY_UM / mpp / 2) + 1
    return cv2.blur(change, (reach_px, reach_px)) > _VISIBLE_NEARBY


def _classes(placed: list[tuple[Kind, Artefact]], is_tissue: Mask, fold_seen: Mask, at: Coords) -> NDArray[np.uint8]:
    classes = np.where(is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS).astype(np.uint8)
    for label in PRIORITY:
        for kind, artefact in placed:
            if kind.label is label:
                ruined = _covers(artefact, at) & is_tissue
                classes[ruined & fold_seen if label is ArtefactClass.FOLD else ruined] = label
    return classes


def _covers(artefact: Artefact, at: Coords) -> Mask:
    """`artefact.covers`, computed only within its bounds."""
    box, here = artefact.bounds, at.bounds
    covers = np.zeros(at.shape, np.bool_)
    if box.overlaps(here):
        rows, columns = _between(box.y0, box.y1, here.y0, at), _between(box.x0, box.x1, here.x0, at)
        covers[rows, columns] = artefact.covers(at.window(rows, columns))
    return covers


def _between(low_um: float, high_um: float, first_um: float, at: Coords) -> slice:
    return slice(max(0, int((low_um - first_um) / at.mpp) - 1), max(1, int((high_um - first_um) / at.mpp) + 2))


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
    return float(min(4.0, np.sqrt(np.quantile(power, 0.1)))) if power.size else 0.0


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(max(low, high)))))
