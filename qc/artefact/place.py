"""Where a recipe's artefacts go: drawn until they cover about the wanted share of a tile's tissue, or of its glass."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.artefact.cutout import CutOut, Picture
from qc.artefact.recipe import KINDS, LOOK_ALIKES, Kind, Recipe, Wanted
from qc.labels import ArtefactClass
from qc.optics.artefact import Artefact
from qc.optics.field import Bounds, Coords, Mask, log_uniform

SEEN_ON_GLASS = frozenset({ArtefactClass.FOREIGN, ArtefactClass.PEN, ArtefactClass.BUBBLE})
"""What looks the same beside tissue as on it."""

_TRIES = 10
_PLAN_UM = 6.0
_LEAST_GLASS = 0.1  # of a tile, for anything to be laid there


def place(is_tissue: Mask, mpp: float, recipe: Recipe, rng: np.random.Generator) -> list[tuple[Kind, Artefact]]:
    """The recipe's artefacts in micrometres from the tile's corner, in the order in which they are laid."""
    if not is_tissue.any():
        return []
    step = max(1, round(_PLAN_UM / mpp))
    coarse, at = is_tissue[::step, ::step], Coords.of(is_tissue.shape, mpp)
    at = Coords(at.x[:, ::step], at.y[::step], mpp * step)
    placed = []
    kinds = KINDS | LOOK_ALIKES
    for wanted in sorted(recipe.wanted, key=lambda one: kinds[one.kind].plane):
        kind = kinds[wanted.kind]
        if kind.label is ArtefactClass.FOREIGN and recipe.cutouts and rng.random() < recipe.cutout_chance:
            kind = _cutout_kind(recipe.cutouts)
        ground = _ground(kind, coarse, recipe, rng)
        spots = _margin(ground) if kind.at_margin else ground
        if not spots.any():
            kind, spots = KINDS["fold"], ground
        placed += [(kind, one) for one in _filled(kind, wanted, ground, spots, at, rng)]
    return placed


def _ground(kind: Kind, is_tissue: Mask, recipe: Recipe, rng: np.random.Generator) -> Mask:
    """What artefacts of a kind are laid on: tissue, now and then the glass beside it."""
    is_beside = recipe.beside and kind.label in SEEN_ON_GLASS and rng.random() < recipe.beside
    return ~is_tissue if is_beside and np.mean(~is_tissue) > _LEAST_GLASS else is_tissue


def _margin(ground: Mask) -> Mask:
    """Where ground ends within the tile."""
    inner = cv2.erode(ground.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1)
    return ground & (inner == 0)


def _cutout_kind(pictures: tuple[Picture, ...]) -> Kind:
    def draw(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float) -> CutOut:
        return CutOut.draw(pictures[int(rng.integers(len(pictures)))], bounds, rng, size_um, strength)

    return Kind(ArtefactClass.FOREIGN, 3, (draw,), 30, 400, 4, 1.0)


def _filled(
    kind: Kind, wanted: Wanted, ground: Mask, spots: Mask, at: Coords, rng: np.random.Generator
) -> list[Artefact]:
    """Artefacts of one kind on `spots` until they cover about the wanted share of `ground`, each the best of some."""
    places = np.argwhere(spots)
    target = wanted.share * ground.sum()
    covered = np.zeros_like(ground)
    chosen: list[Artefact] = []
    while len(chosen) < kind.most and covered.sum() < 0.6 * target:
        tries = [_tried(kind, wanted.strength, ground, places, covered, at, rng) for _ in range(_TRIES)]
        best, now = min(tries, key=lambda one: abs(np.log((one[1].sum() + 0.1) / target)))
        if chosen and now.sum() == covered.sum():
            break
        chosen.append(best)
        covered = now
    return chosen


def _tried(
    kind: Kind,
    strength: float,
    ground: Mask,
    places: NDArray[np.intp],
    covered: Mask,
    at: Coords,
    rng: np.random.Generator,
) -> tuple[Artefact, Mask]:
    box = at.bounds
    size_um = log_uniform(kind.least_um, min(kind.most_um, 6 * box.diagonal), rng)
    row, column = places[int(rng.integers(len(places)))]
    # large ones lie mostly outside: only an arc of a rim is seen
    reach = 0.0 if kind.at_margin else 0.5 * size_um * float(rng.uniform(0, 1))
    angle = float(rng.uniform(0, 2 * np.pi))
    centre = (
        float(at.x[0, column]) + reach * float(np.cos(angle)),
        float(at.y[row, 0]) + reach * float(np.sin(angle)),
    )
    draw = kind.draws[int(rng.integers(len(kind.draws)))]
    artefact = draw(Bounds.around(centre, 1.0), rng, size_um, strength)
    return artefact, covered | (covered_by(artefact, at) & ground)


def covered_by(artefact: Artefact, at: Coords) -> Mask:
    """`artefact.covers`, computed only within its bounds."""
    return _within_bounds(artefact.bounds, artefact.covers, at)


def touched_by(artefact: Artefact, at: Coords) -> Mask:
    """`artefact.touches`, computed only within its bounds."""
    return _within_bounds(artefact.bounds, artefact.touches, at)


def _within_bounds(box: Bounds, mask_at: Callable[[Coords], Mask], at: Coords) -> Mask:
    here = at.bounds
    inside = np.zeros(at.shape, np.bool_)
    if box.overlaps(here):
        rows, columns = _between(box.y0, box.y1, here.y0, at), _between(box.x0, box.x1, here.x0, at)
        inside[rows, columns] = mask_at(at.window(rows, columns))
    return inside


def _between(low_um: float, high_um: float, first_um: float, at: Coords) -> slice:
    return slice(max(0, int((low_um - first_um) / at.mpp) - 1), max(1, int((high_um - first_um) / at.mpp) + 2))
