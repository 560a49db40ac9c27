"""What every artefact can do, and how one is laid onto a whole image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qc.optics.field import Bounds, Coords, Float, Mask

_STEP_PX = 4  # touched pixels are looked for on every fourth row and column
VISIBLE = 0.02  # a change of transmittance below this drowns in sensor noise and does not ruin tissue


class Artefact(Protocol):
    """A frozen value in micrometres on the slide; independent of any pixel grid."""

    @property
    def bounds(self) -> Bounds:
        """Nothing changes outside."""
        ...

    @property
    def halo_um(self) -> float:
        """How far beyond a window its result depends on."""
        ...

    def covers(self, at: Coords) -> Mask:
        """(H, W) bool: where tissue is ruined."""
        ...

    def touches(self, at: Coords) -> Mask:
        """(H, W) bool: where pixels may change at all; includes `covers`."""
        ...

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The (H, W, 3) image at `at` with the artefact on it; the argument is not modified."""
        ...


def lay(artefact: Artefact, transmittance: Float, mpp: float) -> tuple[Float, Mask]:
    """The whole image with the artefact on it, and where tissue under it is ruined.

    Args:
        artefact: In micrometres from the image's top left corner.
        transmittance: (H, W, 3) float32, 0-1.
        mpp: Micrometres per pixel of the image.

    Returns:
        Image of the same shape, and (H, W) bool.
    """
    image = np.asarray(transmittance, np.float32)
    at = Coords.of(image.shape, mpp)
    mask = artefact.covers(at)
    if not artefact.touches(at).any():
        return image.copy(), mask
    return np.clip(artefact.lay(image, at), 0, 1).astype(np.float32), mask


def touched_window(artefact: Artefact, at: Coords) -> tuple[slice, slice] | None:
    """Rows and columns that hold every pixel the artefact may change; None when there is none."""
    touched = artefact.touches(at.thinned(_STEP_PX))
    if not touched.any():
        return None
    rows, columns = np.nonzero(touched.any(axis=1))[0], np.nonzero(touched.any(axis=0))[0]
    height, width = at.shape
    return (
        slice(max(0, int(rows[0] - 1) * _STEP_PX), min(height, int(rows[-1] + 1) * _STEP_PX + 1)),
        slice(max(0, int(columns[0] - 1) * _STEP_PX), min(width, int(columns[-1] + 1) * _STEP_PX + 1)),
    )


def lay_window(artefact: Artefact, transmittance: Float, at: Coords) -> Float:
    """The (H, W, 3) image with the artefact on it, computed only where it touches."""
    inner = touched_window(artefact, at)
    if inner is None:
        return transmittance
    reach = int(np.ceil(artefact.halo_um / at.mpp)) + 1
    outer = [slice(max(0, one.start - reach), one.stop + reach) for one in inner]
    laid = artefact.lay(transmittance[outer[0], outer[1]], at.window(outer[0], outer[1]))
    top, left = inner[0].start - outer[0].start, inner[1].start - outer[1].start
    out = transmittance.copy()
    target = out[inner]
    target[:] = laid[top : top + target.shape[0], left : left + target.shape[1]]
    return out


@dataclass(frozen=True)
class Several:
    """Artefacts that come together: wrinkles beside a fold, a row of bubbles, a dusting."""

    parts: tuple[Artefact, ...]

    @property
    def bounds(self) -> Bounds:
        """Around all parts."""
        return bounds_of(self.parts)

    @property
    def halo_um(self) -> float:
        """Parts may lie on one another, so their reaches add up to at most twice the largest."""
        reaches = sorted(part.halo_um for part in self.parts)
        return sum(reaches[-2:])

    def covers(self, at: Coords) -> Mask:
        """Where any part ruins tissue."""
        return _any([part.covers(at) for part in self._near(at)], at)

    def touches(self, at: Coords) -> Mask:
        """Where any part may change pixels."""
        return _any([part.touches(at) for part in self._near(at)], at)

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with every part on it, in order."""
        for part in self._near(at):
            transmittance = lay_window(part, transmittance, at)
        return transmittance

    def _near(self, at: Coords) -> list[Artefact]:
        window = at.bounds
        return [part for part in self.parts if part.bounds.overlaps(window)]


def bounds_of(parts: Sequence[Artefact]) -> Bounds:
    """The smallest rectangle around the bounds of all `parts`."""
    boxes = [part.bounds for part in parts]
    return Bounds(
        min(b.x0 for b in boxes), min(b.y0 for b in boxes), max(b.x1 for b in boxes), max(b.y1 for b in boxes)
    )


def _any(masks: list[Mask], at: Coords) -> Mask:
    return np.logical_or.reduce(masks) if masks else np.zeros(at.shape, bool)
