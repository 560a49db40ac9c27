"""Cut-outs: photographed foreign bodies on a transparent ground, laid over tissue in optical density."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.optics.artefact import VISIBLE
from qc.optics.defocus import blur
from qc.optics.field import Bounds, Coords, Float, Mask, darkest, log_uniform

_OPAQUE = 0.3  # least transmittance of pictures that were drawn black; dirt comes in all greys


@dataclass(frozen=True, eq=False)
class Picture:
    """What a foreign body lets through: (H, W, 3) float32 transmittance, 1 where there is nothing, and its mpp."""

    transmittance: Float
    mpp: float

    @classmethod
    def of(cls, rgba: NDArray[np.uint8], mpp: float) -> "Picture":
        """From (H, W, 4) uint8, cropped to what can be seen.

        Raises:
            ValueError: If the picture has no alpha channel or nothing can be seen on it.
        """
        if rgba.ndim != 3 or rgba.shape[2] != 4:
            raise ValueError(f"a cut-out needs (H, W, 4), got {rgba.shape}")
        alpha = rgba[..., 3:].astype(np.float32) / 255
        light = 1 - alpha + alpha * rgba[..., :3].astype(np.float32) / 255
        seen = light.min(axis=2) < 1 - VISIBLE
        if not seen.any():
            raise ValueError("nothing can be seen on the cut-out")
        rows, columns = np.nonzero(seen.any(axis=1))[0], np.nonzero(seen.any(axis=0))[0]
        return cls(light[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], mpp)


@dataclass(frozen=True, eq=False)
class CutOut:
    """A picture laid at a place; an artefact as `qc.optics.artefact.Artefact` describes it.

    Attributes:
        angle: Rotation, radians.
        scale: Micrometres on the slide per micrometre of the picture.
        density: Exponent on its transmittance: 1 as photographed.
        soft_um: Blur radius of the body itself, from lying off the focal plane.
    """

    picture: Picture
    centre: tuple[float, float]
    angle: float
    scale: float
    density: float
    soft_um: float

    @classmethod
    def draw(
        cls, picture: Picture, bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float
    ) -> "CutOut":
        """Turned at random; at its own size up to a factor of two, towards `size_um`; black ones made paler."""
        is_opaque = float(picture.transmittance.min()) < _OPAQUE
        paler = log_uniform(0.12, 1.0, rng) if is_opaque else 1.0
        own_um = max(picture.transmittance.shape[:2]) * picture.mpp
        return cls(
            picture=picture,
            centre=bounds.centre,
            angle=float(rng.uniform(0, 2 * np.pi)),
            scale=float(np.clip(size_um / own_um, 0.5, 2.0)),
            density=strength * paler,
            soft_um=log_uniform(0.3, 8.0, rng),
        )

    @property
    def bounds(self) -> Bounds:
        """Around the turned picture."""
        reach = np.hypot(*self.picture.transmittance.shape[:2]) / 2 * self.picture.mpp * self.scale
        return Bounds.around(self.centre, float(reach) + self.soft_um)

    @property
    def halo_um(self) -> float:
        """Looks at no neighbours."""
        return 0.0

    def light(self, at: Coords) -> Float:
        """(H, W, 3): what it lets through."""
        pixel_um = self.picture.mpp * self.scale
        image = self.picture.transmittance
        if at.mpp > pixel_um:  # averaged before it is sampled
            image = blur(image, 0.5 * at.mpp, pixel_um)
        margin = int(np.ceil(self.soft_um / pixel_um)) + 1
        image = np.pad(image, ((margin, margin), (margin, margin), (0, 0)), constant_values=1)
        image = blur(image, self.soft_um, pixel_um)
        c, s = np.cos(self.angle), np.sin(self.angle)
        dx, dy = (at.x - self.centre[0]) / pixel_um, (at.y - self.centre[1]) / pixel_um
        x = (c * dx + s * dy + (image.shape[1] - 1) / 2).astype(np.float32)
        y = (c * dy - s * dx + (image.shape[0] - 1) / 2).astype(np.float32)
        seen = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(1, 1, 1))
        return np.power(np.clip(seen, 1e-3, 1), self.density).astype(np.float32)

    def covers(self, at: Coords) -> Mask:
        """Where it takes at least 8 % of the light."""
        return darkest(self.light(at)) < 1 - 4 * VISIBLE

    def touches(self, at: Coords) -> Mask:
        """Where it takes any light."""
        return darkest(self.light(at)) < 1

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image through it."""
        return transmittance * self.light(at)
