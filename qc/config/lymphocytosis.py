"""Settings of the lymphocytosis task: which cells are seen, how, by which model, and how it is judged."""

from pydantic import Field

from qc.config.base import Settings


class CellSettings(Settings):
    """Finding the lymphocyte in the middle of an image; lengths in pixels of the image file."""

    smoothing_px: int = Field(default=3, ge=1, description="Side of the median filter before clustering; odd.")
    opening_px: int = Field(default=3, ge=1, description="Width of the disc that takes away specks.")
    closing_px: int = Field(default=7, ge=1, description="Width of the disc that closes gaps of the nucleus.")
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
        default=5.0, description="Least sharpness of the cell: logarithm of the variance of the Laplacian."
    )
    covered_max: float = Field(
        default=0.9, gt=0, le=1, description="Largest share of the image (0-1) that is not glass: stained over, crowded."
    )
    nucleus_area_min_px: int = Field(default=150, ge=0, description="Least area of a nucleus, square pixels.")
    nucleus_contrast_min: float = Field(
        default=0.5, ge=0, description="Least optical density, summed over colours, of the nucleus above the rest."
    )


class BoostingSettings(Settings):
    """Gradient boosting over a few values of each patient."""

    trees: int = Field(default=100, ge=1, description="Number of trees.")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="Share of each tree that counts.")
    depth: int = Field(default=3, ge=1, le=10, description="Questions asked in a row by a tree.")
    positive_weight: float = Field(
        default=98 / 142, gt=0, description="Weight of a tumoral patient against a reactive one; 98/142 as published."
    )
