"""Settings of training data for tissue networks: overviews, what is believed of their masks, what is laid on them."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from qc.config.base import Settings
from qc.config.parts import check_parts
from qc.config.pattern import one_group
from qc.config.tissue import TissueSettings

Meaning = Literal["clean", "glass", "ignore"]

PERMISSIVE = TissueSettings(
    stain_floor=0.009,
    stain_floor_local=0.0025,
    stain_seed_floor=0.01,
    texture_floor=0.0016,
    texture_over_glass=2.0,
    pale_share=0.12,
    grey_share=0.08,
    closing_um=64,
    opening_um=0,
    hole_max_area_um2=150_000,
    fat_max_area_um2=6_000_000,
    fat_texture_share=0.4,
    piece_min_area_um2=6_000,
    piece_min_seed_share=0.005,
)
"""Rules that would rather find too much: what they add to the usual ones is left open."""


class Correction(Settings):
    """What was seen on one overview to be other than found."""

    slide: str = Field(min_length=1, description="Name of the slide.")
    means: Meaning = Field(
        description="clean: what is open there is tissue. glass and ignore: all of the area is glass, or left open."
    )
    outline: tuple[tuple[float, float], ...] = Field(
        min_length=2, description="Corners (x, y) of a polygon as shares (0-1) of width and height; two are a box."
    )
    why: str = Field(min_length=1, description="What is seen there.")


class OverviewSpec(Settings):
    """One declared source of overviews. Paths are globs under the data folder."""

    name: str = Field(pattern=r"^[a-z0-9-]+$", description="Short name for reports.")
    files: str = Field(min_length=1, description="Glob of overviews or slides.")
    use: Literal["train", "evaluate"] = Field(
        description="train: the licence allows weights that are published. evaluate: measuring and throw-away weights."
    )
    licence: str = Field(min_length=1, description="Licence of the pixels; `none` when there is none.")
    mpp: float | None = Field(
        default=None, gt=0, le=80, description="Micrometres per pixel; by default the table's or the slide's own."
    )
    mpp_table: str = Field(
        default="", description="CSV file with columns `slide` and `overview_mpp`; empty when `mpp` or slides say it."
    )
    slide: str = Field(
        default=r"([^/]+)\.[^./]+$",
        description="Regular expression whose first group, searched in a file's path, names its slide.",
    )
    only: tuple[str, ...] = Field(default=(), description="Slides to take; empty takes all.")
    without: tuple[str, ...] = Field(default=(), description="Slides to leave out.")

    @field_validator("slide")
    @classmethod
    def _one_group(cls, pattern: str) -> str:
        return one_group(pattern)


class TrustSettings(Settings):
    """How much of a mask found by rules is learnt from; the rest is left open."""

    strict: TissueSettings = Field(default=TissueSettings(), description="Rules; what they find is tissue.")
    permissive: TissueSettings = Field(default=PERMISSIVE, description="Rules; what not even they find is glass.")
    permissive_margin_um: float = Field(
        default=40.0, ge=0, description="By how much permissive rules reach beyond what they see, micrometres."
    )
    band_um: float = Field(default=32.0, ge=0, description="Half width of the open band along outlines, micrometres.")
    piece_min_mm2: float = Field(default=0.15, ge=0, description="Smaller pieces are left open.")


class PhantomDraws(Settings):
    """Synthetic slides with exact masks."""

    count: int = Field(default=24, ge=0, description="Slides.")
    first_seed: int = Field(default=700_000, ge=100_000, description="Seed of the first; cohort files stay below.")
    width_mm: float = Field(default=7.0, ge=2, le=30, description="Width of each, millimetres.")
    height_mm: float = Field(default=6.0, ge=2, le=30, description="Height of each, millimetres.")


class TissueComposeSettings(Settings):
    """What is changed and laid on overviews: chances (0-1) of each and ranges, drawn log-uniformly."""

    recolour: float = Field(default=0.5, ge=0, le=1, description="Chance that tissue is stained anew.")
    immunostain: float = Field(default=0.35, ge=0, le=1, description="Chance that the new stain is blue and brown.")
    fade: float = Field(default=0.35, ge=0, le=1, description="Chance that tissue is paler.")
    fade_min: float = Field(default=0.12, gt=0, le=1, description="Least density left of it, as a share.")
    visible_density: float = Field(
        default=0.012, ge=0, description="Density nearby below which nobody could tell tissue; left open."
    )
    visible_um: float = Field(default=160.0, gt=0, description="What is nearby, micrometres.")
    hidden_light: float = Field(default=0.45, ge=0, le=1, description="Light below which what is under ink is open.")
    glass: float = Field(default=0.6, ge=0, le=1, description="Chance that glass is not white: grey, yellow, bluish.")
    shading: float = Field(default=0.5, ge=0, le=1, description="Chance of uneven light.")
    haze: float = Field(default=0.12, ge=0, le=1, description="Chance of stain dried on glass.")
    stray: float = Field(default=0.35, ge=0, le=1, description="Chance of a few specks on any tile.")
    another: float = Field(default=0.35, ge=0, lt=1, description="Chance of each further thing laid on one tile.")
    padding: float = Field(default=0.06, ge=0, le=1, description="Chance that part of a tile was not scanned.")
    soft: float = Field(default=0.2, ge=0, le=1, description="Chance that a tile is a little soft.")
    noise_max: float = Field(default=3.0, ge=0, description="Largest sensor noise, grey levels.")
    jpeg: float = Field(default=0.5, ge=0, le=1, description="Chance of compression.")
    jpeg_min: int = Field(default=25, ge=1, le=100, description="Lowest JPEG quality.")


class TissueTrainingSources(Settings):
    """All that a tissue network is trained on."""

    mpp: float = Field(default=8.0, ge=2, le=32, description="Middle of what tiles are read at, micrometres per pixel.")
    mpp_spread: float = Field(default=1.5, ge=1, le=4, description="Largest factor from that, either way.")
    coarsest_mpp: float = Field(
        default=16.0, ge=4, description="Coarser overviews are taken for this, so that pixels are not all blur."
    )
    tile_px: int = Field(default=256, ge=32, description="Side of a tile, pixels.")
    open_share_max: float = Field(default=0.6, ge=0, le=1, description="Most of a tile that may be left open.")
    glass_every: int = Field(default=3, ge=1, description="One of so many tiles without tissue is kept.")
    parts: dict[str, float] = Field(
        default={"train": 0.8, "validation": 0.2},
        description="Parts that patients are split into, and their shares.",
    )
    trust: TrustSettings = Field(default=TrustSettings(), description="What of the masks is believed.")
    phantoms: PhantomDraws = Field(default=PhantomDraws(), description="Synthetic slides.")
    sources: tuple[OverviewSpec, ...] = Field(min_length=1, description="The sources, each a table.")
    corrections: tuple[Correction, ...] = Field(default=(), description="What was seen to be other than found.")
    patients: dict[str, str] = Field(
        default_factory=dict, description="Patient of a slide that shares one; others are patients of their own."
    )

    @model_validator(mode="after")
    def _parts_are_shares(self) -> Self:
        check_parts(self.parts, [source.name for source in self.sources])
        return self
