"""Settings of the tissue mask."""

from pydantic import Field

from qc.config.base import Settings


class TissueSettings(Settings):
    """Thresholds of the classical tissue finder.

    Densities are decadic optical density above the slide's own glass. *Stain* is how much more green is
    absorbed than the lesser of red and blue. Lengths are micrometres, areas square micrometres.
    """

    work_mpp: float = Field(8.0, gt=0, description="finer overviews are reduced to this, micrometres per pixel")
    region_mpp: float = Field(16.0, gt=0, description="texture and ink are judged at this, micrometres per pixel")
    glass_min_level: int = Field(150, ge=0, le=255, description="brightest channel (0-255) below which nothing is glass")
    glass_green_min: float = Field(0.93, gt=0, le=1, description="glass passes this share of its red or blue in green")

    stain_floor: float = Field(0.014, gt=0, description="stain of a pixel that extends a piece")
    stain_floor_local: float = Field(0.004, gt=0, description="local mean stain that extends a piece where textured")
    stain_seed_floor: float = Field(0.016, gt=0, description="local mean stain that starts a piece, at least")
    stain_seed_ceiling: float = Field(0.05, gt=0, description="local mean stain that starts a piece, at most")
    stain_seed_share: float = Field(0.25, gt=0, lt=1, description="stain that starts a piece, share of the slide's own")
    texture_floor: float = Field(0.0025, gt=0, description="local deviation of green density of tissue, at least")
    texture_ceiling: float = Field(0.006, gt=0, description="the same, at most")
    texture_over_glass: float = Field(3.0, gt=0, description="the same, as a multiple of the slide's own glass")
    glass_max_density: float = Field(0.01, gt=0, description="local density below which a place is bare glass")
    pale_margin_um: float = Field(48.0, ge=0, description="margin that averaging adds around pale tissue")
    texture_window_um: float = Field(80.0, gt=0, description="side of the window over which texture is measured")
    smooth_um: float = Field(24.0, gt=0, description="sigma over which stain is averaged locally")
    grey_share: float = Field(0.12, ge=0, description="stain over density below which a pixel is grey or black")
    pale_share: float = Field(0.2, ge=0, description="local stain over density below which texture is only dirt")
    black_share: float = Field(0.25, ge=0, description="stain over density below which an opaque pixel is black")
    black_density: float = Field(0.7, gt=0, description="density from which a pixel is opaque")
    black_min_density: float = Field(0.4, gt=0, description="density from which grey matter may hide tissue")
    brown_share: float = Field(0.22, ge=0, description="the same where blue is absorbed most: dirt, or pale DAB")

    ink_min_density: float = Field(0.08, gt=0, description="density below which a hue is not called ink")
    ink_min_area_um2: float = Field(20_000.0, ge=0, description="smaller ink-coloured spots are not strokes")
    ink_halo_um: float = Field(100.0, ge=0, description="soft edge of a stroke")
    stroke_max_um: float = Field(1_500.0, gt=0, description="widest stroke under which tissue is inferred")

    stroke_agreement_um: float = Field(600.0, gt=0, description="window in which a stroke is judged as a whole")

    closing_um: float = Field(32.0, ge=0, description="radius over which strands of a piece are joined")
    opening_um: float = Field(8.0, ge=0, description="radius below which threads are cut off")
    hole_max_area_um2: float = Field(60_000.0, ge=0, description="holes up to a few fat cells are filled")
    fat_max_area_um2: float = Field(1_000_000.0, ge=0, description="textured holes are filled up to this")
    fat_texture_share: float = Field(0.75, ge=0, le=1, description="share of a larger hole that must be textured")
    piece_min_area_um2: float = Field(20_000.0, ge=0, description="smaller pieces are specks")
    piece_min_seed_share: float = Field(0.03, ge=0, le=1, description="pieces with fewer seed pixels are dropped")
    margin_um: float = Field(0.0, ge=0, description="margin added around every piece, as a generous reader draws it")
