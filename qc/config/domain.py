"""Settings of the domain gate's slides: which ones the reference is fitted on, and which ones it is measured with."""

from typing import Literal

from pydantic import Field, field_validator

from qc.config.base import Settings
from qc.config.pattern import one_group


class DomainSource(Settings):
    """Files that make slides. Paths are globs under the data folder; images of one slide are laid side by side."""

    name: str = Field(pattern=r"^[a-z0-9-]+$", description="Short name for reports.")
    files: str = Field(min_length=1, description="Glob of slides or images.")
    use: Literal["train", "inside", "outside"] = Field(
        description="train: the reference is fitted on them, so the licence must allow it. inside, outside: measured "
        "with, and where they should lie."
    )
    licence: str = Field(min_length=1, description="Licence of the pixels; `none` when there is none.")
    mpp: float | None = Field(
        default=None, gt=0, le=70, description="Micrometres per pixel; slides whose header is right state their own."
    )
    slide: str = Field(
        default=r"([^/]+)\.[^./]+$",
        description="Regular expression whose first group, searched in a file's path, names its slide.",
    )
    without: tuple[str, ...] = Field(default=(), description="Slides to leave out.")
    images_per_slide: int = Field(default=64, ge=1, description="Images of one name beyond these make another slide.")

    @field_validator("slide")
    @classmethod
    def _one_group(cls, pattern: str) -> str:
        return one_group(pattern)


class DomainSources(Settings):
    """All slides that the domain gate is fitted on or measured with."""

    note: str = Field(default="", description="What readers of the report should know about these slides.")
    looks: int = Field(default=10, ge=1, description="Varied looks of each training slide beside its own.")
    quantile: float = Field(
        default=0.99, gt=0.5, lt=1, description="Share of looks that lie within the limit if they are normal, 0-1."
    )
    sources: tuple[DomainSource, ...] = Field(min_length=1, description="The sources, each a table.")
