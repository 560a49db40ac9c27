"""Settings of `qc split`: which parts a cohort is dealt into, and what must be alike in all of them."""

import math
from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings

REST = "train"
"""The part that is left when some are held out and nothing is folded."""


class StratifySpec(Settings):
    """One column that shall be alike in all parts."""

    column: str = Field(min_length=1, description="Column of the cohort table.")
    bins: int = Field(
        default=0, ge=0, le=20, description="Quantile bins of a column of numbers; 0 takes every value as it is."
    )

    @classmethod
    def parse(cls, text: str) -> Self:
        """`age:4` or `label`; ValueError when it is neither."""
        column, _, bins = text.strip().partition(":")
        return cls(column=column.strip(), bins=int(bins) if bins else 0)


class SplitSettings(Settings):
    """How a cohort is dealt into parts."""

    folds: int = Field(default=0, ge=0, le=100, description="Folds of what is not held out; 0 folds nothing.")
    hold_out: dict[str, float] = Field(default={}, description="Parts that are held out and their shares (0-1).")
    stratify: tuple[StratifySpec, ...] = Field(default=(), description="Columns that shall be alike in all parts.")
    seed: int = Field(default=0, ge=0, description="Other seeds deal otherwise.")
    duplicate_bits: int = Field(
        default=72,
        ge=0,
        le=128,
        description="Slides are near-duplicates when at most this many of their 256 hash bits differ.",
    )
    merge_duplicates: bool = Field(
        default=False, description="Keep patients together whose slides are near-duplicates, instead of refusing."
    )

    @model_validator(mode="after")
    def _parts_make_a_whole(self) -> Self:
        if self.folds == 1 or not (self.folds or self.hold_out):
            raise ValueError("a split needs at least two folds, or a part that is held out")
        if any(not 0 < share < 1 for share in self.hold_out.values()) or sum(self.hold_out.values()) > 1 - 1e-9:
            raise ValueError("shares held out must lie between 0 and 1 and leave something over")
        if len(self.parts) < len(self.hold_out) + max(self.folds, 1) or not all(self.hold_out):
            raise ValueError(f"held-out parts need names other than {REST} and those of the folds")
        columns = [one.column for one in self.stratify]
        if len(set(columns)) < len(columns):
            raise ValueError("stratify names a column twice")
        return self

    @property
    def parts(self) -> dict[str, float]:
        """Share of the patients (0-1) that each part gets, by name, in order; they add up to 1."""
        rest = 1 - math.fsum(self.hold_out.values())
        if not self.folds:
            return {REST: rest, **self.hold_out}
        return {**self.hold_out, **{f"fold-{i}": rest / self.folds for i in range(1, self.folds + 1)}}
