"""Pale tissue of immunostained slides. In: evidence and certain tissue. Out: faint tissue and dark grey. Pure.

Without eosin, fat and pale stroma are as grey as dirt; only their membranes tell them from glass.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from qc.config.tissue import TissueSettings
from qc.tissue.evidence import Evidence
from qc.tissue.regions import disc

Mask = NDArray[np.bool_]

_EOSIN_RED, _EOSIN_BLUE = 0.7, 0.95  # over green; haematoxylin absorbs more red, diaminobenzidine more blue
_EOSIN_BOTH = 1.3  # red and blue over twice their green: purple of haematoxylin with eosin in it
_GLASS_QUANTILE = 0.05


def is_immunostained(seen: Evidence, seed: Mask, settings: TissueSettings) -> bool:
    """Whether next to nothing of the certain tissue has the hue of eosin, alone or over haematoxylin."""
    red, green, blue = seen.red[seed], seen.green[seed], seen.blue[seed]
    if green.size == 0:
        return False
    eosin = (red < _EOSIN_RED * green) & (blue < _EOSIN_BLUE * green) | (red + blue < _EOSIN_BOTH * green)
    return float(eosin.mean()) <= settings.faint_max_eosin_share


def find_faint(seen: Evidence, barred: Mask, is_scanned: Mask, settings: TissueSettings) -> Mask:
    """Fields whose texture is above that of the slide's own glass, whatever their colour.

    Specks and the seams of scanned strips are narrower than the opening and go. The margin by which the texture's
    window reaches beyond tissue is taken off again. What is `barred` is left out last, so that tissue
    reaches up to it but its own rim does not stay.
    """
    texture = seen.texture[is_scanned]
    own = settings.faint_over_glass * float(np.quantile(texture, _GLASS_QUANTILE))
    level = min(max(settings.faint_texture_floor, own), settings.texture_ceiling)
    rough = ((seen.texture > level) & is_scanned & ~barred).view(np.uint8)
    joined = cv2.morphologyEx(rough, cv2.MORPH_CLOSE, disc(settings.closing_um / seen.mpp))
    fields = cv2.morphologyEx(
        cv2.max(joined, barred.view(np.uint8)), cv2.MORPH_OPEN, disc(settings.faint_field_um / seen.mpp)
    )
    tight = cv2.erode(fields, disc(settings.pale_margin_um / seen.mpp))
    return tight.view(np.bool_) & is_scanned & ~barred


def find_dark_grey(seen: Evidence, grey: Mask, settings: TissueSettings) -> Mask:
    """Grey matter darker than any pale tissue, with the reach of its texture: lines, rims, dirt, black ink."""
    dark = grey & (seen.density > settings.faint_max_density)
    reach = disc(settings.faint_clearance_um / seen.mpp)
    return cv2.dilate(dark.view(np.uint8), reach).view(np.bool_) & (grey | ~(seen.stained_share >= 0.5))
