"""An experiment on one manifest: its tiles, parts and pixels. In: a manifest file. Out: a bench for arms."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from qc.config.downstream import ClassifierSettings, CompareSettings
from qc.downstream.arms import Bench
from qc.downstream.bank import read_bank
from qc.downstream.cases import labelled, parts
from qc.manifest import read_manifest


@dataclass(frozen=True)
class Experiment:
    """A manifest made ready.

    Attributes:
        tiles: Labelled candidate tiles, kept or not.
        bench: What arms are trained and tested on.
    """

    tiles: pd.DataFrame
    bench: Bench

    @property
    def removed_share(self) -> float:
        """Share of the tiles that the filter removed, 0-1."""
        return 1 - float(self.tiles["is_kept"].to_numpy().mean())


def prepare(
    manifest: Path,
    classifier: ClassifierSettings,
    compare: CompareSettings,
    folder: Path,
    trained: Callable[[], None] = lambda: None,
) -> Experiment:
    """Read a manifest and its pixels.

    Args:
        manifest: What `qc filter` wrote.
        classifier: Labels, and the size that a network sees.
        compare: Parts and seeds.
        folder: For pixels and weights.
        trained: Called after each training.
    """
    tiles = labelled(read_manifest(manifest).tiles, (classifier.negative, classifier.positive))
    bank = read_bank(tiles, classifier.input_px, folder / "pixels")
    return Experiment(tiles, Bench(parts(tiles, compare), bank, compare.seeds, folder / "trainings", trained))
