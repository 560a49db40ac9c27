"""Settings of the tissue mask."""

from pydantic import Field

from qc.config.base import Settings


class TissueSettings(Settings):
    """Thresholds of the classical tissue finder.

    Densities are decadic optical density above the slide's own glass. *Stain* is how much more green is
    absorbed than the lesser of red and blue. Lengths are micrometres, areas square micrometres.
    """

    work_mpp: float = Field(8.0, gt=0, description="finer overviews are reduced to this, micrometres per pixel")
    glass_min_level: int = Field(150, ge=0, le=255, description="mean level (0-255) below which nothing is glass")
    glass_green_min: float = Field(0.93, gt=0, le=1, description="glass passes this share of its red or blue in green")

    stain_floor: float = Field(0.014, gt=0, description="stain that extends a piece, at least")
    stain_seed_floor: float = Field(0.024, gt=0, description="stain that starts a piece, at least")
    stain_seed_share: float = Field(0.25, gt=0, lt=1, description="stain that starts a piece, share of the slide's own")
    stain_seed_ceiling: float = Field(0.06, gt=0, description="stain that starts a piece, at most")
    glass_noise_factor: float = Field(4.0, gt=0, description="stain must exceed this many sigma of glass noise")
    stain_over_density: float = Field(0.12, ge=0, description="stain over density below which a pixel is grey or black")

    ink_min_density: float = Field(0.08, gt=0, description="density below which a hue is not called ink")
    ink_min_area_um2: float = Field(20_000.0, ge=0, description="smaller ink-coloured spots are not strokes")
    ink_halo_um: float = Field(100.0, ge=0, description="soft edge of a stroke")
    stroke_max_um: float = Field(3_000.0, gt=0, description="widest stroke under which tissue is inferred")

    closing_um: float = Field(24.0, ge=0, description="radius over which strands of a piece are joined")
    opening_um: float = Field(8.0, ge=0, description="radius below which threads are cut off")
    hole_max_area_um2: float = Field(40_000.0, ge=0, description="holes up to a few fat cells are filled")
    piece_min_area_um2: float = Field(15_000.0, ge=0, description="smaller pieces are specks")
    piece_min_seed_share: float = Field(0.03, ge=0, le=1, description="pieces with fewer seed pixels are dropped")
