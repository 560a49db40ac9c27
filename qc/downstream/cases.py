"""Labelled tiles, split by patient. In: the manifest's tile table. Out: parts to train and test that share nobody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qc.config.downstream import CompareSettings
from qc.errors import ManifestError, SettingsError

TRAIN, TEST, FOLD = "train", "test", "fold-"
"""Names that `qc split` gives to parts; folds are numbered."""


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

    Of a manifest's own split one part is tested on, and what is trained on is `train` and all other folds. Where no
    part is named and none is called `test`, each fold is tested on in turn.

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
    if tested := tested_of_split(tiles["split"], settings):
        return tuple(_of_split(tiles, name) for name in tested)
    count = folds or max(2, round(1 / settings.test_share))
    fold_of = _dealt(tiles, count, seed)
    number = np.array([fold_of[person] for person in tiles["person"]])
    return tuple(
        _checked(Part(f"fold-{fold}", _rows(tiles, number != fold), _rows(tiles, number == fold)))
        for fold in range(folds or 1)
    )


def tested_of_split(splits: Iterable[str], settings: CompareSettings) -> tuple[str, ...]:
    """Parts of the manifest's own split that are tested on in turn; none where the settings or a draw decide.

    Args:
        splits: The manifest's column `split`.
        settings: What goes before it.
    """
    names = set(splits) - {""}
    if settings.folds or settings.test_patients or not (names or settings.test_split):
        return ()
    folds = sorted((name for name in names if name.startswith(FOLD)), key=_in_order)
    if settings.test_split or TEST in names or not folds:
        return (settings.test_split or TEST,)
    return tuple(folds)


def _of_split(tiles: pd.DataFrame, tested: str) -> Part:
    """One part of a manifest's split against those that are trained on; what else was held out is left alone."""
    names = sorted(set(tiles["split"]) - {""}, key=_in_order)
    trained = [name for name in names if name != tested and (name == TRAIN or name.startswith(FOLD))]
    if tested not in names or not trained:
        missing = TRAIN if tested in names else tested
        raise SettingsError(
            f"the manifest's split has no part {missing}; it has {', '.join(names) or 'none'}",
            "split it again with qc split, or name the part to test on as test_split",
        )
    return _checked(Part(tested, *(_rows(tiles, tiles["split"].isin(part).to_numpy()) for part in (trained, [tested]))))


def _in_order(name: str) -> tuple[str, int]:
    """Folds by their number: `fold-10` comes after `fold-9`."""
    number = name.removeprefix(FOLD)
    return (FOLD, int(number)) if number.isdecimal() else (name, 0)


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
