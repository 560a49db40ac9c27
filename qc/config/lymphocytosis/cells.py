"""Settings of cells: how they are found, which of them are seen, and what a network sees of them."""

from pydantic import Field

from qc.config.base import Settings


class CellSettings(Settings):
    """Finding the lymphocyte in the middle of an image; lengths in pixels of the image file."""

    smoothing_px: int = Field(default=3, ge=1, description="Side of the median filter before clustering; odd.")
    opening_px: int = Field(default=3, ge=1, description="Width of the disc that takes away specks.")
    closing_px: int = Field(default=7, ge=1, description="Width of the disc that closes gaps.")
    grow_px: int = Field(default=3, ge=0, description="Pixels added on each side where only lymphocytes are shown.")
    reach_px: int = Field(default=18, ge=0, description="How far cytoplasm reaches from the nucleus at most.")
    density_min: float = Field(
        default=0.25, ge=0, description="Optical density, summed over colours, from which a place is not glass."
    )
    blue_share_max: float = Field(
        default=0.185, gt=0, lt=1, description="Share of blue in the optical density up to which a place is lymphocyte."
    )


class QualitySettings(Settings):
    """Which images of cells are left out before a classifier sees them."""

    is_on: bool = Field(default=True, description="Whether any are.")
    sharpness_min: float = Field(
        default=6.6, description="Least sharpness of the cell: logarithm of the variance of the Laplacian."
    )
    covered_max: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="Largest share of the image (0-1) that is not glass: stained over, crowded.",
    )
    glass_min: float = Field(
        default=190.0, ge=0, le=255, description="Least brightness of the brightest tenth of the image, 0-255."
    )
    nucleus_area_min_px: int = Field(default=150, ge=0, description="Least area of a nucleus, square pixels.")
    nucleus_area_max_px: int = Field(
        default=2500, ge=1, description="Largest area of a nucleus, square pixels; larger ones are several in a clump."
    )
    nucleus_contrast_min: float = Field(
        default=1.0, ge=0, description="Least optical density, summed over colours, of the nucleus above the rest."
    )


class PixelSettings(Settings):
    """What a network sees of an image."""

    crop_px: int = Field(default=112, ge=16, description="Side of the middle that is cut out, pixels of the file.")
    input_px: int = Field(default=64, ge=16, le=512, description="Side it is brought to, pixels.")
    only_lymphocytes: bool = Field(default=False, description="Black where no lymphocyte is.")
