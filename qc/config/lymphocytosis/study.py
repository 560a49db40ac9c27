"""Settings of a study: tables of models that are judged."""

from pydantic import Field

from qc.config.base import Settings
from qc.config.lymphocytosis.cells import CellSettings, QualitySettings
from qc.config.lymphocytosis.models import ModelSettings


class ArmSettings(Settings):
    """One line of a table: a model, cross-validated; beside it what others published."""

    name: str = Field(min_length=1, description="Name of the line.")
    model: ModelSettings = Field(description="The model.")
    repeats: int = Field(default=1, ge=1, description="Cross-validations, each with folds of its own.")
    published: dict[str, float] = Field(
        default={},
        description="Figures of others for the same arm: balanced accuracy, F1, recall, precision, specificity (0-1).",
    )


class TableSettings(Settings):
    """A table of arms."""

    title: str = Field(min_length=1, description="Heading.")
    text: str = Field(default="", description="What stands above it.")
    source: str = Field(default="", description="Where the published figures are from.")
    folds: int = Field(default=0, ge=0, le=20, description="Folds of its cross-validations; 0: as the study.")
    arms: tuple[ArmSettings, ...] = Field(min_length=1, description="Lines.")


class LymphocytosisStudySettings(Settings):
    """The experiments of reports/downstream-lymphocytosis.md."""

    commands: tuple[str, ...] = Field(default=(), description="What has to be typed, for the report.")
    notes: tuple[str, ...] = Field(default=(), description="What somebody who read the figures has to say about them.")
    folds: int = Field(default=5, ge=2, le=20, description="Folds of each cross-validation.")
    cells: CellSettings = Field(default_factory=CellSettings, description="How cells are found.")
    quality: QualitySettings = Field(default_factory=QualitySettings, description="Which cells are left out.")
    tables: tuple[TableSettings, ...] = Field(min_length=1, description="Tables of arms.")
    spoilt_shares: tuple[float, ...] = Field(
        default=(0.0, 0.3),
        description="Shares of cells that are spoilt on purpose before raw and filtered are compared.",
    )
    compare_repeats: int = Field(default=5, ge=1, description="Cross-validations of that comparison.")
    resamples: int = Field(default=2000, ge=100, description="Resamples of patients for an interval.")
