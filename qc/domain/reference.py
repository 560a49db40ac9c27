"""The reference of the domain gate: where training slides lie, and how far a slide is from them. Numpy only at use."""

import math
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from pydantic import Field, ValidationError

from qc.config.base import Settings
from qc.config.toml import first_problem
from qc.domain.features import FEATURES, Features
from qc.errors import SettingsError
from qc.files import write_text

PACKAGED = "domain-1.json"


class SourceNote(Settings):
    """One source that a reference was fitted on."""

    name: str = Field(description="Name of the source.")
    files: str = Field(description="Glob of its files under the data folder.")
    licence: str = Field(description="Licence of the pixels.")
    slides: int = Field(description="Slides it gave.")


class DomainCard(Settings):
    """Where a reference comes from and how it does on its own slides."""

    sources: tuple[SourceNote, ...] = Field(description="What it was fitted on.")
    looks: int = Field(description="Varied looks of each slide beside its own.")
    varied_as: str = Field(description="Settings of the augmentation that varied them, as JSON.")
    quantile: float = Field(description="Share of looks within the limit if they are normal, 0-1.")
    shrinkage: float = Field(description="Ledoit-Wolf shrinkage of the covariance, 0-1.")
    left_out: dict[str, float] = Field(description="Distance of each training slide from the others' reference.")
    software_version: str = Field(description="Version of SlideGate that fitted it.")


class DomainReference(Settings):
    """Mean and inverse covariance of the features of training slides, and the distance that counts as 1."""

    name: str = Field(description="Name for records.")
    features: tuple[str, ...] = Field(description="Names of the features, in order.")
    mean: tuple[float, ...] = Field(description="Mean of each feature.")
    precision: tuple[tuple[float, ...], ...] = Field(description="Inverse of their shrunk covariance.")
    limit: float = Field(gt=0, description="Mahalanobis distance that counts as 1.")
    card: DomainCard | None = Field(default=None, description="Where it comes from; null for one that is not kept.")

    def distance(self, features: Features) -> float:
        """Mahalanobis distance as a multiple of the limit; NaN when any feature is.

        Args:
            features: (6,) in the order of `FEATURES`.
        """
        away = np.asarray(features, np.float64) - np.asarray(self.mean)
        squared = float(away @ np.asarray(self.precision) @ away)
        return math.sqrt(squared) / self.limit if math.isfinite(squared) else math.nan


def read_reference(text: str, name: str) -> DomainReference:
    """A reference from JSON.

    Raises:
        SettingsError: If the text is no reference, or one of other features.
    """
    try:
        reference = DomainReference.model_validate_json(text)
    except ValidationError as error:
        raise SettingsError(f"{name}: {first_problem(error)}", "fit the reference again") from error
    if reference.features != FEATURES:
        raise SettingsError(f"{name} was fitted on other features", "fit the reference again")
    return reference


def write_reference(reference: DomainReference, path: Path) -> None:
    """Write a reference as JSON."""
    write_text(path, reference.model_dump_json(indent=2) + "\n")


@cache
def packaged_reference() -> DomainReference:
    """The reference that comes with the package; read once."""
    return read_reference((resources.files("qc") / "weights" / PACKAGED).read_text("utf-8"), PACKAGED)
