"""What a phantom is to look like: one slide, and a cohort of slides from a TOML file."""

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from qc.config.base import Settings
from qc.errors import SettingsError

ArtefactKind = Literal["fold", "tear", "chatter", "foreign", "pen", "bubble", "slip_edge", "out_of_focus"]
TissueKind = Literal["stroma", "glands", "fat", "lymphoid"]


class ArtefactSpec(Settings):
    """One kind of artefact and how much tissue it should ruin."""

    kind: ArtefactKind
    share: float = Field(default=0.05, ge=0, le=1, description="target share of tissue under it, 0-1")
    strength: float = Field(default=1.0, gt=0, le=4, description="scales its optical effect")
    size_um: float | None = Field(None, gt=0, description="extent of one; drawn when absent")


class ScannerSpec(Settings):
    """How a scanner renders light into pixels."""

    gamma: float = Field(default=1.0, gt=0.3, lt=3, description="exponent applied to transmittance; above 1 is darker")
    saturation: float = Field(default=1.0, ge=0, le=2, description="colour matrix: 1 leaves colours alone")
    warmth: float = Field(default=0.0, ge=-1, le=1, description="colour matrix: above 0 redder, below 0 bluer")
    white: float = Field(default=0.95, gt=0.5, le=1, description="level of bare glass, 0-1 of full scale")
    falloff: float = Field(default=0.02, ge=0, le=0.3, description="light lost in the corners of the slide, 0-1")
    stitch_um: float = Field(default=0.0, ge=0, description="width of scanned strips; 0 is none")
    stitch_step: float = Field(default=0.015, ge=0, le=0.3, description="brightness step between strips, 0-1")
    noise: float = Field(default=1.0, ge=0, le=10, description="standard deviation of sensor noise, grey levels")
    jpeg_quality: int = Field(default=85, ge=30, le=100, description="of the written tiles")


class FollicleSpec(Settings):
    """Follicles of a lymph node; see `qc.phantom.follicles`. Defaults are of follicular lymphoma."""

    crowding: float = Field(default=0.95, gt=0, le=1.2, description="area of follicles over area of the node")
    radius_um: float = Field(default=185.0, ge=60, le=500, description="median radius")
    radius_spread: float = Field(default=0.08, ge=0, le=0.6, description="deviation of the radius's logarithm")
    irregularity: float = Field(default=0.08, ge=0, le=0.8, description="how far from round: deviation of the stretch")
    mantle_um: float = Field(default=6.0, ge=0, le=120, description="mean width of the mantle zone")
    is_polarised: bool = Field(default=False, description="germinal centres with light and dark zone and macrophages")
    mimics: float = Field(default=0.0, ge=0, le=1, description="share of follicles whose cells are of the other kind")


class LesionSpec(Settings):
    """One metastasis in a lymph node; see `qc.phantom.metastases`."""

    diameter_um: float = Field(ge=20, le=12000, description="longest diameter")
    elongation: float = Field(default=1.5, ge=1, le=3, description="longer over shorter axis before it is made ragged")
    is_under_capsule: bool = Field(default=False, description="close to the capsule, where metastases begin")


class PhantomSpec(Settings):
    """One synthetic slide; equal specifications give identical pixels and truth."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", description="file name without extension")
    width_mm: float = Field(default=6.0, ge=0.5, le=30)
    height_mm: float = Field(default=4.0, ge=0.5, le=30)
    mpp: float = Field(default=0.5, ge=0.2, le=8, description="micrometres per pixel of level 0")
    truth_mpp: float = Field(default=2.0, ge=0.5, le=16, description="micrometres per cell of the truth")
    stain: Literal["he", "dab"] = "he"
    stain_strength: float = Field(default=1.0, gt=0.1, le=3, description="scales both stains; 0.5 is faded")
    eosin: float = Field(default=1.0, ge=0, le=3, description="scales the second stain alone")
    diagnosis: Literal["lymphoma", "hyperplasia", "none"] = "none"
    follicles: FollicleSpec | None = Field(default=None, description="of a lymph node; by default the diagnosis's own")
    lesions: tuple[LesionSpec, ...] = Field(default=(), max_length=50, description="metastases in a lymph node")
    tissues: tuple[TissueKind, ...] = Field(default=("stroma", "glands", "fat"), min_length=1)
    pieces: int = Field(default=2, ge=1, le=12, description="pieces of tissue on the glass")
    cover: float = Field(default=0.33, gt=0.02, le=0.85, description="target share of the slide under tissue, 0-1")
    artefacts: tuple[ArtefactSpec, ...] = ()
    scanner: ScannerSpec = ScannerSpec()  # pyright: ignore[reportCallIssue]
    seed: int = Field(default=0, ge=0)
    patient: str = Field(default="", description="patient the slide belongs to; empty means the slide's own")

    @model_validator(mode="after")
    def _lesions_have_a_node(self) -> Self:
        if self.lesions and self.diagnosis == "none":
            raise ValueError("lesions lie in lymph nodes; say diagnosis lymphoma or hyperplasia")
        return self

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of level 0."""
        return round(self.width_mm * 1000 / self.mpp), round(self.height_mm * 1000 / self.mpp)


class CohortSpec(Settings):
    """Slides made together."""

    name: str
    slides: tuple[PhantomSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [slide.name for slide in self.slides]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"slide name {twice[0]} is used twice")
        return self


def load_cohort(path: Path) -> CohortSpec:
    """Read a cohort; `[defaults]` in the file fills what a `[[slides]]` entry leaves out.

    Raises:
        SettingsError: If the file is missing, is no TOML, or has an unknown key or a value out of bounds.
    """
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})", "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: no valid TOML: {error}", "correct the line named") from error
    defaults = content.pop("defaults", {})
    try:
        content["slides"] = [{**defaults, **slide} for slide in content.get("slides", [])]
        return CohortSpec.model_validate(content)
    except TypeError as error:
        raise SettingsError(f"{path}: slides and defaults must be tables", "write [[slides]]") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "cohort"
        raise SettingsError(f"{path}: {key}: {first['msg']}", "see qc.phantom.spec for the keys") from error
