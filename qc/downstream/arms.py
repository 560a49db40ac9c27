"""Arms of an experiment: one classifier trained and tested in stated ways. In: parts of a manifest. Out: scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from qc.config.downstream import ClassifierSettings
from qc.downstream.bank import Bank
from qc.downstream.cases import Part
from qc.downstream.classifier import Classifier, train_classifier
from qc.downstream.compare import Scores
from qc.downstream.slide_score import slide_scores, slides_of


@dataclass(frozen=True)
class Arm:
    """One way to train and to test.

    Attributes:
        name: For tables.
        classifier: Its settings.
        filters_training: Only tiles that the manifest keeps are trained on.
        filters_inference: Only these are called; a slide without any is not scored.
    """

    name: str
    classifier: ClassifierSettings
    filters_training: bool = False
    filters_inference: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of an arm.

    Attributes:
        arm: Which.
        scores: Of the test slides of all parts.
        tiles: A row per test tile and training: the manifest's columns, `target`, `probability`, `seed`, `part`.
    """

    arm: Arm
    scores: Scores
    tiles: pd.DataFrame


@dataclass(frozen=True)
class Bench:
    """What all arms of an experiment share.

    Attributes:
        parts: To train and test; together they test each slide once.
        bank: Pixels of all tiles.
        seeds: A training for each.
        folder: For weights; what lies there is not trained again.
        trained: Called after each training.
    """

    parts: Sequence[Part]
    bank: Bank
    seeds: Sequence[int]
    folder: Path
    trained: Callable[[], None] = field(default=lambda: None)

    def classifier(self, arm: Arm, part: Part, seed: int) -> Classifier:
        """One training of an arm, or what was kept of it."""
        table = kept(part.train) if arm.filters_training else part.train
        # as many steps with the filter as without: what differs is what is seen, not how long
        found = train_classifier(table, self.bank, arm.classifier, seed, self.folder, len(part.train))
        self.trained()
        return found

    def outcome(self, arm: Arm, tested_on: Bank | None = None) -> Outcome:
        """Train an arm with every seed and test it.

        Args:
            arm: Which.
            tested_on: Other pixels of the test tiles, such as blurred ones.
        """
        tables, tiles = [], []
        for seed in self.seeds:
            of_parts = [self._tested(arm, part, seed, tested_on or self.bank) for part in self.parts]
            slides = pd.concat([slides_of(part.test) for part in self.parts], ignore_index=True)
            together = pd.concat(of_parts, ignore_index=True)
            tables.append(slide_scores(together, slides))
            tiles.append(together)
        return Outcome(arm, Scores.of(tables), pd.concat(tiles, ignore_index=True))

    def _tested(self, arm: Arm, part: Part, seed: int, bank: Bank) -> pd.DataFrame:
        table = kept(part.test) if arm.filters_inference else part.test
        found = self.classifier(arm, part, seed).probabilities(table, bank)
        return table.assign(probability=found, seed=seed, part=part.name)


def kept(table: pd.DataFrame) -> pd.DataFrame:
    """The tiles that the filter left."""
    return table.loc[table["is_kept"]].reset_index(drop=True)
