"""Settings of the artefact stage."""

from pydantic import Field

from qc.config.base import Settings


class ClassicalSettings(Settings):
    """Thresholds of the rule-based artefact stage.

    Lengths are micrometres, areas square micrometres, densities decadic optical density (mean of R, G, B)
    above glass, hues ratios of optical densities, focus the ratio of fine to coarse contrast.
    """

    focus_floor: float = Field(0.36, gt=0, description="focus below which tissue is blurred on any slide")
    focus_ceiling: float = Field(0.55, gt=0, description="focus above which tissue is never called blurred")
    focus_share: float = Field(0.33, gt=0, lt=1, description="blurred below this share of the slide's own sharp tissue")
    focus_min_contrast: float = Field(
        0.012, gt=0, description="coarse contrast (OD) below which tissue is too smooth to judge"
    )
    focus_window_um: float = Field(96.0, gt=0, description="side of the window over which focus is averaged")
    blur_min_area_um2: float = Field(10_000.0, ge=0, description="smaller blurred spots are left clean")

    ink_min_density: float = Field(0.08, gt=0, description="density from which the hue of ink is trusted")
    ink_red_over_green: float = Field(
        1.12, gt=0, description="OD red / OD green above which an absorption is blue or green ink"
    )
    ink_red_blue_over_green: float = Field(
        0.9, gt=0, description="OD blue / OD green above which a pure red absorption is ink"
    )
    ink_min_area_um2: float = Field(4_000.0, ge=0, description="smaller ink-coloured spots are left clean")

    grey_max_chroma: float = Field(
        0.22, gt=0, lt=1, description="1 - min / max of the channel densities below which an absorption is grey"
    )
    grey_min_density: float = Field(0.25, gt=0, description="density from which grey is not a stain")
    grey_min_area_um2: float = Field(1_500.0, ge=0, description="smaller dark grey spots are pigment")
    grey_debris_area_um2: float = Field(
        60_000.0, gt=0, description="smooth grey areas up to this size are debris, larger ones black ink"
    )
    line_width_um: float = Field(24.0, gt=0, description="grey lines thinner than this are rims of bubbles")
    line_length_um: float = Field(250.0, gt=0, description="and longer than this")

    fold_min_density: float = Field(0.25, gt=0, description="density below which nothing is a fold")
    fold_ratio: float = Field(
        1.7, gt=1, description="density of a fold relative to single tissue of its hue on the slide"
    )
    fold_min_area_um2: float = Field(4_000.0, ge=0, description="smaller dense spots are left clean")
