"""Verdict profiles: what one downstream use tolerates, as versioned TOML."""

from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.config.toml import load_settings
from qc.errors import SettingsError

_LOWEST = frozenset({"focus_score", "stain_score", "usable_mm2"})  # limits that are lowest values, not highest


class Limits(Settings):
    """Largest share of tissue (0-1) under each class, and lowest scores (0-10), before a verdict falls."""

    fold: float = Field(ge=0, le=1, description="Folded, wrinkled or torn tissue, share of tissue (0-1).")
    foreign: float = Field(ge=0, le=1, description="Dust, fibres and debris, share of tissue (0-1).")
    pen: float = Field(ge=0, le=1, description="Marker ink, share of tissue (0-1).")
    bubble: float = Field(ge=0, le=1, description="Air bubbles and cover-slip edges, share of tissue (0-1).")
    out_of_focus: float = Field(ge=0, le=1, description="Defocused tissue, share of tissue (0-1).")
    unassessed: float = Field(ge=0, le=1, description="Tissue that could not be read, share of tissue (0-1).")
    all_artefacts: float = Field(ge=0, le=1, description="All artefact classes together, share of tissue (0-1).")
    focus_score: float = Field(ge=0, le=10, description="Lowest focus score (0-10).")
    stain_score: float = Field(ge=0, le=10, description="Lowest stain score (0-10).")
    usable_mm2: float = Field(ge=0, description="Smallest usable tissue area, square millimetres.")


class Profile(Settings):
    """One downstream use's rules: beyond `review` a person looks, beyond `reject` the slide goes back."""

    name: str = Field(description="Name of the profile, as in --profile.")
    version: int = Field(ge=1, description="Raised with every change of a limit.")
    purpose: str = Field(description="What the tissue is wanted for, one sentence.")
    review: Limits = Field(description="Limits beyond which a person looks.")
    reject: Limits = Field(description="Limits beyond which the slide goes back to the lab.")
    domain_distance_max: float = Field(
        default=1.0,
        ge=0,
        description="Distance of a slide's colours from the training slides' beyond which a person looks; 1 holds "
        "nearly all of these. Never a reason to reject: the slide may be good and the map wrong.",
    )

    @property
    def title(self) -> str:
        """Name and version, as records state them."""
        return f"{self.name} {self.version}"

    @model_validator(mode="after")
    def _rejection_is_no_stricter_than_review(self) -> Self:
        for name in Limits.model_fields:
            review, reject = getattr(self.review, name), getattr(self.reject, name)
            milder, stricter = (reject, review) if name in _LOWEST else (review, reject)
            if milder > stricter:
                raise ValueError(f"{name} would reject at {reject:g} what needs no review before {review:g}")
        return self


def profile_names() -> list[str]:
    """Names of the profiles that come with the package."""
    folder = resources.files("qc") / "profiles"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_profile(name_or_path: str) -> Profile:
    """A packaged profile by name, or any profile by path.

    Raises:
        SettingsError: If there is no such profile, or a key or value in it is wrong.
    """
    path = Path(name_or_path)
    if path.suffix == ".toml":
        return load_settings(Profile, path)
    if name_or_path not in profile_names():
        known = ", ".join(profile_names())
        raise SettingsError(
            f"there is no profile {name_or_path!r}", f"choose {known}, or pass the path of a .toml file"
        )
    with resources.as_file(resources.files("qc") / "profiles" / f"{name_or_path}.toml") as packaged:
        return load_settings(Profile, packaged)
