"""What lies on the cover slip is out of focus when tissue is sharp: ink and dirt as a blurred filter."""

from dataclasses import dataclass, replace

import numpy as np

from qc.optics.artefact import VISIBLE, Artefact, Several
from qc.optics.defocus import blur
from qc.optics.field import Bounds, Coords, Float, Mask, Waves, darkest, log_uniform
from qc.optics.ink import Stroke, draw_ink


@dataclass(frozen=True)
class OffPlane:
    """A body that only takes light, seen out of focus.

    Attributes:
        body: As it would look in focus.
        radius_um: Blur radius.
        least_loss: Share of light from which on tissue under it is ruined, 0-1.
    """

    body: Artefact
    radius_um: float
    least_loss: float = 3 * VISIBLE

    @property
    def bounds(self) -> Bounds:
        """Around the body and its blur."""
        return self.body.bounds.grown(self.radius_um)

    @property
    def halo_um(self) -> float:
        """Looks at no neighbours: what it blurs is computed, not read from the picture."""
        return 0.0

    def light(self, at: Coords) -> Float:
        """(H, W, 3): what it lets through."""
        margin = int(np.ceil(self.radius_um / at.mpp)) + 1
        rows, columns = at.shape
        x0, y0 = float(at.x[0, 0]) - (margin + 0.5) * at.mpp, float(at.y[0, 0]) - (margin + 0.5) * at.mpp
        wide = Coords.of((rows + 2 * margin, columns + 2 * margin), at.mpp, x0, y0)
        sharp = self.body.lay(np.ones((*wide.shape, 3), np.float32), wide)
        return blur(sharp.astype(np.float32), self.radius_um, at.mpp)[margin : margin + rows, margin : margin + columns]

    def covers(self, at: Coords) -> Mask:
        """Where its strongest colour loses enough light."""
        return darkest(self.light(at)) < 1 - self.least_loss

    def touches(self, at: Coords) -> Mask:
        """Where any light is taken."""
        return darkest(self.light(at)) < 1 - VISIBLE / 10

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The picture through it."""
        return transmittance * self.light(at)


def draw_marker(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> OffPlane:
    """Marker ink on the cover slip: about 0.15 mm off the focal plane, so that its edge is 20-180 um wide."""
    strokes = []
    for part in draw_ink(bounds, rng, size_um, strength).parts:
        if not isinstance(part, Stroke):
            raise TypeError("ink is made of strokes")
        blots = Waves.draw(rng, float(rng.uniform(60, 400)), float(rng.uniform(20, 90)), count=8)
        strokes.append(replace(part, pooling=blots, streaks=0.7 * part.streaks))
    radius_um = log_uniform(10, 90, rng)
    return OffPlane(Several(tuple(strokes)), radius_um)
