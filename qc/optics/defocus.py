"""Defocus: a point out of focus becomes a disc, so intensities are averaged over a disc, not a Gaussian.

In: transmittance (H, W, 3) and a blur radius in micrometres, one for all or one per pixel. Out: the same, blurred.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.optics.field import Bounds, Coords, Float, Waves, log_uniform

_FINE_RADIUS_PX = 5.0  # larger discs are laid on a smaller image: they leave nothing finer to see
_STACK_STEP = 1.5  # ratio of neighbouring radii in the stack a depth map is interpolated from
_REACH_UM = 60_000.0  # longer than any slide's short side: a tilted slide leaves focus everywhere


def disc_kernel(radius_px: float) -> Float:
    """Disc with antialiased rim, (N, N) with N odd, sums to one.

    Raises:
        ValueError: If the radius is negative.
    """
    if radius_px < 0:
        raise ValueError(f"blur radius must not be negative, got {radius_px} px")
    reach = int(np.ceil(radius_px))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    kernel = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def blur(transmittance: Float, radius_um: float, mpp: float) -> Float:
    """Transmittance under one blur radius; mean intensity is kept (edges are mirrored)."""
    radius_px = radius_um / mpp
    if radius_px < 0.25:
        return transmittance
    step = int(radius_px // _FINE_RADIUS_PX) + 1 if radius_px > _FINE_RADIUS_PX else 1
    if step == 1:
        return _convolve(transmittance, disc_kernel(radius_px))
    height, width = transmittance.shape[:2]
    padded = cv2.copyMakeBorder(transmittance, 0, -height % step, 0, -width % step, cv2.BORDER_REFLECT)
    size = (padded.shape[1], padded.shape[0])
    small = cv2.resize(padded, (size[0] // step, size[1] // step), interpolation=cv2.INTER_AREA)
    small = _convolve(small, disc_kernel(radius_px / step))
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)[:height, :width], np.float32)


def _convolve(image: NDArray[Any], kernel: Float) -> Float:
    return np.asarray(cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REFLECT), np.float32)


def blur_by_map(transmittance: Float, radius_um: Float, mpp: float, largest_um: float | None = None) -> Float:
    """Transmittance under a blur radius per pixel, interpolated between a stack of discs.

    Args:
        transmittance: (H, W, 3).
        radius_um: (H, W) blur radii.
        mpp: Micrometres per pixel.
        largest_um: Radius the stack starts from; state it when windows of one picture are blurred separately.
    """
    largest = largest_um or float(radius_um.max(initial=0.0))
    least = 0.5 * mpp
    if largest < least:
        return transmittance
    count = max(2, int(np.ceil(np.log(largest / least) / np.log(_STACK_STEP))) + 1)
    radii = np.concatenate([[0.0], np.geomspace(least, largest, count)])
    position = np.interp(radius_um, radii, np.arange(len(radii))).astype(np.float32)
    out = np.zeros_like(transmittance)
    for index in range(len(radii)):
        weight = np.clip(1 - np.abs(position - index), 0, 1)
        if weight.any():
            out += weight[..., None] * blur(transmittance, float(radii[index]), mpp)
    return out


@dataclass(frozen=True)
class FocusLoss:
    """A patch of the slide that left the focal plane: the blur radius grows smoothly towards its middle.

    Attributes:
        radius_um: Blur radius in the middle.
        limit_um: From this blur radius on, tissue counts as out of focus; below, only as a little soft.
        edge_um: Distance over which the radius grows from nothing to its full value.
        wobble: Roughens the outline.
    """

    bounds: Bounds
    radius_um: float
    limit_um: float
    edge_um: float
    centre: tuple[float, float]
    half_axes: tuple[float, float]
    wobble: Waves

    @property
    def halo_um(self) -> float:
        """Pixels this far away reach into the picture."""
        return self.radius_um

    def radius_at(self, at: Coords) -> Float:
        """Blur radius, (H, W) in um."""
        dx, dy = (at.x - self.centre[0]) / self.half_axes[0], (at.y - self.centre[1]) / self.half_axes[1]
        inside_um = (1 - np.sqrt(dx * dx + dy * dy)) * min(self.half_axes) + self.wobble(at)
        ramp = np.clip(inside_um / self.edge_um, 0, 1)
        return (self.radius_um * ramp).astype(np.float32)

    def covers(self, at: Coords) -> NDArray[np.bool_]:
        """Where the blur radius exceeds `limit_um`."""
        return self.radius_at(at) > self.limit_um

    def touches(self, at: Coords) -> NDArray[np.bool_]:
        """Where any pixel may change."""
        return self.radius_at(at) > 0

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The image with this patch blurred."""
        return blur_by_map(transmittance, self.radius_at(at), at.mpp, self.radius_um)


OUT_OF_FOCUS_LIMIT_UM = 2.0  # a disc 4 um wide hides chromatin and nuclear membranes at any scanner's mpp


def draw_focus_loss(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> FocusLoss:
    """A patch about `size_um` wide, centred in `bounds`; blur radius 2.5-14 um times `strength`."""
    aspect = rng.uniform(0.6, 1.6)
    half = (size_um / 2 * aspect**0.5, size_um / 2 / aspect**0.5)
    reach = max(half) * 1.4
    return FocusLoss(
        bounds=Bounds.around(bounds.centre, reach),
        radius_um=max(OUT_OF_FOCUS_LIMIT_UM * 1.25, float(rng.uniform(2.5, 14.0)) * strength),
        limit_um=OUT_OF_FOCUS_LIMIT_UM,
        edge_um=float(rng.uniform(0.1, 0.5)) * size_um / 2,
        centre=bounds.centre,
        half_axes=half,
        wobble=Waves.draw(rng, size_um / 2, 0.15 * size_um / 2),
    )


def draw_focus_dip(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> FocusLoss:
    """A patch whose blur grows gradually from its border to its middle, as uneven tissue does."""
    patch = draw_focus_loss(bounds, rng, size_um, strength)
    reach_um = min(patch.half_axes)
    wobble = Waves.draw(rng, 1.2 * size_um, 0.12 * reach_um)
    return replace(patch, edge_um=float(rng.uniform(0.35, 1.0)) * reach_um, wobble=wobble)


@dataclass(frozen=True)
class FocusTilt:
    """A field as a whole at the wrong depth, level or tilted: the blur radius is the distance to a sharp line.

    Attributes:
        radius_um: Blur radius at `centre`; also the radius everywhere when `slope` is 0.
        slope: Micrometres of blur radius gained per micrometre across, 0 or more.
        largest_um: The blur radius grows no further than this.
        limit_um: From this blur radius on, tissue counts as out of focus.
    """

    centre: tuple[float, float]
    angle: float
    radius_um: float
    slope: float
    largest_um: float
    limit_um: float
    relief: Waves

    @property
    def bounds(self) -> Bounds:
        """Everything."""
        return Bounds.around(self.centre, _REACH_UM)

    @property
    def halo_um(self) -> float:
        """Pixels this far away reach into the picture."""
        return self.largest_um

    def radius_at(self, at: Coords) -> Float:
        """Blur radius, (H, W) in um."""
        if not self.slope:
            return np.full(at.shape, self.radius_um, np.float32)
        across = np.cos(self.angle) * (at.x - self.centre[0]) + np.sin(self.angle) * (at.y - self.centre[1])
        depth = self.radius_um + self.slope * (across + self.relief(at))
        return np.clip(np.abs(depth), 0, self.largest_um).astype(np.float32)

    def covers(self, at: Coords) -> NDArray[np.bool_]:
        """Where the blur radius exceeds `limit_um`."""
        return self.radius_at(at) > self.limit_um

    def touches(self, at: Coords) -> NDArray[np.bool_]:
        """Where any pixel may change."""
        return self.radius_at(at) > 0

    def lay(self, transmittance: Float, at: Coords) -> Float:
        """The field out of focus."""
        if not self.slope:
            return blur(transmittance, self.radius_um, at.mpp)
        return blur_by_map(transmittance, self.radius_at(at), at.mpp, self.largest_um)


def draw_focus_tilt(bounds: Bounds, rng: np.random.Generator, size_um: float, strength: float = 1.0) -> FocusTilt:
    """A level (half of all) or tilted field; when tilted, the blur passes its limit within about `size_um`."""
    radius_um = OUT_OF_FOCUS_LIMIT_UM * log_uniform(1.05, 7.0, rng) * strength
    is_tilted = rng.random() < 0.5
    return FocusTilt(
        centre=bounds.centre,
        angle=float(rng.uniform(0, 2 * np.pi)),
        radius_um=OUT_OF_FOCUS_LIMIT_UM if is_tilted else radius_um,
        slope=float(radius_um / size_um) if is_tilted else 0.0,
        largest_um=max(1.5 * radius_um, 1.2 * OUT_OF_FOCUS_LIMIT_UM),
        limit_um=OUT_OF_FOCUS_LIMIT_UM,
        relief=Waves.draw(rng, size_um, 0.1 * size_um),
    )
