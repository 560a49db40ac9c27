"""Microscopic texture of each compartment: periodic planes of two stains, made once per mpp and reused."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qc.phantom.compartment import Compartment, Plane
from qc.phantom.histology import draw_cells, draw_fat, draw_macrophages, draw_stroma
from qc.phantom.nuclei import (
    CARCINOMA,
    CENTROBLAST,
    CENTROCYTE,
    CLEAVED,
    ENDOTHELIUM,
    LYMPHOCYTE,
    MANTLE_CELL,
    PLASMA,
    SPINDLE,
    CellKind,
)

OD_STEP = 0.012  # optical density per uint8 level: 255 levels reach 3.06
FIELD_UM = 400.0


@dataclass(frozen=True)
class Texture:
    """A periodic field, (N, N) uint8 in steps of `OD_STEP`: haematoxylin, and eosin or DAB."""

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]


_STROMA = {  # angle of the fibres, spindle nuclei per mm2, how closed clefts are
    Compartment.STROMA_A: (0.2, 1100, 1.5),
    Compartment.STROMA_B: (1.3, 1100, 1.5),
    Compartment.STROMA_C: (2.4, 1100, 1.5),
    Compartment.CAPSULE: (0.4, 1400, 2.0),
}


@dataclass(frozen=True)
class _Mix:
    """Cells per mm2 of each kind; eosin of the cytoplasm; gaps between cells (0-1); share of brown membranes."""

    kinds: tuple[tuple[CellKind, float], ...]
    pink: float
    gap: float
    positive: float
    macrophages_per_mm2: float = 0.0


_MIXES = {
    Compartment.LAMINA: _Mix(((LYMPHOCYTE, 2600), (PLASMA, 2200), (SPINDLE, 1400)), 0.19, 0.7, 0.08),
    Compartment.SINUS: _Mix(((LYMPHOCYTE, 2500), (CENTROCYTE, 900)), 0.13, 0.8, 0.1),
    Compartment.PARACORTEX: _Mix(((LYMPHOCYTE, 12500), (CENTROCYTE, 900), (ENDOTHELIUM, 700)), 0.24, 0.4, 0.12),
    Compartment.MANTLE: _Mix(((MANTLE_CELL, 17500),), 0.22, 0.4, 1.0),
    Compartment.LIGHT_ZONE: _Mix(((CENTROCYTE, 5000), (CENTROBLAST, 1400)), 0.18, 0.4, 0.9, 50),
    Compartment.DARK_ZONE: _Mix(((CENTROBLAST, 6800), (CENTROCYTE, 2600)), 0.16, 0.4, 0.9, 150),
    Compartment.FOLLICLE: _Mix(((CLEAVED, 9800), (CENTROBLAST, 250)), 0.15, 0.4, 1.0),
    Compartment.TUMOUR: _Mix(((CARCINOMA, 4300), (LYMPHOCYTE, 500)), 0.3, 0.5, 0.0),
}


@lru_cache(maxsize=64)
def texture(compartment: Compartment, mpp: float, stain: str, variant: int) -> Texture:
    """The texture of one compartment; made on first use.

    Args:
        compartment: Any but GLASS.
        mpp: Micrometres per pixel.
        stain: "he", or "dab" for CD20-like membranes of B cells in brown.
        variant: Another draw of the same kind.
    """
    n = round(FIELD_UM / mpp) // 2 * 2
    rng = np.random.default_rng([variant, int(compartment)])
    if compartment in _STROMA:
        return _stained(*draw_stroma(n, mpp, rng, *_STROMA[compartment]), None, stain, 0.0)
    if compartment is Compartment.FAT:
        return _stained(*draw_fat(2 * n, mpp, rng), None, stain, 0.0)
    mix = _MIXES[compartment]
    first, second, membrane = draw_cells(n, mpp, rng, list(mix.kinds), mix.pink, mix.gap)
    if mix.macrophages_per_mm2:
        draw_macrophages(first, second, mpp, rng, mix.macrophages_per_mm2)
    return _stained(first, second, membrane, stain, mix.positive)


def _stained(first: Plane, second: Plane, membrane: Plane | None, stain: str, positive: float) -> Texture:
    """Choose the second stain: eosin, or DAB on membranes with a pale blue counterstain."""
    if stain == "he":
        return _quantised(first, second)
    brown = 0.02 + 0.06 * second
    if membrane is not None:
        brown = brown + positive * (0.95 * membrane + 0.22)
    return _quantised(0.55 * first + 0.12 * second, brown)


def _quantised(first: NDArray[Any], second: NDArray[Any]) -> Texture:
    return Texture(*(np.clip(p / OD_STEP + 0.5, 0, 255).astype(np.uint8) for p in (first, second)))
