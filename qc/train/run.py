"""The command's whole way: sources, tiles, folds, calibration, final network. In: settings. Out: a folder with a card.

With folds, every slide is judged by a network that never saw it; the final network, trained on all slides, takes over
the temperature and the thresholds found that way. Without, validation patients serve for both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from qc.errors import SettingsError
from qc.nets.build import Network
from qc.nets.card import CARD, Card, read_card
from qc.nets.weights import load
from qc.train.bank import PartOfBank
from qc.train.calibrate import Calibration, calibrate, calibrate_tissue
from qc.train.figures import draw_curves, draw_reliability
from qc.train.fit import Fit, fit
from qc.train.job import Job
from qc.train.parts import ALL, first_network, fold_parts, kept_tiles, other_parts, slides_in, train_and_validation
from qc.train.predict import Predicted, predict
from qc.train.result import save_result


def train_part(job: Job, name: str) -> None:
    """Train one part alone, on another machine or beside others; `train` takes it up where it lies.

    Args:
        job: The training that it belongs to, with folds.
        name: `fold-0` and so on, or `all` for the network that is trained on all folds.

    Raises:
        SettingsError: If there is no such part.
    """
    kept = kept_tiles(job)
    parts = fold_parts(job, kept)
    if name == ALL and parts:
        _fit(job, kept, None, job.folder)
    elif name in parts:
        _fit(job, other_parts(parts, name), None, job.folder / name)
    else:
        raise SettingsError(f"there is no part {name}", f"name one of {', '.join([*parts, ALL])}")


def train(job: Job) -> Card:
    """Train, calibrate, write; what a broken run left in the folder is continued.

    Raises:
        SettingsError: If there are fewer patients than parts, or the first weights come from another kind of network or
            from one that knows what this one is judged on.
    """
    kept = kept_tiles(job)
    parts = fold_parts(job, kept)
    if parts:
        unseen = Predicted.pooled(_judged_by_folds(job, parts))
        training, validation = kept, None
    else:
        training, validation = train_and_validation(job, kept)
        unseen = None
    job.say("training the network")
    result = _fit(job, training, validation, job.folder)
    if unseen is None:
        unseen = _predict(job, result.network, validation or training)
    calibration = _calibrated(job, unseen)
    draw_curves(result.curves, job.folder / "curves.svg")
    draw_reliability(unseen, calibration, job.classes, job.folder / "reliability.svg")
    held_out = {*job.settings.hold_out, *(slides_in(job, kept) - slides_in(job, training))}
    return save_result(job, result, calibration, unseen, training, tuple(sorted(held_out)), job.folder)


@dataclass(frozen=True, eq=False)
class _Fold:
    """A fold's network and what it says of the slides that it left out; no fit when it was taken as it lay."""

    folder: Path
    fit: Fit | None
    training: list[int]
    left_out: list[int]
    said: Predicted


def _judged_by_folds(job: Job, parts: dict[str, list[int]]) -> list[Predicted]:
    """What each fold says of the slides that it left out; its network is kept for measuring."""
    folds = list(_folds(job, parts))
    for fold in folds:
        if fold.fit is not None:
            others = Predicted.pooled([other.said for other in folds if other is not fold])
            held_out = tuple(sorted(slides_in(job, fold.left_out)))
            save_result(job, fold.fit, _calibrated(job, others), fold.said, fold.training, held_out, fold.folder)
    return [fold.said for fold in folds]


def _folds(job: Job, parts: dict[str, list[int]]) -> Iterator[_Fold]:
    for name, left_out in parts.items():
        folder, training = job.folder / name, other_parts(parts, name)
        job.say(f"{name}: leaving out {', '.join(sorted(slides_in(job, left_out)))}")
        if (folder / CARD).is_file() and read_card(folder).settings_fingerprint == job.fingerprint:
            result, network = None, load(folder)[0].network
        else:
            result = _fit(job, training, None, folder)
            network = result.network
        yield _Fold(folder, result, training, left_out, _predict(job, network, left_out))


def _predict(job: Job, network: Network, tiles: list[int]) -> Predicted:
    return predict(network, PartOfBank(job.bank, tuple(tiles)), job.classes, job.settings.seed)


def _fit(job: Job, training: list[int], validation: list[int] | None, folder: Path) -> Fit:
    part = PartOfBank(job.bank, tuple(training))
    other = PartOfBank(job.bank, tuple(validation)) if validation else None
    return fit(part, other, job.classes, job.settings, folder, job.machine, first_network(job, training, folder))


def _calibrated(job: Job, unseen: Predicted) -> Calibration:
    if job.task == "tissue":
        return calibrate_tissue(unseen.logits, unseen.classes, job.classes)
    return calibrate(unseen.logits, unseen.classes, unseen.slides, unseen.is_real, job.classes, job.settings.operating)
