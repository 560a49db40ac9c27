"""Tiles of an ablation. In: a bank. Out: tiles to train on, tiles to judge on, labels made worse on purpose.

Runs are trained on tiles whose every pixel is labelled, so that shares mean what they say; tiles of real artefacts,
whose labels say what is somewhere in them, are kept for judging.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from qc.artefact.training import split_patients, spoil
from qc.config.ablate import AblateSettings
from qc.config.training import LabelNoiseSettings
from qc.labels import ArtefactClass
from qc.train.bank import KeptTile, PartOfBank, TileBank
from qc.train.dataset import Ref, Tile
from qc.train.loaders import Source


@dataclass(frozen=True)
class AblationTiles:
    """What all runs share.

    Attributes:
        train: Indices into the bank.
        test: Indices of clean tiles and of tiles with composed artefacts, of other patients.
        real: Indices of tiles of these with a weak label, and of clean ones to compare with.
    """

    train: tuple[int, ...]
    test: tuple[int, ...]
    real: tuple[int, ...]


def choose_tiles(bank: TileBank, settings: AblateSettings, seed: int) -> AblationTiles:
    """Patients split in two; of the test slides the same number of tiles each, drawn at random.

    Args:
        bank: All tiles.
        settings: `test`.
        seed: Of the split and of what is drawn.

    Raises:
        SettingsError: If a patient would be on both sides.
    """
    share = settings.test.slide_share
    split = split_patients(bank.refs, {"train": 1 - share, "test": share}, seed)
    exact = [index for index in split["train"] if bank.refs[index].weak is None]
    order = np.random.default_rng([seed, 3]).permutation(np.array(split["test"], int)).tolist()
    test = [index for index in order if bank.refs[index].weak is None]
    most = {True: settings.test.composed_tiles, False: settings.test.clean_tiles}
    chosen = _few(bank.refs, test, lambda ref: most[ref.is_composed])
    found = [index for index in order if not bank.refs[index].is_composed]
    real = _few(bank.refs, found, lambda _ref: settings.test.real_tiles, by_class=False)
    return AblationTiles(tuple(exact), tuple(chosen), tuple(real))


def _few(refs: Sequence[Ref], indices: list[int], most: Callable[[Ref], int], by_class: bool = True) -> list[int]:
    taken: Counter[tuple[str, object]] = Counter()
    few = []
    for index in indices:
        ref = refs[index]
        kind = (ref.slide, ref.classes if by_class else bool(ref.classes))
        taken[kind] += 1
        if taken[kind] <= most(ref):
            few.append(index)
    return sorted(few)


@dataclass(frozen=True)
class SpoiltTiles:
    """Tiles whose labels are made worse on purpose, the same each time a tile is read.

    Attributes:
        tiles: With exact labels.
        noise: What is done to them.
        mpp: Micrometres per pixel.
        seed: Of what is missed and where areas slip to.
    """

    tiles: PartOfBank
    noise: LabelNoiseSettings
    mpp: float
    seed: int

    @property
    def refs(self) -> tuple[Ref, ...]:
        """What each tile is."""
        return self.tiles.refs

    def read(self, index: int, label: ArtefactClass, draw: int) -> Tile:
        """One tile; see `TileBank.read`."""
        tile = self.tiles.read(index, label, draw)
        rng = np.random.default_rng([self.seed, 4, index])
        return KeptTile(tile.rgb, spoil(tile.classes, self.mpp, self.noise, rng), self.mpp, tile.ref)


def training_tiles(bank: TileBank, indices: tuple[int, ...], noise: LabelNoiseSettings, seed: int) -> Source:
    """What one run trains on.

    Args:
        bank: All tiles.
        indices: Those to train on.
        noise: Of their labels.
        seed: Of the noise.
    """
    if noise.only_positive:
        indices = tuple(index for index in indices if bank.refs[index].classes)
    part = PartOfBank(bank, indices)
    if noise == LabelNoiseSettings():
        return part
    return SpoiltTiles(part, noise, bank.mpp, seed)
