"""How long a scale bar is: a picture's scale and room in, a round length out. Pure."""

from dataclasses import dataclass

_STEPS_UM = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)
_SHARE_MAX = 0.3


@dataclass(frozen=True)
class ScaleBar:
    """A scale bar: its length in the picture, pixels, and in words."""

    length_px: float
    label: str


def scale_bar(um_per_px: float, width_px: int) -> ScaleBar:
    """The longest bar of a round length that takes less than a third of a picture.

    >>> scale_bar(2.0, 1000)
    ScaleBar(length_px=250.0, label='0.5 mm')
    """
    fitting = [um for um in _STEPS_UM if um <= _SHARE_MAX * width_px * um_per_px]
    length_um = max(fitting, default=_STEPS_UM[0])
    return ScaleBar(length_um / um_per_px, f"{length_um / 1000:g} mm")
