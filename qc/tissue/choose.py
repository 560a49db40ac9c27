"""Who finds tissue: the rules or a network. In: an overview and settings. Out: the tissue mask."""

import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.nets.packaged import network_of
from qc.tissue.find import find_tissue
from qc.tissue.network import find_tissue_by_network


def locate_tissue(
    rgb: NDArray[np.uint8], is_scanned: NDArray[np.bool_], mpp: float, settings: TissueSettings
) -> NDArray[np.bool_]:
    """Where there is tissue, as the settings say it is to be found.

    Args:
        rgb: (H, W, 3) uint8 overview.
        is_scanned: (H, W) bool, False where the scanner gave nothing.
        mpp: Micrometres per pixel of the overview.
        settings: Rules or a network, and their sizes.

    Returns:
        (H, W) bool.

    Raises:
        WeightsError: If the settings name a network that is not there, damaged, or for something else.
    """
    if not settings.network:
        return find_tissue(rgb, is_scanned, mpp, settings)
    return find_tissue_by_network(rgb, is_scanned, mpp, network_of(settings.network, "tissue"), settings)
