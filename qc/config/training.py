"""Settings of training data: where it comes from, what is composed onto it, how it is varied and spoilt on purpose."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from qc.config.base import Settings
from qc.config.parts import check_parts
from qc.config.pattern import one_group

SourceKind = Literal["tissue", "cells", "masks", "geojson", "labels", "phantoms", "cutouts"]
Meaning = Literal["clean", "fold", "foreign", "pen", "bubble", "out_of_focus", "glass", "ignore"]


class SourceSpec(Settings):
    """One declared source. Paths are globs under the data folder; names of slides are cut out of paths."""

    name: str = Field(pattern=r"^[a-z0-9-]+$", description="Short name for reports.")
    kind: SourceKind = Field(
        description="tissue: images or slides of clean tissue. cells: views with labelled cells, of which the clean "
        "ones are taken. masks: images with pixel masks. geojson: slides with QuPath annotations. labels: a class "
        "for each whole image. phantoms: a cohort file. cutouts: RGBA things to lay over tissue."
    )
    files: str = Field(min_length=1, description="Glob of images, slides, cohort files or cut-outs.")
    use: Literal["train", "evaluate"] = Field(
        description="train: the licence allows weights that are published. evaluate: measuring and throw-away weights."
    )
    licence: str = Field(min_length=1, description="Licence of the pixels; `none` when there is none.")
    mpp: float | None = Field(
        default=None, gt=0, le=70, description="Micrometres per pixel of plain images; slides state their own."
    )
    slide: str = Field(
        default=r"([^/]+)\.[^./]+$",
        description="Regular expression whose first group, searched in a file's path, names its slide.",
    )
    patient: str = Field(
        default="", description="The same for the patient; empty when every slide counts as a patient of its own."
    )
    only: tuple[str, ...] = Field(default=(), description="Slides to take; empty takes all.")
    without: tuple[str, ...] = Field(default=(), description="Slides to leave out.")
    annotation: str = Field(
        default="",
        description="Path of a file's mask or GeoJSON, with `{parent}`, `{stem}` and `{slide}` replaced; "
        "for cells the CSV file of all views. Under the data folder, or else beside the file that declares the source.",
    )
    values: dict[str, Meaning] = Field(
        default_factory=dict,
        description="What a value of a mask, a name of an annotation or a slide's label means.",
    )
    rest: Meaning = Field(default="ignore", description="What is meant by pixels without annotation.")
    coarse: bool = Field(
        default=False,
        description="Annotated images that are coarser than the training are read at their own mpp, as `qc assess` "
        "reads such slides; without it they are refused.",
    )
    all_tissue: bool = Field(default=False, description="Every pixel is tissue; nothing is searched.")
    cell_px: int = Field(default=256, gt=0, description="Side of a labelled cell, pixels of its view.")
    clean_codes: tuple[str, ...] = Field(default=("C",), description="Codes of the cells that are clean tissue.")
    present: dict[str, Meaning] = Field(
        default_factory=dict, description="Letters of a cell's code that say what some of its pixels show."
    )
    possible: dict[str, Meaning] = Field(
        default_factory=dict, description="Letters that say what its pixels may show; all others say nothing is there."
    )
    skip_codes: tuple[str, ...] = Field(default=(), description="Letters of cells that nothing is learnt from.")

    @field_validator("slide", "patient")
    @classmethod
    def _one_group(cls, pattern: str) -> str:
        return one_group(pattern) if pattern else pattern

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        if self.kind in ("cells", "masks", "geojson") and not self.annotation:
            raise ValueError(f"a source of {self.kind} needs `annotation`")
        if self.kind in ("masks", "geojson", "labels", "cutouts") and not self.values:
            raise ValueError(f"a source of {self.kind} needs `values`")
        if self.coarse and self.kind not in ("masks", "geojson", "labels"):
            raise ValueError(f"a source of {self.kind} cannot be `coarse`, only annotated images can")
        if self.kind in ("cells", "cutouts") and self.mpp is None:
            raise ValueError(f"a source of {self.kind} needs `mpp`")
        return self


class ComposeSettings(Settings):
    """What artefacts laid onto clean tissue look like: chances and ranges, drawn log-uniformly, in micrometres."""

    share_min: float = Field(default=0.03, gt=0, le=1, description="Least wanted share of a tile's tissue, 0-1.")
    share_max: float = Field(default=0.9, gt=0, le=1, description="Largest wanted share of a tile's tissue, 0-1.")
    whole: float = Field(default=0.3, ge=0, le=1, description="Chance that ink, air or defocus is to cover the tile.")
    another: float = Field(default=0.25, ge=0, lt=1, description="Chance of each further artefact on one tile.")
    strength_min: float = Field(default=0.6, gt=0, description="Least strength; 1 is as the optics draw it.")
    strength_max: float = Field(default=1.5, gt=0, description="Largest strength.")
    cutout: float = Field(default=0.3, ge=0, le=1, description="Chance that a foreign body is a cut-out, if any.")
    beside: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Chance that a foreign body, ink or air is laid on the glass beside tissue, where there is any.",
    )
    look_alike: float = Field(
        default=0.2,
        ge=0,
        le=1,
        description="Chance that a composed tile also shows margin ink, blood or a change of density.",
    )
    soft: float = Field(default=0.25, ge=0, le=1, description="Chance that the whole tile is a little soft but clean.")
    soft_um_max: float = Field(default=1.3, ge=0, lt=2, description="Largest blur radius of such softness.")
    gamma_min: float = Field(default=1.0, gt=0, description="Least exponent from pixel values to light.")
    gamma_max: float = Field(default=2.2, gt=0, description="Largest exponent from pixel values to light.")
    noise_max: float = Field(default=2.5, ge=0, description="Largest sensor noise added to all tiles, grey levels.")


class AugmentSettings(Settings):
    """How tiles are varied so that no scanner or stain is a cue; ranges are symmetric unless they say otherwise."""

    stain_gain: float = Field(default=0.3, ge=0, lt=1, description="Relative change of each stain's density.")
    density: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Density of all stains together, from 1 / (1 + density) to 1 + density times.",
    )
    recolour: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Chance that brown immunostain takes the place of eosin.",
    )
    stain_shift: float = Field(default=0.03, ge=0, description="Density added to each stain.")
    hue: float = Field(default=0.06, ge=0, le=0.5, description="Turn of hue, in turns.")
    saturation: float = Field(default=0.25, ge=0, le=1, description="Relative change of saturation.")
    gamma: float = Field(default=0.3, ge=0, lt=1, description="Exponents from 1 / (1 + gamma) to 1 + gamma.")
    white_balance: float = Field(default=0.08, ge=0, lt=0.5, description="Relative gain of each channel.")
    scale_min: float = Field(default=0.8, gt=0, le=1, description="Smallest magnification.")
    scale_max: float = Field(default=1.3, ge=1, description="Largest magnification.")
    jpeg_min: int = Field(default=35, ge=1, le=100, description="Lowest JPEG quality.")
    noise: float = Field(default=3.0, ge=0, description="Largest sensor noise, grey levels.")
    chance: float = Field(default=0.7, ge=0, le=1, description="Chance of each kind of change.")


class LabelNoiseSettings(Settings):
    """Ways in which annotations are imperfect in practice, made from exact ones; all off by default."""

    missing: float = Field(default=0.0, ge=0, le=1, description="Chance that an annotated area is left out.")
    shifted_um: float = Field(default=0.0, ge=0, description="Standard deviation of each area's displacement.")
    eroded_um: float = Field(default=0.0, description="Areas lose a border this wide; negative lets them grow.")
    polygon_um: float = Field(default=0.0, ge=0, description="Areas become polygons that depart this far.")
    only_positive: bool = Field(default=False, description="Leave out tiles without an annotated artefact.")
    ignore_band_um: float = Field(default=0.0, ge=0, description="Width of the unlabelled band along class borders.")


class TrainingSources(Settings):
    """All that a network is trained on."""

    mpp: float = Field(default=1.0, gt=0, le=16, description="Tiles are read at this, micrometres per pixel.")
    tissue_density: float | None = Field(
        default=None,
        gt=0,
        le=2,
        description="Mean optical density that each slide's tissue is brought to, and its glass to a standard white; "
        "without it pixels stay as they are.",
    )
    tile_px: int = Field(default=512, ge=32, description="Side of a tile, pixels.")
    tissue_share_min: float = Field(default=0.2, ge=0, le=1, description="Least share of tissue in a tile, 0-1.")
    parts: dict[str, float] = Field(
        default={"train": 0.7, "validation": 0.15, "test": 0.15},
        description="Parts that patients are split into, and their shares.",
    )
    sources: tuple[SourceSpec, ...] = Field(min_length=1, description="The sources, each a table.")
    patients: dict[str, str] = Field(
        default_factory=dict,
        description="Patient of a slide that has another name elsewhere; goes before `patient` of a source.",
    )

    @model_validator(mode="after")
    def _parts_are_shares(self) -> Self:
        check_parts(self.parts, [source.name for source in self.sources])
        return self
