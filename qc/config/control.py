"""Settings of control charts."""

from pydantic import Field

from qc.config.base import Settings


class ControlSettings(Settings):
    """When a day of a scanner, stainer or batch counts as out of the ordinary."""

    sigmas: float = Field(
        default=3.0, gt=0, le=6, description="Distance of the limits from the centre line, standard deviations."
    )
    ewma_weight: float = Field(
        default=0.2, gt=0, le=1, description="Weight of the newest day in the moving average (lambda), 0-1."
    )
    ewma_sigmas: float = Field(
        default=2.7, gt=0, le=6, description="Distance of the moving average's limits (L), standard deviations."
    )
    slides_min: int = Field(default=5, ge=1, description="Days with fewer slides are drawn but raise no alarm.")
    baseline_days: int = Field(
        default=0, ge=0, description="Days from the first on that set centre and limits; 0 for all days."
    )
