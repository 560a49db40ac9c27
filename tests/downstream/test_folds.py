"""From `qc split --folds` to `qc downstream compare`: the manifest's own folds, each tested on once."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from qc.config.downstream import ClassifierSettings, CompareSettings, DownstreamSettings
from qc.config.toml import load_settings
from qc.downstream.follicular.arms import filter_arms
from qc.downstream.follicular.run import asked_trainings


def as_toml(settings: ClassifierSettings) -> str:
    fit = settings.fit
    return (
        "[compare]\nseeds = [1]\nrepeats = 100\n"
        f'[classifier]\ninput_px = {settings.input_px}\nencoder = "{settings.encoder}"\n'
        f"[classifier.fit]\nepochs = 1\nbatch_tiles = {fit.batch_tiles}\nepoch_tiles_max = {fit.epoch_tiles_max}\n"
    )


def test_a_manifest_with_folds_is_cross_validated_by_them(
    small: Callable[..., ClassifierSettings],
    manifest_path: Path,
    tmp_path: Path,
    qc: Callable[..., tuple[object, str, str]],
) -> None:
    folded, settings = tmp_path / "folded.parquet", tmp_path / "settings.toml"
    settings.write_text(as_toml(small()), encoding="utf-8")

    slides = pd.read_parquet(manifest_path)[["slide_id", "label"]].drop_duplicates()
    table = slides.assign(slide=slides["slide_id"], patient=slides["slide_id"])
    table[["slide", "patient", "label"]].to_csv(tmp_path / "cohort.csv", index=False)

    split, _, why = qc(
        *("split", tmp_path / "cohort.csv", "--folds", 2, "--stratify", "label", "--out", tmp_path / "splits.csv"),
        *("--manifest", manifest_path, "--out-manifest", folded),
    )
    compared, _, err = qc("downstream", "compare", folded, "--out", tmp_path / "out", "--settings", settings)

    assert (split, compared) == (0, 0), why + err
    scores = pd.read_csv(tmp_path / "out" / "slides.csv")
    assert set(pd.read_parquet(folded)["split"]) == {"fold-1", "fold-2"}
    assert scores.groupby("arm")["slide_id"].nunique().unique().tolist() == [8]
    told = load_settings(DownstreamSettings, settings)
    assert asked_trainings(folded, told, filter_arms(told.classifier)) == 4 * 2
    alone = DownstreamSettings(compare=CompareSettings(seeds=(1,), test_split="fold-2"))
    assert asked_trainings(folded, alone, filter_arms(alone.classifier)) == 4
