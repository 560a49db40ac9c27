"""Settings of what a cell is to models that read features."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qc.config.base import Settings
from qc.config.lymphocytosis.cells import PixelSettings


class AutoEncoderSettings(Settings):
    """Four blocks of convolution, ReLU, norm and average pooling; seven of transposed convolution, ReLU and norm."""

    pixels: PixelSettings = Field(default_factory=PixelSettings, description="What it sees.")
    features: int = Field(
        default=1024, ge=16, description="Numbers in the code of a cell: a multiple of (input_px / 16) squared."
    )
    widths: tuple[int, int, int] = Field(default=(16, 32, 64), description="Channels of the first three blocks.")
    seed: int = Field(default=1, ge=0, description="Of first weights and batches.")
    epochs: int = Field(default=5, ge=1, description="Passes over the cells.")
    batch_cells: int = Field(default=64, ge=1, description="Cells in a batch.")
    cells_max: int = Field(default=64, ge=1, description="Cells of a patient that are learnt from at most.")
    learning_rate: float = Field(default=1e-3, gt=0, lt=1, description="Highest learning rate of Adam.")
    weight_decay: float = Field(default=0.0, ge=0, lt=1, description="Decoupled weight decay; 0 is Adam.")

    @model_validator(mode="after")
    def _codes_are_squares(self) -> Self:
        side = self.pixels.input_px // 16
        if self.pixels.input_px % 16 or self.features % side**2:
            raise ValueError(f"input_px must be a multiple of 16, and features one of {side**2}")
        return self


class CellTypeSettings(Settings):
    """A network that learnt to tell types of blood cells; what it sees before its last layer is what a cell is."""

    encoder: str = Field(default="resnet50", description="Network known to timm; starts from random weights.")
    encoder_weights: str | None = Field(default=None, description="Path of pre-trained weights of that network.")
    folder: str | None = Field(
        default=None,
        description="Folder with one folder of images for each type, such as the 8 of Acevedo et al. 2020, Data in "
        "Brief 30:105474; without it the weights are used as they are.",
    )
    typed_crop_px: int = Field(
        default=360, ge=16, description="Side of the middle that is cut out of these images, pixels of the file."
    )
    pixels: PixelSettings = Field(default_factory=PixelSettings, description="What it sees of patients' cells.")
    seed: int = Field(default=1, ge=0, description="Of first weights and batches.")
    epochs: int = Field(default=10, ge=1, description="Passes over the typed cells.")
    batch_cells: int = Field(default=32, ge=1, description="Cells in a batch.")
    learning_rate: float = Field(default=1e-4, gt=0, lt=1, description="Highest learning rate of Adam.")
    weight_decay: float = Field(default=0.0, ge=0, lt=1, description="Decoupled weight decay; 0 is Adam.")

    @model_validator(mode="after")
    def _something_was_learnt(self) -> Self:
        if not (self.folder or self.encoder_weights):
            raise ValueError("neither a folder of typed cells nor encoder_weights are named")
        return self


class FeatureSettings(Settings):
    """What a cell is to models that read features."""

    source: Literal["autoencoder", "morphology", "cell_types"] = Field(
        default="autoencoder",
        description="Codes of an auto-encoder, measured size, shape, colour and grain, or what a network for types of "
        "blood cells sees.",
    )
    autoencoder: AutoEncoderSettings = Field(default_factory=AutoEncoderSettings, description="The auto-encoder.")
    is_standardised: bool = Field(default=True, description="Whether each feature gets mean 0 and deviation 1.")
    components: int = Field(default=100, ge=0, description="Principal components kept at most; 0 keeps all features.")
    cell_types: CellTypeSettings | None = Field(
        default=None, exclude_if=lambda types: types is None, description="The network for types of blood cells."
    )

    @model_validator(mode="after")
    def _types_are_told(self) -> Self:
        if (self.source == "cell_types") != (self.cell_types is not None):
            raise ValueError('source "cell_types" and settings of cell_types belong together')
        return self
