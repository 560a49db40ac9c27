"""The command's whole way: sources, tiles, folds, calibration, final network. In: settings. Out: a folder with a card.

With folds, every slide is judged by a network that never saw it; the final network, trained on all slides, takes over
the temperature and the thresholds found that way. Without, validation patients serve for both.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from qc.artefact.training import split_patients
from qc.config.train import TrainSettings
from qc.errors import SettingsError
from qc.labels import ArtefactClass
from qc.metrics.ranking import auroc
from qc.nets.build import Network
from qc.nets.calibrated import Calibrated
from qc.nets.card import CARD, Card, SourceCard, read_card
from qc.nets.packaged import network_folder
from qc.nets.weights import load, save
from qc.train.bank import PartOfBank, TileBank
from qc.train.calibrate import Calibration, calibrate, calibrate_tissue
from qc.train.dataset import Ref
from qc.train.figures import draw_curves, draw_reliability
from qc.train.fit import Fit, Machine, fit
from qc.train.predict import Predicted, predict
from qc.version import __version__

Task = Literal["artefact", "tissue"]
ALL = "all"
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


def train_part(job: Job, name: str) -> None:
    """Train one part alone, on another machine or beside others; `train` takes it up where it lies.

    Args:
        job: The training that it belongs to, with folds.
        name: `fold-0` and so on, or `all` for the network that is trained on all folds.

    Raises:
        SettingsError: If there is no such part.
    """
    kept = _kept(job)
    parts = _fold_parts(job, kept) if job.settings.folds else {}
    if name == ALL and parts:
        _fit(job, kept, None, job.folder)
    elif name in parts:
        _fit(job, _others(parts, name), None, job.folder / name)
    else:
        raise SettingsError(f"there is no part {name}", f"name one of {', '.join([*parts, ALL])}")


def train(job: Job) -> Card:
    """Train, calibrate, write; what a broken run left in the folder is continued.

    Raises:
        SettingsError: If there are fewer patients than parts, or the first weights come from another kind of network or
            from one that knows what this one is judged on.
    """
    kept = _kept(job)
    if job.settings.folds:
        unseen = Predicted.pooled(list(_folds(job, kept)))
        held_out, validation, training = list(job.settings.hold_out), None, kept
    else:
        if not {"train", "validation"} <= set(job.parts):
            raise SettingsError(
                f"the sources' parts {', '.join(job.parts)} lack train or validation", "name both, or set folds"
            )
        parts = _split(job.bank.refs, kept, job.parts, job.settings.seed)
        validation, training = parts["validation"], parts["train"]
        held_out = sorted({job.bank.refs[index].slide for index in kept} - _slides(job, training))
        unseen = None
    job.say("training the network")
    result = _fit(job, training, validation, job.folder)
    if unseen is None:
        unseen = predict(
            result.network, PartOfBank(job.bank, tuple(validation or training)), job.classes, job.settings.seed
        )
    calibration = _calibrated(job, unseen)
    draw_curves(result.curves, job.folder / "curves.svg")
    draw_reliability(unseen, calibration, job.classes, job.folder / "reliability.svg")
    return _save(job, result, calibration, unseen, training, tuple(held_out), job.folder)


def _folds(job: Job, kept: list[int]) -> Sequence[Predicted]:
    """Predictions of each part by a network trained on the others; each fold's network is kept for measuring."""
    parts = _fold_parts(job, kept)
    found: list[tuple[Path, Fit | None, list[int], list[int], Predicted]] = []
    for name, test in parts.items():
        folder = job.folder / name
        training = _others(parts, name)
        job.say(f"{name}: leaving out {', '.join(sorted(_slides(job, test)))}")
        if (folder / CARD).is_file() and read_card(folder).settings_fingerprint == _fingerprint(job):
            result, network = None, load(folder)[0].network
        else:
            result = _fit(job, training, None, folder)
            network = result.network
        part = PartOfBank(job.bank, tuple(test))
        found.append((folder, result, training, test, predict(network, part, job.classes, job.settings.seed)))
    for place, (folder, result, training, test, _own) in enumerate(found):
        if result is not None:
            others = Predicted.pooled([one[-1] for other, one in enumerate(found) if other != place])
            held_out = tuple(sorted(_slides(job, test)))
            _save(job, result, _calibrated(job, others), found[place][-1], training, held_out, folder)
    return [one[-1] for one in found]


def _kept(job: Job) -> list[int]:
    return [index for index, ref in enumerate(job.bank.refs) if ref.slide not in job.settings.hold_out]


def _fold_parts(job: Job, kept: list[int]) -> dict[str, list[int]]:
    count = job.settings.folds
    return _split(job.bank.refs, kept, {f"fold-{n}": 1 / count for n in range(count)}, job.settings.seed)


def _others(parts: dict[str, list[int]], name: str) -> list[int]:
    return [index for other, indices in parts.items() if other != name for index in indices]


def _split(refs: Sequence[Ref], kept: list[int], parts: dict[str, float], seed: int) -> dict[str, list[int]]:
    split = split_patients([refs[index] for index in kept], parts, seed)
    if not all(split.values()):
        raise SettingsError(f"too few patients for {len(parts)} parts", "name more sources or ask for fewer folds")
    return {name: [kept[place] for place in places] for name, places in split.items()}


def _slides(job: Job, indices: Iterable[int]) -> set[str]:
    return {job.bank.refs[index].slide for index in indices}


def _fit(job: Job, training: list[int], validation: list[int] | None, folder: Path) -> Fit:
    part = PartOfBank(job.bank, tuple(training))
    other = PartOfBank(job.bank, tuple(validation)) if validation else None
    return fit(part, other, job.classes, job.settings, folder, job.machine, _first_network(job, training, folder))


def _first_network(job: Job, training: list[int], folder: Path) -> Network | None:
    """What the training in a folder starts from, or None for weights drawn by seed."""
    name = job.settings.start
    if not name:
        return None
    start = network_folder(name) if folder == job.folder else Path(name) / folder.name
    model, card = load(start)
    if card.classes != tuple(one.name for one in job.classes) or card.network != job.settings.network:
        raise SettingsError(
            f"{start} tells {', '.join(card.classes)} apart by {card.network}",
            "start from a network of the same task and form, or from none",
        )
    known = {slide for source in card.sources for slide in source.slides}
    leaked = (_slides(job, range(len(job.bank.refs))) - _slides(job, training)) & known
    if leaked:
        raise SettingsError(
            f"{start} was trained on {', '.join(sorted(leaked))}, which this training is judged on",
            "start from a network that left these slides out, or from none",
        )
    return model.network.train()


def _calibrated(job: Job, unseen: Predicted) -> Calibration:
    if job.task == "tissue":
        return calibrate_tissue(unseen.logits, unseen.classes, job.classes)
    return calibrate(unseen.logits, unseen.classes, unseen.slides, unseen.is_real, job.classes, job.settings.operating)


def _save(
    job: Job,
    result: Fit,
    calibration: Calibration,
    measured: Predicted,
    training: list[int],
    held_out: tuple[str, ...],
    folder: Path,
) -> Card:
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
        settings_fingerprint=_fingerprint(job),
        software_version=__version__,
        figures=_figures(job, measured, calibration, result),
    )


def _source_cards(job: Job, training: list[int]) -> Iterator[SourceCard]:
    """The sources with only the slides that were trained on."""
    slides = _slides(job, training)
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


def _fingerprint(job: Job) -> str:
    """Of the settings and of all that the tiles were drawn from."""
    return hashlib.sha256(f"{job.settings.model_dump_json()}\n{job.bank.fingerprint}".encode()).hexdigest()
