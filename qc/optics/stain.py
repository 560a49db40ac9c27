"""Stains: concentrations to transmittance and back by the Beer-Lambert law. Pure numpy.

Optical density is -log10(transmittance); two stains on one spot add their densities.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating[Any]]

LN10 = 2.302585
TRANSMITTANCE_FLOOR = 1e-3  # three decades of density is all a scanner resolves


@dataclass(frozen=True)
class StainPair:
    """Two stains by the optical density of one unit of each in red, green and blue; unit length."""

    first: tuple[float, float, float]
    second: tuple[float, float, float]

    @property
    def vectors(self) -> Float:
        """(2, 3) rows of unit length."""
        rows = np.array([self.first, self.second], np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


# Ruifrok & Johnston, Anal. Quant. Cytol. Histol. 23 (2001) 291-299.
HE_RUIFROK = StainPair((0.650, 0.704, 0.286), (0.072, 0.990, 0.105))
H_DAB = StainPair((0.650, 0.704, 0.286), (0.268, 0.570, 0.776))
# Reference matrix of Macenko et al., ISBI 2009, doi:10.1109/ISBI.2009.5193250.
HE_MACENKO = StainPair((0.5626, 0.7201, 0.4062), (0.2159, 0.8012, 0.5581))


def to_od(transmittance: NDArray[np.floating]) -> Float:
    """Optical density of a transmittance image of any shape, 0-3."""
    return -np.log10(np.clip(transmittance, TRANSMITTANCE_FLOOR, 1.0)).astype(np.float32)


def to_transmittance(od: NDArray[np.floating]) -> Float:
    """Transmittance of an optical density image of any shape.

    >>> round(float(to_transmittance(np.array(1.0))), 6)
    0.1
    """
    return np.power(10.0, -np.asarray(od, np.float32)).astype(np.float32)


def denser(transmittance: Float, factor: Float | float) -> Float:
    """Transmittance after optical density is multiplied by `factor`; broadcasts.

    >>> float(denser(np.array([0.5], np.float32), 2.0)[0].round(4))
    0.25
    """
    od = np.log(np.maximum(transmittance, np.float32(TRANSMITTANCE_FLOOR)))
    return np.exp(od * factor)


def filtered(density: Float) -> Float:
    """Transmittance of a filter of optical density `density`; as `to_transmittance`, for hot loops."""
    return np.exp(density * np.float32(-LN10))


def render(concentrations: NDArray[np.floating], stains: StainPair) -> Float:
    """Transmittance (..., 3) of stain concentrations (..., 2)."""
    return to_transmittance(np.asarray(concentrations, np.float32) @ stains.vectors)


def between(first: StainPair, second: StainPair, weight: float) -> StainPair:
    """The pair `weight` (0-1) of the way from `first` to `second`; laboratories lie between the published vectors."""
    mixed = (1 - weight) * first.vectors + weight * second.vectors
    a, b = mixed.tolist()
    return StainPair((a[0], a[1], a[2]), (b[0], b[1], b[2]))
