"""Settings of the artefact stage."""

from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings


class ClassicalSettings(Settings):
    """Thresholds of the rule-based artefact stage.

    Lengths are micrometres, areas square micrometres, densities decadic optical density (mean of R, G, B)
    above glass, hues ratios of optical densities, focus the ratio of fine to coarse contrast.
    """

    focus_floor: float = Field(default=0.36, gt=0, description="focus below which tissue is blurred on any slide")
    focus_ceiling: float = Field(default=0.55, gt=0, description="focus above which tissue is never called blurred")
    focus_share: float = Field(
        default=0.33, gt=0, lt=1, description="blurred below this share of the slide's own sharp tissue"
    )
    focus_min_contrast: float = Field(
        default=0.005, gt=0, description="coarse contrast (OD) below which tissue is too smooth to judge"
    )
    blur_heavy_ratio: float = Field(
        default=0.7, gt=0, description="contrast at 2-7 um below this share of that at 7-25 um is lost to heavy blur"
    )
    blur_heavy_min_broad: float = Field(
        default=0.010, gt=0, description="contrast at 7-25 um (OD) below which tissue is smooth by nature"
    )
    blur_heavy_max_fine: float = Field(
        default=0.006, gt=0, description="contrast finer than 1 um (OD) above which tissue is not heavily blurred"
    )
    focus_window_um: float = Field(default=96.0, gt=0, description="side of the window over which focus is averaged")
    blur_min_density: float = Field(default=0.04, ge=0, description="density from which there is something to blur")
    blur_gap_um: float = Field(default=40.0, gt=0, description="wider gaps in blurred tissue stay clean")
    blur_min_area_um2: float = Field(default=10_000.0, ge=0, description="smaller blurred spots are left clean")

    ink_min_density: float = Field(default=0.08, gt=0, description="density from which the hue of ink is trusted")
    ink_red_over_green: float = Field(
        default=1.12, gt=0, description="OD red / OD green above which an absorption is blue or green ink"
    )
    ink_width_um: float = Field(default=12.0, gt=0, description="narrower strokes are left clean")
    ink_red_width_um: float = Field(
        default=24.0, gt=0, description="the same for red, which blood in vessels resembles"
    )
    ink_edge_um: float = Field(
        default=60.0, ge=0, description="grey or dense matter this close to ink is its soft edge"
    )
    ink_min_area_um2: float = Field(default=4_000.0, ge=0, description="smaller ink-coloured spots are left clean")

    ink_black_density: float = Field(default=0.35, gt=0, description="grey density of black ink")
    ink_black_area_um2: float = Field(default=60_000.0, gt=0, description="smaller black spots are debris")

    grey_min_density: float = Field(
        default=0.06, gt=0, description="density from which a grey layer is debris or shadow"
    )
    grey_min_share: float = Field(
        default=0.5, ge=0, lt=1, description="and its least share of the density: thick stain saturates towards grey"
    )
    grey_edge_density: float = Field(default=0.035, gt=0, description="debris reaches as far as it is denser than this")
    grey_min_area_um2: float = Field(default=3_000.0, ge=0, description="smaller grey spots are pigment and left clean")
    grey_width_um: float = Field(default=16.0, gt=0, description="narrower grey streaks are left clean")
    rim_width_um: float = Field(default=40.0, gt=0, description="grey lines thinner than this are rims of bubbles")
    rim_length_um: float = Field(default=250.0, gt=0, description="and longer than this")

    dry_window_um: float = Field(default=64.0, gt=0, description="side of the window over which dry tissue is judged")
    dry_min_density: float = Field(default=0.05, gt=0, description="mean grey density of tissue in air")
    dry_min_share: float = Field(default=0.62, ge=0, lt=1, description="and its least share of the density")
    dry_min_contrast: float = Field(default=0.036, ge=0, description="its least coarse contrast")
    dry_min_grain: float = Field(default=0.12, gt=0, description="its coarse contrast as a share of its density")
    dry_max_focus: float = Field(
        default=0.75, gt=0, description="focus above which grey grain is pigment or surgical ink"
    )
    dry_min_area_um2: float = Field(default=40_000.0, ge=0, description="smaller dry spots are judged as debris")

    fold_min_density: float = Field(default=0.25, gt=0, description="density below which nothing is a fold")
    fold_ratio: float = Field(
        default=1.55, gt=1, description="density of a fold relative to single tissue of its hue on the slide"
    )
    fold_edge_ratio: float = Field(
        default=1.3, gt=1, description="a fold reaches as far as its density stays above this ratio"
    )
    fold_max_focus_share: float = Field(
        default=0.72, gt=0, description="a fold is softer than this share of the slide's sharp tissue"
    )
    fold_width_um: float = Field(default=12.0, gt=0, description="narrower dense streaks are left clean")
    fold_min_area_um2: float = Field(default=5_000.0, ge=0, description="smaller dense spots are left clean")

    @model_validator(mode="after")
    def _floor_is_below_ceiling(self) -> Self:
        if self.focus_floor > self.focus_ceiling:
            raise ValueError(f"focus_floor {self.focus_floor:g} is above focus_ceiling {self.focus_ceiling:g}")
        return self
