"""What is to be trained. In: settings, sources and tiles. Out: a job that `qc.train.run` carries out."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from qc.config.train import TrainSettings
from qc.labels import ArtefactClass
from qc.nets.card import SourceCard
from qc.train.bank import TileBank
from qc.train.fit import Machine

Task = Literal["artefact", "tissue"]
Say = Callable[[str], None]
"""Called with what begins."""


@dataclass(frozen=True)
class Job:
    """One training, whatever the network tells apart.

    Attributes:
        task: What it is for.
        classes: What it tells apart, in the order of its logits.
        settings: All of them.
        sources: Where its tiles come from, with all slides of each.
        parts: Shares of patients to train and to validate on, without folds.
        bank: Its tiles.
        tissue_density: What its slides' tissue was brought to, see `qc.nets.card`.
        folder: Where everything is written.
        machine: Where it is trained.
        say: Told about each step.
    """

    task: Task
    classes: tuple[ArtefactClass, ...]
    settings: TrainSettings
    sources: tuple[SourceCard, ...]
    parts: dict[str, float]
    bank: TileBank
    tissue_density: float | None
    folder: Path
    machine: Machine
    say: Say = lambda _text: None

    @property
    def fingerprint(self) -> str:
        """Of the settings and of all that the tiles were drawn from."""
        return hashlib.sha256(f"{self.settings.model_dump_json()}\n{self.bank.fingerprint}".encode()).hexdigest()
