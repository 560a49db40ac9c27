"""Labelled tiles, split by patient. In: the manifest's tile table. Out: parts to train and test that share nobody."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.downstream import CompareSettings
from qc.errors import ManifestError, SettingsError

TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Part:
    """What one classifier learns from and is tested on: two tile tables without a common patient.

    Raises:
        SettingsError: If a patient or a slide is in both.
    """

    name: str
    train: pd.DataFrame
    test: pd.DataFrame

    def __post_init__(self) -> None:
        for column, what in (("person", "patient"), ("slide_id", "slide")):
            both = set(self.train[column]) & set(self.test[column])
            if both:
                raise SettingsError(
                    f"{what} {min(both)} is in training and test of part {self.name}", "split by patient (qc split)"
                )


def labelled(tiles: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Tiles with one of the labels, with columns `target` (index into `labels`) and `person`.

    A slide without a patient counts as a patient of its own.

    Raises:
        ManifestError: If a label has no tile, or a slide has two labels.
    """
    chosen = tiles.loc[tiles["label"].isin(list(labels))].reset_index(drop=True)
    for label in labels:
        if not (chosen["label"] == label).any():
            raise ManifestError(
                f"no tile is labelled {label}; labels are {', '.join(sorted(set(tiles['label']))) or 'absent'}",
                "give a cohort table with labels to qc filter, or name the labels in the settings",
            )
    twice = chosen.groupby("slide_id")["label"].nunique()
    if (twice > 1).any():
        raise ManifestError(f"slide {twice.index[twice > 1][0]} has two labels", "correct the cohort table")
    person = chosen["patient"].where(chosen["patient"] != "", "slide " + chosen["slide_id"])
    return chosen.assign(target=chosen["label"].map(list(labels).index).astype("int64"), person=person)


def parts(tiles: pd.DataFrame, settings: CompareSettings, seed: int = 0) -> tuple[Part, ...]:
    """Parts to train and test: a cross-validation by patient, named patients, the manifest's own split, or a draw.

    Args:
        tiles: From `labelled`.
        settings: Which of these, in this order.
        seed: Of the draw; patients of a label are dealt out in turn, so that parts hold alike of each.

    Raises:
        SettingsError: If a part would lack a label, or the manifest's split is of other names.
    """
    folds = settings.folds
    if not folds and settings.test_patients:
        is_test = tiles["patient"].isin(list(settings.test_patients)).to_numpy()
        return (_checked(Part("named", _rows(tiles, ~is_test), _rows(tiles, is_test))),)
    if not folds and bool((tiles["split"] != "").any()):
        return (_checked(Part("split", *(_named(tiles, name) for name in (TRAIN, TEST)))),)
    count = folds or max(2, round(1 / settings.test_share))
    fold_of = _dealt(tiles, count, seed)
    number = np.array([fold_of[person] for person in tiles["person"]])
    return tuple(
        _checked(Part(f"fold-{fold}", _rows(tiles, number != fold), _rows(tiles, number == fold)))
        for fold in range(folds or 1)
    )


def _named(tiles: pd.DataFrame, name: str) -> pd.DataFrame:
    found = _rows(tiles, (tiles["split"] == name).to_numpy())
    if found.empty:
        names = ", ".join(sorted(set(tiles["split"])))
        raise SettingsError(f"the manifest's split has no part {name} but {names}", "split it again with qc split")
    return found


def _rows(tiles: pd.DataFrame, chosen: NDArray[np.bool_]) -> pd.DataFrame:
    return tiles.loc[chosen].reset_index(drop=True)


def _dealt(tiles: pd.DataFrame, count: int, seed: int) -> dict[str, int]:
    """Patients with most tiles first, each into the fold with the fewest tiles of its label so far."""
    people = tiles.groupby("person").agg(target=("target", "max"), tiles=("target", "size")).reset_index()
    people = people.iloc[np.random.default_rng(seed).permutation(len(people))]
    people = people.sort_values("tiles", ascending=False, kind="stable")
    load: dict[tuple[int, int], tuple[int, int]] = {}
    fold_of = {}
    for row in people.itertuples():
        fold = min(range(count), key=lambda fold: load.get((row.target, fold), (0, 0)))
        number, amount = load.get((row.target, fold), (0, 0))
        load[row.target, fold] = number + 1, amount + int(row.tiles)
        fold_of[str(row.person)] = fold
    return fold_of


def _checked(part: Part) -> Part:
    for name, table in ((TRAIN, part.train), (TEST, part.test)):
        if len(set(table["target"])) < 2:
            raise SettingsError(
                f"{name} of part {part.name} does not hold both labels", "use fewer folds, or more patients"
            )
    return part
