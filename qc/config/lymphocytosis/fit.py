"""Settings of how fast and how long models learn."""

from typing import Literal, Self

from pydantic import Field, model_validator

from qc.config.base import Settings


class PaceSettings(Settings):
    """Another way to optimise than the house's, as the published recipes name them."""

    optimiser: Literal["adam", "sgd", "rmsprop"] = Field(
        default="adam", description="Adam (decoupled weight decay), SGD with momentum 0.9, or RMSprop."
    )
    schedule: Literal["cosine", "exponential", "plateau"] = Field(
        default="exponential",
        description="cosine: rises, then falls. exponential: times `factor` after each epoch. plateau: times `factor` "
        "when the loss on patients that are held out has not fallen for `patience_epochs`.",
    )
    factor: float = Field(default=0.9, gt=0, lt=1, description="By which the rate falls; published: 0.9 and 0.8.")
    patience_epochs: int = Field(default=4, ge=0, description="Epochs without a lower loss that a plateau waits.")
    stop_epochs: int = Field(
        default=0, ge=0, description="Epochs without a lower loss of the held out after which training ends; 0: never."
    )
    held_out_share: float = Field(
        default=0.0,
        ge=0,
        le=0.5,
        description="Share of the patients that are trained on (0-1) that is held out, alike in label, age and count.",
    )

    @model_validator(mode="after")
    def _somebody_is_held_out(self) -> Self:
        if (self.schedule == "plateau" or self.stop_epochs) and not self.held_out_share:
            raise ValueError("a plateau, and an early end, need held_out_share above 0")
        return self


class BagFitSettings(Settings):
    """AdamW with a rising, then falling rate over bags, unless `pace` says otherwise; the last weights are taken."""

    epochs: int = Field(default=20, ge=1, description="Passes over the patients.")
    batch_patients: int = Field(default=8, ge=1, description="Patients in a batch.")
    cells_max: int = Field(default=16, ge=1, description="Cells drawn of a patient in an epoch at most.")
    learning_rate: float = Field(default=1e-3, gt=0, lt=1, description="Highest learning rate.")
    weight_decay: float = Field(default=1e-4, ge=0, lt=1, description="Decoupled weight decay.")
    reactive_weight: float = Field(default=1.0, gt=0, description="Weight of a reactive patient in the loss.")
    tumoral_weight: float = Field(default=1.0, gt=0, description="Weight of a tumoral patient in the loss.")
    pace: PaceSettings | None = Field(
        default=None, exclude_if=lambda pace: pace is None, description="Another optimiser or schedule."
    )


class BoostingSettings(Settings):
    """Gradient boosting over a few values of each patient."""

    trees: int = Field(default=100, ge=1, description="Number of trees.")
    learning_rate: float = Field(default=0.1, gt=0, le=1, description="Share of each tree that counts.")
    depth: int = Field(default=3, ge=1, le=10, description="Questions asked in a row by a tree.")
    positive_weight: float = Field(
        default=98 / 142, gt=0, description="Weight of a tumoral patient against a reactive one; 98/142 as published."
    )
