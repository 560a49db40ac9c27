"""The task: network, heat maps, figures, labels. In: a manifest. Out: an outcome of each way to filter."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from qc.config.metastasis import MetastasisSettings
from qc.downstream.bank import Bank, read_bank
from qc.downstream.classifier import Classifier, train_classifier
from qc.downstream.metastasis.froc import SlideHits, hits
from qc.downstream.metastasis.heat import FEATURES, HeatMap, detections, features, heat_map
from qc.downstream.metastasis.outcome import WAYS, Outcome, Way
from qc.downstream.metastasis.scoring import score_slides
from qc.downstream.metastasis.slide_models import cross_labels
from qc.downstream.metastasis.targets import Lesions, lesions_of, tile_targets
from qc.errors import ManifestError
from qc.manifest import Manifest

TRAIN = "train"
_SLIDE_COLUMNS = ["slide_id", "path", "patient", "label", "width_level0", "height_level0", "slide_mpp"]


@dataclass(frozen=True)
class Task:
    """A manifest made ready.

    Attributes:
        settings: Of the task.
        train: Tiles of the slides that train the network, with targets.
        bank: Their pixels.
        test: Tiles of all other slides.
        slides: These slides, those without a tile included.
        lesions: By slide id, where known.
        folder: For pixels, weights and scores.
    """

    settings: MetastasisSettings
    train: pd.DataFrame
    bank: Bank
    test: pd.DataFrame
    slides: pd.DataFrame
    lesions: Mapping[str, Lesions]
    folder: Path

    def classifier(self, way: Way) -> Classifier:
        """The network of a way, trained or loaded."""
        table = self.train.loc[self.train["is_kept"]].reset_index(drop=True) if way.filters_training else self.train
        # as many steps with the filter as without: what differs is what is seen, not how long
        own, folder = self.settings, self.folder / "trainings"
        return train_classifier(table, self.bank, own.classifier, own.seed, folder, len(self.train))

    def outcome(self, way: Way, tell: Callable[[], None]) -> Outcome:
        """Train, score, draw heat maps, label.

        Args:
            way: Where the filter is used.
            tell: Called after the training and after each slide.
        """
        classifier = self.classifier(way)
        tell()
        # a network without the filter sees all tiles once, and its map may leave some out
        seen = self.test.loc[self.test["is_kept"]].reset_index(drop=True) if way.filters_training else self.test
        scored = seen.assign(probability=score_slides(seen, classifier, self.folder / "scores", tell))
        used = scored.loc[scored["is_kept"]].reset_index(drop=True) if way.filters_inference else scored
        maps = heat_maps(used, self.slides)
        table = self._labelled(self._measured(maps))
        return Outcome(way, table, used, self._hits(maps))

    def _measured(self, maps: Mapping[str, HeatMap]) -> pd.DataFrame:
        nothing = dict.fromkeys(FEATURES, np.nan)
        rows = [
            features(maps[slide_id], self.settings.heat.threshold) if slide_id in maps else nothing
            for slide_id in self.slides["slide_id"].astype(str)
        ]
        tiles = [int(np.isfinite(maps[one].scores).sum()) if one in maps else 0 for one in self.slides["slide_id"]]
        figures = pd.DataFrame(rows, columns=list(FEATURES), index=self.slides.index)
        return self.slides.assign(tiles=tiles).join(figures)

    def _labelled(self, table: pd.DataFrame) -> pd.DataFrame:
        own = self.settings.slides
        called = {name: [str(label or "") for label in cross_labels(table, name, own)] for name in own.models}
        return table.assign(**called)

    def _hits(self, maps: Mapping[str, HeatMap]) -> dict[str, SlideHits]:
        heat, found = self.settings.heat, {}
        for slide_id, mpp in zip(self.slides["slide_id"].astype(str), self.slides["slide_mpp"], strict=True):
            if slide_id in self.lesions:
                peaks = detections(maps[slide_id], heat.detection_min, heat.detection_um) if slide_id in maps else []
                found[slide_id] = hits(peaks, self.lesions[slide_id].values(), float(mpp))
        return found


def prepare(manifest: Manifest, annotations: Path, settings: MetastasisSettings, folder: Path) -> Task:
    """Split slides, label tiles, read the pixels to train on.

    The network learns from the part `train` of the manifest; where there is no split, from some of the patients whose
    slides are annotated.

    Args:
        manifest: What `qc filter` wrote.
        annotations: Folder with outlines of lesions, named like the slides.
        settings: Of the task.
        folder: For pixels, weights and scores; resumed when it exists.

    Raises:
        ManifestError: If there is nothing to train on, or nothing to stage.
    """
    slides = _with_patients(manifest.slides.loc[:, _SLIDE_COLUMNS])
    lesions = lesions_of(slides, annotations)
    trains = _training_slides(slides, manifest.tiles, lesions, settings)
    is_train = manifest.tiles["slide_id"].isin(list(trains)).to_numpy()
    train = tile_targets(manifest.tiles.loc[is_train], lesions, settings.labels, settings.seed)
    rest = slides.loc[~slides["slide_id"].isin(list(trains))].reset_index(drop=True)
    if rest.empty:
        raise ManifestError("every slide trains the network, none is left to stage", "split the manifest (qc split)")
    bank = read_bank(train, settings.classifier.input_px, folder / "pixels")
    return Task(settings, train, bank, manifest.tiles.loc[~is_train].reset_index(drop=True), rest, lesions, folder)


def heat_maps(scored: pd.DataFrame, slides: pd.DataFrame) -> dict[str, HeatMap]:
    """The map of each slide that has a scored tile."""
    sizes = slides.set_index("slide_id")[["width_level0", "height_level0"]]
    return {
        str(slide_id): heat_map(own, *(int(one) for one in sizes.loc[slide_id]))
        for slide_id, own in scored.groupby("slide_id", sort=True)
    }


def steps(task: Task) -> int:
    """How often `tell` is called for all ways."""
    every, kept = (len(set(tiles["slide_id"])) for tiles in (task.test, task.test.loc[task.test["is_kept"]]))
    return sum(1 + (kept if way.filters_training else every) for way in WAYS)


def _with_patients(slides: pd.DataFrame) -> pd.DataFrame:
    """A slide without a patient counts as a patient of its own."""
    return slides.assign(patient=slides["patient"].where(slides["patient"] != "", slides["slide_id"]))


def _training_slides(
    slides: pd.DataFrame, tiles: pd.DataFrame, lesions: Mapping[str, Lesions], settings: MetastasisSettings
) -> set[str]:
    named = tiles.loc[tiles["split"] == TRAIN, "slide_id"]
    if len(named):
        return set(named.astype(str))
    if set(tiles["split"]) - {""}:
        raise ManifestError(f"the manifest's split has no part {TRAIN}", "split it again with qc split")
    known = slides.loc[slides["slide_id"].isin(list(lesions))]
    has = {str(patient): any(lesions[one] for one in own) for patient, own in known.groupby("patient")["slide_id"]}
    rng = np.random.default_rng(settings.seed)
    chosen: set[str] = set()
    for kind in (False, True):
        patients = [patient for patient in sorted(has) if has[patient] is kind]
        count = round(settings.train_share * len(patients)) or min(1, len(patients))
        chosen |= {patients[i] for i in rng.permutation(len(patients))[:count]}
    return set(known.loc[known["patient"].isin(chosen), "slide_id"].astype(str))
