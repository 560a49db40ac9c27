"""What the commands do. In: folders and settings. Out: a model file, predictions with pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from qc.config.lymphocytosis import LymphocytosisSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cells import measure_all
from qc.downstream.lymphocytosis.cohort import Patient, read_cohort
from qc.downstream.lymphocytosis.model import Bench, Judged
from qc.downstream.lymphocytosis.model_file import Trained, load_model, save_model
from qc.downstream.lymphocytosis.pictures import write_sheets
from qc.downstream.lymphocytosis.registry import model_of
from qc.files import replacing

Done = Callable[[], None]


def train_model(settings: LymphocytosisSettings, patients: Sequence[Patient], work: Path, out: Path, done: Done) -> int:
    """Train on all patients and write the file.

    Args:
        settings: Cells, quality, model, seed.
        patients: With labels, both of them.
        work: For measured cells and trainings; a run that was stopped goes on there.
        out: File to write.
        done: Called after each patient measured.

    Returns:
        Cells that were left out.
    """
    bags = Bags(tuple(patients), measure_all(patients, settings.cells, work / "cells", done))
    kept = bags.kept(settings.quality)
    tensors = model_of(settings.model).fit(kept, Bench(work, settings.cells), settings.seed)
    save_model(Trained(settings, tensors, len(bags)), out)
    return int(bags.counts.sum() - kept.counts.sum())


def predict(path: Path, patients: Sequence[Patient], work: Path, done: Done) -> tuple[pd.DataFrame, Bags, Judged]:
    """What a trained model says of patients.

    Returns:
        A row per patient: `patient`, `probability` (of tumoral), `call` (1 tumoral, 0 reactive), `cells` used and
        `cells_left_out`; the bags that were judged; and what was said.

    Raises:
        WeightsError: If the file is no model.
    """
    trained = load_model(path)
    settings = trained.settings
    bags = Bags(tuple(patients), measure_all(patients, settings.cells, work / "cells", done))
    kept = bags.kept(settings.quality)
    judged = model_of(settings.model).judge(trained.tensors, kept, Bench(work, settings.cells))
    table = pd.DataFrame(
        {
            "patient": [one.name for one in patients],
            "probability": judged.chance,
            "call": judged.is_tumoral.astype(np.int64),
            "cells": kept.counts,
            "cells_left_out": bags.counts - kept.counts,
        }
    )
    return table, kept, judged


def write_predictions(path: Path, data: Path, out: Path, sheets: Path | None, work: Path, done: Done) -> int:
    """`out` as CSV and, where a folder is given, a sheet of each patient's cells; the number of patients."""
    patients = read_cohort(data, needs_labels=False)
    table, bags, judged = predict(path, patients, work, done)
    with replacing(out) as partial:
        table.to_csv(partial, index=False)
    if sheets is not None:
        write_sheets(bags, judged, load_model(path).settings.cells, sheets)
    return len(table)
