"""A trained network as it is kept. In: a fit and its calibration. Out: a folder with weights, graph and card."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qc.metrics.ranking import auroc
from qc.nets.calibrated import Calibrated
from qc.nets.card import Card, SourceCard
from qc.nets.weights import save
from qc.train.calibrate import Calibration
from qc.train.fit import Fit
from qc.train.job import Job
from qc.train.parts import slides_in
from qc.train.predict import Predicted
from qc.version import __version__


def save_result(
    job: Job,
    result: Fit,
    calibration: Calibration,
    measured: Predicted,
    training: list[int],
    held_out: tuple[str, ...],
    folder: Path,
) -> Card:
    """Write a network with all that is known of it.

    Args:
        job: That it was trained for.
        result: The network.
        calibration: How its logits are read.
        measured: What it, or the networks of the folds, said of unseen slides, for the card's figures.
        training: Tiles it was trained on.
        held_out: Slides that were left out.
        folder: Where to.
    """
    model = Calibrated(result.network, calibration.temperature, list(calibration.prior)).eval()
    return save(
        model,
        folder,
        name=f"{job.task} network 1",
        task=job.task,
        classes=tuple(one.name for one in job.classes),
        mpp=job.bank.mpp,
        tissue_density=job.tissue_density,
        thresholds={one.name: value for one, value in calibration.thresholds.items()},
        sources=tuple(_source_cards(job, training)),
        held_out=held_out,
        settings_fingerprint=job.fingerprint,
        software_version=__version__,
        figures=_figures(job, measured, calibration, result),
    )


def _source_cards(job: Job, training: list[int]) -> Iterator[SourceCard]:
    """The sources with only the slides that were trained on."""
    slides = slides_in(job, training)
    for one in job.sources:
        yield one.model_copy(update={"slides": tuple(name for name in one.slides if name in slides)})


def _figures(job: Job, measured: Predicted, calibration: Calibration, result: Fit) -> dict[str, float | None]:
    """Of single cells and of weakly labelled tiles, by slides that the network was not trained on."""
    p = calibration.probabilities(measured.logits)
    kinds = [index for index, one in enumerate(job.classes) if one in calibration.thresholds]
    suspicion = p[:, kinds].sum(axis=1)
    limits = np.array([calibration.thresholds[job.classes[index]] for index in kinds])
    figures: dict[str, float] = {"epochs": result.epochs, "cells": len(p)}
    for index, one in enumerate(job.classes):
        truth = measured.classes == index
        figures[f"auroc_{one.name.lower()}"] = auroc(truth, p[:, index])
        if one in calibration.thresholds:
            called = suspicion >= limits[p[:, kinds].argmax(axis=1)]
            figures[f"tpr_{one.name.lower()}"] = float(called[truth].mean()) if truth.any() else math.nan
    figures["weak_tiles"] = len(measured.tile_scores)
    figures["auroc_weak_tiles"] = auroc(measured.tile_truth, measured.tile_scores)
    return {name: None if math.isnan(value) else round(value, 4) for name, value in figures.items()}
