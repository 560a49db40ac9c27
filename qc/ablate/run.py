"""The runs of an ablation. In: settings, tiles, points. Out: the tally of each test slide for each point.

A finished run lies in a folder that is named by all that decides its figures, and is read instead of trained again.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qc.ablate.blocks import BlockLabels
from qc.ablate.design import Point, noise_of, training_of
from qc.ablate.judge import score_maps, tally_slides
from qc.ablate.network import VariedNetwork, build_varied
from qc.ablate.tally import SlideTally
from qc.ablate.tiles import AblationTiles, training_tiles
from qc.config.ablate import AblateSettings
from qc.config.train import TrainSettings
from qc.errors import SettingsError
from qc.files import replacing, write_text
from qc.labels import ArtefactClass
from qc.train.bank import PartOfBank, TileBank
from qc.train.fit import Machine, fit
from qc.version import __version__

_RESULT, _MAPS = "result.json", "maps.npy"
Say = Callable[[str], None]
"""Called with what begins."""


@dataclass(frozen=True)
class Experiment:
    """What all runs share.

    Attributes:
        settings: Of the ablation.
        training: The training that is varied.
        classes: What networks tell apart, in the order of their logits.
        bank: All tiles.
        tiles: Which of them train and which judge.
        shown: Tiles of the test that are shown in pictures.
        folder: Where runs are kept.
        machine: Where they are trained.
    """

    settings: AblateSettings
    training: TrainSettings
    classes: tuple[ArtefactClass, ...]
    bank: TileBank
    tiles: AblationTiles
    shown: tuple[int, ...]
    folder: Path
    machine: Machine

    @property
    def cell_px(self) -> int:
        """Side of the cells that runs are compared on, in pixels of a tile."""
        return round(self.settings.test.cell_um / self.bank.mpp)


@dataclass(frozen=True, eq=False)
class Result:
    """One run.

    Attributes:
        point: Its choices.
        tallies: Of the test slides, in the order of their names.
        maps: (n, h, w) scores of the tiles that are shown.
        parameters: Of its network.
    """

    point: Point
    tallies: tuple[SlideTally, ...]
    maps: NDArray[np.float32]
    parameters: int


def run_point(point: Point, experiment: Experiment, say: Say = lambda _text: None) -> Result:
    """Train and judge, or read what an earlier run with the same settings found.

    Args:
        point: The choices.
        experiment: What all runs share.
        say: Told when something is trained.

    Raises:
        SettingsError: If tiles cannot be seen at the point's resolution or cut into windows.
    """
    fingerprint = _fingerprint(point, experiment)
    folder = experiment.folder / f"{point.name}-{fingerprint[:8]}"
    if not (folder / _RESULT).is_file():
        say(f"training {point.name}")
        network = _trained(point, experiment, folder)
        _judge(network, experiment, folder, fingerprint)
    found = json.loads((folder / _RESULT).read_text(encoding="utf-8"))
    tallies = tuple(SlideTally.from_json(one) for one in found["slides"])
    return Result(point, tallies, np.load(folder / _MAPS), found["parameters"])


def _trained(point: Point, experiment: Experiment, folder: Path) -> VariedNetwork:
    settings, bank = experiment.settings, experiment.bank
    training = training_of(point, settings, experiment.training)
    reduction = _whole(point.mpp / bank.mpp, f"{point.mpp:g} mpp is no multiple of the tiles' {bank.mpp:g}")
    window_px = None
    if point.output == "detection":
        window_px = _whole(settings.window_um / bank.mpp, "a window is no whole number of pixels")
    network = build_varied(training.network, len(experiment.classes), reduction, window_px, training.seed)
    labels = BlockLabels(settings.window_share) if window_px else None
    tiles = training_tiles(bank, experiment.tiles.train, noise_of(point, settings), point.seed)
    fit(tiles, None, experiment.classes, training, folder, experiment.machine, network, labels)
    return network.eval()


def _judge(network: VariedNetwork, experiment: Experiment, folder: Path, fingerprint: str) -> None:
    bank, classes, cell_px = experiment.bank, experiment.classes, experiment.cell_px
    test, real = PartOfBank(bank, experiment.tiles.test), PartOfBank(bank, experiment.tiles.real)
    test_maps, real_maps = (score_maps(network, part, classes, cell_px) for part in (test, real))
    places = [test.indices.index(index) for index in experiment.shown]
    with replacing(folder / _MAPS) as partial:
        np.save(partial, test_maps[places])
    tallies = tally_slides(test, test_maps, real, real_maps, cell_px)
    result = {
        "fingerprint": fingerprint,
        "parameters": sum(one.numel() for one in network.parameters()),
        "slides": [one.as_json() for one in tallies],
    }
    write_text(folder / _RESULT, json.dumps(result) + "\n")


def _whole(ratio: float, problem: str) -> int:
    if abs(ratio - round(ratio)) > 1e-6 or ratio < 1:
        raise SettingsError(problem, "choose a multiple")
    return round(ratio)


def _fingerprint(point: Point, experiment: Experiment) -> str:
    settings = experiment.settings
    parts = (
        point.name,
        training_of(point, settings, experiment.training).model_dump_json(),
        settings.test.model_dump_json(exclude={"repeats"}),
        f"{settings.window_um} {settings.window_share}" if point.output == "detection" else "",
        repr((experiment.tiles, experiment.shown)),
        experiment.bank.fingerprint,
        __version__,
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
