"""Settings of the metastasis task: from tiles of lymph nodes to the pN stage of a patient."""

from typing import Literal

from pydantic import Field

from qc.config.base import Settings
from qc.config.downstream import ClassifierSettings, FitSettings

NodeLabelName = Literal["negative", "itc", "micro", "macro"]
ModelName = Literal["tree", "forest", "svm", "bayes", "mlp"]
MODELS: tuple[ModelName, ...] = ("tree", "forest", "svm", "bayes", "mlp")


class TileLabelSettings(Settings):
    """What makes a tile tumour; tiles in between are not trained on."""

    tumour_from: float = Field(
        default=0.1, gt=0, le=1, description="Share of the tile under an annotated lesion from which it is tumour."
    )
    normal_to: float = Field(
        default=0.0, ge=0, le=1, description="Share of the tile under a lesion up to which it is normal."
    )
    per_slide_max: int = Field(
        default=2000, ge=1, description="Tiles of a kind that are taken of a slide at most, drawn at random."
    )


class HeatSettings(Settings):
    """From tile scores to a map and its figures."""

    threshold: float = Field(
        default=0.5, gt=0, lt=1, description="Score from which a pixel of the heat map counts as tumour (0-1)."
    )
    detection_min: float = Field(
        default=0.05, ge=0, lt=1, description="Score below which a peak of the heat map is no detection (0-1)."
    )
    detection_um: float = Field(
        default=192.0, ge=0, description="Least distance between two detections on a slide, micrometres."
    )


class LabelModelSettings(Settings):
    """The models that label slides by the features of their heat maps."""

    models: tuple[ModelName, ...] = Field(
        default=MODELS,
        min_length=1,
        description="Which are compared: decision tree, random forest, support vector machine, naive Bayes, multilayer "
        "perceptron.",
    )
    chosen: ModelName = Field(default="forest", description="The one whose labels stage the patients of the report.")
    folds: int = Field(
        default=5, ge=2, le=100, description="Parts of the cross-validation by patient; each slide is labelled once."
    )
    seed: int = Field(default=1, ge=0, description="Of the parts and of the models.")


def _classifier() -> ClassifierSettings:
    return ClassifierSettings(
        negative="normal", positive="tumour", input_px=256, fit=FitSettings(epochs=12, epoch_tiles_max=4096)
    )


class MetastasisSettings(Settings):
    """The metastasis task on a manifest."""

    classifier: ClassifierSettings = Field(
        default_factory=_classifier, description="The network that scores tiles, 0 normal to 1 tumour."
    )
    labels: TileLabelSettings = Field(default_factory=TileLabelSettings, description="What makes a tile tumour.")
    heat: HeatSettings = Field(default_factory=HeatSettings, description="Heat maps and detections.")
    slides: LabelModelSettings = Field(
        default_factory=LabelModelSettings, description="Models that label slides by their heat maps."
    )
    seed: int = Field(default=1, ge=0, description="Of the network's first weights and of all draws.")
    train_share: float = Field(
        default=0.3,
        gt=0,
        lt=1,
        description="Share of patients whose tiles train the network, where the manifest has no split (0-1).",
    )
    repeats: int = Field(default=2000, ge=100, description="Resamples of patients for an interval.")


class NodePattern(Settings):
    """Patients whose nodes have the same labels."""

    patients: int = Field(ge=1, description="Number of such patients.")
    nodes: tuple[NodeLabelName, ...] = Field(min_length=1, max_length=9, description="Label of each node.")


class NodeCohortSettings(Settings):
    """Synthetic lymph nodes of many patients, with lesions of true size."""

    patients: int = Field(default=100, ge=1, description="Patients to stage.")
    patterns: tuple[NodePattern, ...] = Field(
        min_length=1, description="Labels of patients' nodes; fewer patients are spread evenly over them."
    )
    training: dict[NodeLabelName, int] = Field(description="Slides of each label that train the network.")
    seed: int = Field(default=1, ge=0, description="Of everything drawn.")
    mpp: float = Field(default=2.0, ge=0.25, le=4, description="Micrometres per pixel of the slides.")
    width_mm: float = Field(default=3.9, ge=3, le=30, description="Width of a section on glass, millimetres.")
    height_mm: float = Field(default=3.2, ge=3, le=30, description="Height of a section on glass, millimetres.")
    laboratories: int = Field(default=5, ge=1, description="Laboratories that stain and scan, each in its own way.")
    training_laboratories: int = Field(
        default=3, ge=1, description="Those of them, from the first, whose slides train the network."
    )
    artefact_chance: float = Field(default=0.6, ge=0, le=1, description="Share of slides with artefacts (0-1).")
    artefact_share: tuple[float, float] = Field(
        default=(0.03, 0.14), description="Least and most tissue under one kind of artefact, share of tissue (0-1)."
    )


class MetastasisStudySettings(Settings):
    """The study of reports/downstream-metastasis.md."""

    cohort: NodeCohortSettings = Field(description="The slides.")
    task: MetastasisSettings = Field(default_factory=MetastasisSettings, description="What is done with them.")
    assess: str = Field(default="", description="TOML file of settings of `qc assess`, beside this file.")
    profile: str = Field(default="metastasis", description="Verdict profile: a name, or a TOML file beside this file.")
    filter: str = Field(default="", description="TOML file of settings of `qc filter`, beside this file.")
    commands: tuple[str, ...] = Field(default=(), description="What has to be typed, for the report.")
    notes: tuple[str, ...] = Field(default=(), description="What somebody who read the figures has to say about them.")
