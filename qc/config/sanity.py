"""Settings of the sanity gate."""

from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings


class SanitySettings(Settings):
    """What a slide must be before any stage looks at it."""

    mpp_min: float = Field(default=0.1, gt=0, description="Smallest plausible level-0 pixel, micrometres per pixel.")
    mpp_max: float = Field(default=5.0, gt=0, description="Largest plausible level-0 pixel, micrometres per pixel.")
    side_min_um: float = Field(
        default=200.0, gt=0, description="Shortest plausible side of the scanned area, micrometres."
    )
    overview_decode_max_mpx: float = Field(
        default=400.0,
        gt=0,
        description="Most pixels to decode for the overview, in millions; more means no usable level.",
    )
    dark_level: int = Field(
        default=40, ge=0, le=255, description="Brightest channel (0-255) below which a pixel is black."
    )
    dark_share_max: float = Field(
        default=0.5, gt=0, le=1, description="Share of black pixels above which a slide is not brightfield (0-1)."
    )
    bright_level: int = Field(
        default=110,
        ge=0,
        le=255,
        description="Brightfield slides have some pixels whose darkest channel exceeds this (0-255).",
    )
    glass_saturation_max: float = Field(
        default=0.35, gt=0, le=1, description="Largest plausible saturation of the brightest tenth of the pixels (0-1)."
    )
    chroma_level_spread: int = Field(
        default=44,
        ge=0,
        le=127,
        description="Green and blue both within 128 +- this (0-255) everywhere look like Cb and Cr.",
    )
    tissue_min_mm2: float = Field(
        default=0.05, ge=0, description="Smallest tissue area worth assessing, square millimetres."
    )
    unread_share_max: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Share of unreadable tiles above which the slide counts as truncated (0-1).",
    )

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        if self.mpp_min > self.mpp_max:
            raise ValueError(f"mpp_min {self.mpp_min:g} is above mpp_max {self.mpp_max:g}")
        return self
