"""What the tissue plan is made of, and the arrays that its makers pass around."""

from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
"""(H, W) of `Compartment`, or of numbers of lesions."""
Plane = NDArray[np.float32]
Noise = Callable[[tuple[int, int], float, np.random.Generator], Plane]
"""From (H, W), a scale in um and a generator to a smooth (H, W) plane of mean 0 and deviation 1."""


class Compartment(IntEnum):
    """What a cell of the tissue plan is; values index the textures."""

    GLASS = 0
    STROMA_A = 1
    STROMA_B = 2
    STROMA_C = 3
    FAT = 4
    PARACORTEX = 5
    MANTLE = 6
    LIGHT_ZONE = 7
    DARK_ZONE = 8
    FOLLICLE = 9
    SINUS = 10
    CAPSULE = 11
    LAMINA = 12
    TUMOUR = 13
