"""Settings of the tissue mask."""

from pydantic import Field

from qc.config.base import Settings


class TissueSettings(Settings):
    """How tissue is found: by rules, and by a network that works with them and shares their sizes and margin.

    Densities are decadic optical density above the slide's own glass. *Stain* is how much more green is
    absorbed than the lesser of red and blue. *Local* is averaged over `smooth_um`.
    Lengths are micrometres, areas square micrometres, shares 0-1.
    """

    network: str = Field(
        default="tissue-1",
        description="A network of the task tissue that comes with the product, or its folder, to work with the rules; "
        "empty for the rules alone.",
    )
    work_mpp: float = Field(
        default=8.0, ge=2, le=16, description="Finer overviews are reduced to this, micrometres per pixel."
    )
    region_mpp: float = Field(
        default=16.0, ge=2, le=64, description="Pieces are formed on cells of this, micrometres per pixel."
    )
    glass_min_level: int = Field(
        default=150, ge=0, le=255, description="Brightest channel (0-255) below which is no glass."
    )
    glass_green_min: float = Field(
        default=0.93, gt=0, le=1, description="Glass passes this share of its red or blue in green."
    )
    glass_max_density: float = Field(default=0.01, gt=0, description="Density below which a cell is bare glass.")
    lighter_max_density: float = Field(
        default=0.005, ge=0, description="Density by which tissue may be lighter than glass."
    )

    stain_floor: float = Field(default=0.014, gt=0, description="Stain of a pixel that extends a piece.")
    stain_floor_local: float = Field(
        default=0.004, gt=0, description="Local stain that extends a piece where textured."
    )
    stain_seed_floor: float = Field(default=0.016, gt=0, description="Local stain that starts a piece, at least.")
    stain_seed_ceiling: float = Field(default=0.05, gt=0, description="Local stain that starts a piece, at most.")
    stain_seed_share: float = Field(
        default=0.25, gt=0, lt=1, description="Local stain that starts a piece, of the slide's own."
    )
    smooth_um: float = Field(default=24.0, gt=0, description="Sigma over which stain is averaged locally, micrometres.")
    pale_margin_um: float = Field(
        default=48.0, ge=0, description="Margin that averaging adds around pale tissue, micrometres."
    )

    texture_floor: float = Field(default=0.0025, gt=0, description="Deviation of green density of tissue, at least.")
    texture_ceiling: float = Field(default=0.006, gt=0, description="Deviation of green density of tissue, at most.")
    texture_over_glass: float = Field(
        default=3.0, gt=0, description="The same, as a multiple of the slide's own glass."
    )
    texture_window_um: float = Field(
        default=80.0, gt=0, description="Side of the window of that deviation, micrometres."
    )

    faint_max_eosin_share: float = Field(
        default=0.35, ge=0, le=1, description="Share of tissue with eosin's hue up to which a slide is immunostained."
    )
    faint_texture_floor: float = Field(
        default=0.0013, gt=0, description="Deviation of green density of faint immunostained tissue, at least."
    )
    faint_over_glass: float = Field(
        default=2.5, gt=0, description="The same, as a multiple of the slide's smoothest twentieth."
    )
    faint_field_um: float = Field(
        default=64.0, ge=0, description="Radius over which faint texture must hold, micrometres."
    )
    faint_max_density: float = Field(
        default=0.2, gt=0, description="Density above which grey is not faint immunostained tissue."
    )
    faint_clearance_um: float = Field(
        default=48.0, ge=0, description="Reach of the texture of such dark grey matter, micrometres."
    )
    faint_min_seed_share: float = Field(
        default=0.01, ge=0, le=1, description="As `piece_min_seed_share`, on immunostained slides."
    )

    grey_share: float = Field(default=0.12, ge=0, description="Stain over density below which a cell is grey.")
    brown_share: float = Field(
        default=0.22, ge=0, description="The same where blue is absorbed most, as by dirt or pale DAB."
    )
    pale_share: float = Field(
        default=0.2, ge=0, description="Local stain over density below which texture is only dirt."
    )
    hue_share_floor: float = Field(
        default=0.95, gt=0, description="Red or blue over green density of pale tissue, at most."
    )
    hue_margin: float = Field(default=0.1, ge=0, description="The same, beyond what the slide's own stains show.")
    black_share: float = Field(
        default=0.25, ge=0, description="Stain over density below which an opaque cell is black."
    )
    black_density: float = Field(default=0.7, gt=0, description="Density from which a cell is opaque.")
    cover_density: float = Field(default=0.4, gt=0, description="Density from which grey matter may hide tissue.")

    ink_min_density: float = Field(
        default=0.08, gt=0, description="Red beyond green density from which a cell is green ink."
    )
    ink_min_area_um2: float = Field(default=20_000.0, ge=0, description="Smaller ink-coloured spots are not strokes.")
    ink_halo_um: float = Field(default=100.0, ge=0, description="Width of the soft edge of a stroke, micrometres.")
    stroke_max_um: float = Field(
        default=1_500.0, gt=0, description="Widest stroke under which tissue is inferred, micrometres."
    )
    stroke_agreement_um: float = Field(
        default=600.0, gt=0, description="Window in which a stroke is judged as a whole."
    )

    closing_um: float = Field(default=32.0, ge=0, description="Radius over which strands are joined, micrometres.")
    opening_um: float = Field(default=8.0, ge=0, description="Radius below which threads are cut off, micrometres.")
    hole_max_area_um2: float = Field(default=60_000.0, ge=0, description="Holes up to a few fat cells are filled.")
    fat_max_area_um2: float = Field(default=1_000_000.0, ge=0, description="Textured holes are filled up to this.")
    fat_texture_share: float = Field(
        default=0.75, ge=0, le=1, description="Share of a larger hole that must be textured."
    )
    piece_min_area_um2: float = Field(default=20_000.0, ge=0, description="Smaller pieces are specks.")
    piece_min_seed_share: float = Field(
        default=0.03, ge=0, le=1, description="Pieces with a smaller share of seeds go."
    )
    alone_min: float = Field(
        default=0.9,
        ge=0,
        le=1,
        description="Probability from which a network finds tissue where the rules find none.",
    )
    support_min_share: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of a network's piece that the rules must find too, or it is no tissue; 0 asks nothing.",
    )
    margin_um: float = Field(default=0.0, ge=0, description="Margin added around every piece, micrometres.")
