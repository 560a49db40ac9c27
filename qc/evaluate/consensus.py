"""Where simple rules agree about tissue. In: an overview. Out: (H, W) uint8 of CLEAN, GLASS and IGNORE. Pure."""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.labels import IGNORE, ArtefactClass
from qc.tissue.evidence import measure
from qc.tissue.find import find_tissue
from qc.tissue.glass import estimate_glass
from qc.tissue.regions import disc
from qc.tissue.training.labels import open_band

_OD_LOW, _OD_HIGH = 0.03, 0.12  # between which Otsu's threshold is believed
_BAND_UM = 32.0


def consensus(rgb: NDArray[np.uint8], mpp: float) -> NDArray[np.uint8]:
    """CLEAN where the rules and a plain threshold of optical density both find tissue, GLASS where neither does.

    The threshold is Otsu's on the locally averaged density of the strongest channel, within bounds. Pen, pale fat and
    dirt, on which the two differ, are IGNORE: figures measured on this are agreement on what is easy.
    """
    is_scanned = np.ones(rgb.shape[:2], np.bool_)
    settings = TissueSettings()
    by_rules = find_tissue(rgb, is_scanned, mpp, settings)
    seen = measure(rgb, estimate_glass(rgb, is_scanned, settings), mpp, settings)
    strongest = np.maximum(np.maximum(seen.red, seen.green), seen.blue)
    local = np.clip(cv2.GaussianBlur(strongest, (0, 0), settings.smooth_um / seen.mpp), 0, 1)
    level, _ = cv2.threshold((local * 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dense = (local > np.clip(level / 255, _OD_LOW, _OD_HIGH)).view(np.uint8)
    dense = cv2.morphologyEx(dense, cv2.MORPH_CLOSE, disc(settings.closing_um / seen.mpp))
    by_density = cv2.resize(dense, rgb.shape[1::-1], interpolation=cv2.INTER_NEAREST).view(np.bool_)
    classes = np.full(by_rules.shape, IGNORE, np.uint8)
    classes[by_rules & by_density] = ArtefactClass.CLEAN
    classes[~by_rules & ~by_density] = ArtefactClass.GLASS
    return open_band(classes, _BAND_UM / mpp)
