"""What a training keeps beside checkpoints: a note of what it is, a table. In: settings and tiles, losses. Out: files."""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L  # noqa: N812 - its own documentation's name

from qc.config.train import TrainSettings
from qc.errors import SettingsError
from qc.files import write_text
from qc.labels import ArtefactClass
from qc.train.dataset import Ref

_NOTE = "training.sha256"


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
