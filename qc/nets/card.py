"""What is known of trained weights: a card beside them. Needs no torch.

A network is a folder with three files: `weights.safetensors` to train on from, `network.onnx` to run, and `card.json`
with the classes, the resolution, the thresholds, the figures, the licences of the data and the hashes of the other two.
"""

import hashlib
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from qc.config.base import Settings
from qc.config.train import NetworkSettings
from qc.errors import WeightsError
from qc.labels import ArtefactClass

WEIGHTS, GRAPH, CARD = "weights.safetensors", "network.onnx", "card.json"
INT8_GRAPH = "network-int8.onnx"
"""The graph in whole numbers of 8 bits, where `qc train quantise` wrote one."""

Use = Literal["train", "evaluate"]


class SourceCard(Settings):
    """One source of training data."""

    name: str = Field(description="Its name.")
    licence: str = Field(description="Licence of the pixels.")
    use: Use = Field(description="train: weights may be published.")
    slides: tuple[str, ...] = Field(description="Slides that tiles were drawn from.")


class Card(Settings):
    """One network."""

    name: str = Field(description="Name for records and reports.")
    task: Literal["artefact", "tissue"] = Field(description="What it tells apart.")
    classes: tuple[str, ...] = Field(description="Names of the classes in the order of its outputs.")
    mpp: float = Field(gt=0, description="Micrometres per pixel that it was trained at.")
    tissue_density: float | None = Field(
        default=None,
        gt=0,
        description="Optical density that a slide's tissue is brought to before the network sees it, and its glass to "
        "a standard white; null where pixels are seen as they are.",
    )
    network: NetworkSettings = Field(description="How it is built.")
    thresholds: dict[str, float] = Field(description="Probability from which a class is called, 0-1.")
    temperature: float = Field(gt=0, description="What logits were divided by; already in the graph.")
    prior: dict[str, float] = Field(description="Natural logarithms added to logits for the true prevalence; likewise.")
    sources: tuple[SourceCard, ...] = Field(description="What it was trained on.")
    held_out: tuple[str, ...] = Field(description="Slides kept from training, for measuring.")
    settings_fingerprint: str = Field(description="SHA-256 of the training's settings.")
    software_version: str = Field(description="Of what trained it.")
    figures: dict[str, float | None] = Field(description="Measured on slides that were not trained on.")
    weights_sha256: str = Field(description="Of the weights.")
    graph_sha256: str = Field(description="Of the graph.")
    int8_sha256: str | None = Field(default=None, description="Of the graph in 8 bits, where one was adopted.")

    @model_validator(mode="after")
    def _speaks_of_known_classes(self) -> Self:
        unknown = set(self.classes) - {one.name for one in ArtefactClass}
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is no class")
        foreign = (set(self.thresholds) | set(self.prior)) - set(self.classes)
        if foreign:
            raise ValueError(f"{', '.join(sorted(foreign))} is none of its classes")
        return self

    @property
    def ids(self) -> tuple[ArtefactClass, ...]:
        """The classes in the order of the outputs."""
        return tuple(ArtefactClass[name] for name in self.classes)

    @property
    def may_be_published(self) -> bool:
        """True when every source allows it."""
        return all(source.use == "train" for source in self.sources)


def read_card(folder: Path) -> Card:
    """The card of a network, after making sure that its files are the ones it speaks of.

    Raises:
        WeightsError: If a file is missing or not the one the card speaks of, or the card cannot be read.
    """
    path = folder / CARD
    try:
        card = Card.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WeightsError(
            f"{folder} holds no network ({CARD} is missing)", "name a folder that qc train wrote"
        ) from error
    except (ValidationError, ValueError, OSError) as error:
        raise WeightsError(f"{path} is no card of a network ({error})", "train it again or restore the file") from error
    hashes = {WEIGHTS: card.weights_sha256, GRAPH: card.graph_sha256, INT8_GRAPH: card.int8_sha256}
    for name, expected in hashes.items():
        if expected is not None and sha256(folder / name) != expected:
            raise WeightsError(f"{folder / name} is not the file that its card speaks of", "restore the folder whole")
    return card


def sha256(path: Path) -> str:
    """Of a file; empty when it is missing."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
