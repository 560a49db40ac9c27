"""Where artefacts go: drawn one after another over tissue until each kind covers the share asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qc.labels import ArtefactClass
from qc.optics.artefact import Artefact
from qc.optics.bubble import draw_bubbles, draw_slip_edge
from qc.optics.defocus import draw_focus_loss
from qc.optics.field import Bounds, Coords
from qc.optics.fold import draw_fold, draw_wrinkles
from qc.optics.foreign import draw_foreign
from qc.optics.ink import draw_ink
from qc.optics.tear import draw_chatter, draw_tear
from qc.phantom.spec import ArtefactSpec

Mask = NDArray[np.bool_]
Draw = Callable[[Bounds, np.random.Generator, float, float], Artefact]

_TRIES = 80
_GRID_UM = 8.0


@dataclass(frozen=True)
class Placed:
    """An artefact on the slide and the class its tissue gets."""

    artefact: Artefact
    label: ArtefactClass


@dataclass(frozen=True)
class _Kind:
    label: ArtefactClass
    draws: tuple[Draw, ...]
    least_um: float
    most_um: float
    spread: float  # size over the side of the square that still has to be covered


# In the order light and knife meet them: tissue first, the microscope's focus last.
KINDS = {
    "fold": _Kind(ArtefactClass.FOLD, (draw_fold, draw_fold, draw_wrinkles), 300, 4000, 4.0),
    "tear": _Kind(ArtefactClass.FOLD, (draw_tear,), 200, 2500, 4.0),
    "chatter": _Kind(ArtefactClass.FOLD, (draw_chatter,), 300, 6000, 1.1),
    "bubble": _Kind(ArtefactClass.BUBBLE, (draw_bubbles,), 60, 2500, 1.0),
    "slip_edge": _Kind(ArtefactClass.BUBBLE, (draw_slip_edge,), 150, 4000, 0.6),
    "foreign": _Kind(ArtefactClass.FOREIGN, (draw_foreign,), 25, 180, 0.8),
    "pen": _Kind(ArtefactClass.PEN, (draw_ink,), 400, 9000, 2.2),
    "out_of_focus": _Kind(ArtefactClass.OUT_OF_FOCUS, (draw_focus_loss,), 300, 9000, 1.25),
}
# Later wins where artefacts overlap: what hides most comes last.
PRIORITY = (
    ArtefactClass.OUT_OF_FOCUS,
    ArtefactClass.FOLD,
    ArtefactClass.BUBBLE,
    ArtefactClass.PEN,
    ArtefactClass.FOREIGN,
)


def place_artefacts(
    wanted: tuple[ArtefactSpec, ...], is_tissue: Mask, mask_um: float, rng: np.random.Generator
) -> list[Placed]:
    """Artefacts in the order they are laid.

    Args:
        wanted: Kinds with their shares of tissue.
        is_tissue: (H, W) bool.
        mask_um: Side of one cell of `is_tissue`.
        rng: Draws places and shapes.
    """
    step = max(1, round(_GRID_UM / mask_um))
    coarse = is_tissue[::step, ::step]
    at = Coords.of(coarse.shape, mask_um * step)
    placed = []
    for name in KINDS:
        for one in wanted:
            if one.kind == name and coarse.any():
                placed += _fill(one, coarse, at, rng)
    return placed


def _fill(wanted: ArtefactSpec, is_tissue: Mask, at: Coords, rng: np.random.Generator) -> list[Placed]:
    kind = KINDS[wanted.kind]
    target = wanted.share * is_tissue.sum()
    covered = np.zeros_like(is_tissue)
    ys, xs = np.nonzero(is_tissue)
    placed: list[Placed] = []
    shrink = 1.0
    for _ in range(_TRIES):
        missing = target - covered.sum()
        if missing <= 0.06 * target:
            break
        index = int(rng.integers(len(ys)))
        here = Bounds.around((float(at.x[0, xs[index]]), float(at.y[ys[index], 0])), 1.0)
        side_um = float(np.sqrt(missing)) * at.mpp * shrink
        size = wanted.size_um or float(
            np.clip(side_um * kind.spread * rng.uniform(0.6, 1.1), kind.least_um, kind.most_um)
        )
        artefact = kind.draws[int(rng.integers(len(kind.draws)))](here, rng, size, wanted.strength)
        rows, columns = _window(artefact.bounds, is_tissue.shape, at.mpp)
        now = covered.copy()
        now[rows, columns] |= artefact.covers(at.window(rows, columns)) & is_tissue[rows, columns]
        if now.sum() > 1.15 * target and wanted.size_um is None:
            shrink = max(0.3, 0.85 * shrink)
            continue
        covered = now
        placed.append(Placed(artefact, kind.label))
    return placed


def label_map(placed: list[Placed], is_tissue: Mask, mask_um: float) -> NDArray[np.uint8]:
    """(H, W) uint8 of `ArtefactClass`: glass, clean tissue, or what ruins it."""
    labels = np.where(is_tissue, ArtefactClass.CLEAN, ArtefactClass.GLASS).astype(np.uint8)
    for label in PRIORITY:
        for one in placed:
            if one.label is label:
                rows, columns = _window(one.artefact.bounds, labels.shape, mask_um)
                part = labels[rows, columns]
                if not part.size:
                    continue
                at = Coords.of(part.shape, mask_um, columns.start * mask_um, rows.start * mask_um)
                part[one.artefact.covers(at) & (part != ArtefactClass.GLASS)] = label
    return labels


def _window(bounds: Bounds, shape: tuple[int, ...], mask_um: float) -> tuple[slice, slice]:
    low = [max(0, int(v / mask_um)) for v in (bounds.y0, bounds.x0)]
    high = [max(0, int(v / mask_um) + 1) for v in (bounds.y1, bounds.x1)]
    return slice(min(low[0], shape[0]), min(high[0], shape[0])), slice(min(low[1], shape[1]), min(high[1], shape[1]))
