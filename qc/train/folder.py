"""What a training keeps beside checkpoints: what it is, its losses. In: settings and tiles, losses. Out: files."""

import csv
import hashlib
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812 - its own documentation's name

from qc.config.train import TrainSettings
from qc.errors import SettingsError
from qc.files import write_text
from qc.labels import ArtefactClass
from qc.train.dataset import Ref

_NOTE, _DONE = "training.sha256", "finished.json"


@dataclass(frozen=True)
class Finished:
    """How a training ended.

    Attributes:
        epochs: Epochs that were trained.
        validation_loss: Of the best epoch; NaN without validation.
    """

    epochs: int
    validation_loss: float

    def write(self, folder: Path) -> None:
        """Note that there is nothing left to train."""
        loss = None if math.isnan(self.validation_loss) else self.validation_loss
        write_text(folder / _DONE, json.dumps({"epochs": self.epochs, "validation_loss": loss}) + "\n")

    @staticmethod
    def read(folder: Path) -> "Finished | None":
        """How the training in a folder ended, or None when it has not."""
        if not (folder / _DONE).is_file():
            return None
        noted = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        loss = noted["validation_loss"]
        return Finished(noted["epochs"], math.nan if loss is None else loss)


def claim(
    folder: Path, settings: TrainSettings, classes: Sequence[ArtefactClass], parts: Sequence[Sequence[Ref]]
) -> None:
    """Note what is trained in a folder, so that nothing else is taken for its beginning.

    Args:
        folder: Made when it is not there.
        settings: All of them.
        classes: What the network tells apart.
        parts: Tiles to train on, and to validate on.

    Raises:
        SettingsError: If the folder holds another training.
    """
    what = [settings.model_dump_json(), [one.name for one in classes], [[_tile(ref) for ref in refs] for refs in parts]]
    fingerprint = hashlib.sha256(repr(what).encode()).hexdigest()
    note = folder / _NOTE
    if note.is_file() and note.read_text(encoding="utf-8").strip() != fingerprint:
        raise SettingsError(
            f"{folder} holds a training with other settings or tiles", "name another folder, or clear this one"
        )
    write_text(note, fingerprint + "\n")


def _tile(ref: Ref) -> tuple[Any, ...]:
    return ref.slide, Path(ref.file).name, sorted(ref.classes), ref.is_composed


class Curves(L.Callback):
    """Keeps what was logged in each epoch in a CSV file, with which a resumed training goes on.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:  # noqa: ARG002
        """See Lightning."""
        if trainer.is_global_zero:
            logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
            self._add({"epoch": trainer.current_epoch, **logged})

    def _add(self, row: dict[str, Any]) -> None:
        rows: list[dict[str, Any]] = []
        if self._path.is_file():
            with self._path.open(encoding="utf-8", newline="") as file:
                rows = [earlier for earlier in csv.DictReader(file) if int(earlier["epoch"]) < row["epoch"]]
        rows.append(row)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(dict.fromkeys(name for one in rows for name in one)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self._path, text.getvalue())
