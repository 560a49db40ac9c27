"""A trained model in one file. In: arrays and what they were learnt by. Out: a safetensors file, and back."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from qc.config.lymphocytosis import LymphocytosisSettings
from qc.downstream.lymphocytosis.morphology import NAMES
from qc.downstream.lymphocytosis.tensors import Tensors
from qc.errors import WeightsError
from qc.files import replacing
from qc.version import __version__

_KEY, _FORMAT = "slidegate", 1


@dataclass(frozen=True)
class Trained:
    """What a file holds.

    Attributes:
        settings: What it was learnt by.
        tensors: Arrays of the model.
        patients: How many patients it was learnt from.
        software_version: Of the program that learnt it.
    """

    settings: LymphocytosisSettings
    tensors: Tensors
    patients: int
    software_version: str = __version__


def save_model(trained: Trained, path: Path) -> None:
    """Write the file; it holds numbers and settings, no code and no pixels."""
    note = {
        "format": _FORMAT,
        "task": "lymphocytosis",
        "settings": trained.settings.model_dump(mode="json"),
        "values": list(NAMES),
        "patients": trained.patients,
        "software_version": trained.software_version,
    }
    with replacing(path) as partial:
        arrays = {name: np.ascontiguousarray(one) for name, one in trained.tensors.items()}
        save_file(arrays, partial, metadata={_KEY: json.dumps(note)})


def load_model(path: Path) -> Trained:
    """Read a file.

    Raises:
        WeightsError: If it is missing, damaged or of another task or format.
    """
    try:
        with safe_open(path, framework="numpy") as handle:
            note = json.loads((handle.metadata() or {}).get(_KEY, "{}"))
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 - it is no dictionary
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise WeightsError(f"{path} is no trained model ({error})", "train one, or restore the file") from error
    if note.get("task") != "lymphocytosis" or note.get("format") != _FORMAT or note.get("values") != list(NAMES):
        raise WeightsError(f"{path} is not a lymphocytosis model of this version", "train it again")
    try:
        settings = LymphocytosisSettings.model_validate(note["settings"])
    except ValidationError as error:
        raise WeightsError(f"{path} was trained with settings that are unknown here", "train it again") from error
    return Trained(settings, tensors, int(note["patients"]), str(note["software_version"]))
