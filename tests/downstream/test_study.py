from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from qc.config.downstream import ClassifierSettings, CompareSettings, StudySettings
from qc.downstream.bank import Bank
from qc.downstream.follicular.blur import TileScores, over_slides, ranked
from qc.downstream.follicular.study import run_study, trainings
from qc.errors import SettingsError

Make = Callable[..., ClassifierSettings]


def study(manifest: Path, small: Make, arms_at: str = "30") -> StudySettings:
    compare = CompareSettings(seeds=(1,), test_patients=("fl-7", "fl-3", "fh-6", "fh-4"), repeats=100)
    folds = CompareSettings(seeds=(1,), folds=2, repeats=100)
    return StudySettings.model_validate(
        {
            "commands": ("qc downstream study",),
            "notes": ("It is a drawing.",),
            "phantoms": {"manifests": {"30": manifest.name}, "arms_at": arms_at, "compare": compare.model_dump()},
            "real": {"manifest": manifest.name, "compare": folds.model_dump(), "bins": 2},
            "classifier": small("reinhard", alpha=0.2).model_dump(),
            "real_classifier": small().model_dump(),
        }
    )


def test_the_study_is_one_report_with_pictures(small: Make, manifest_path: Path, tmp_path: Path) -> None:
    settings, done = study(manifest_path, small), []

    paths = run_study(settings, manifest_path.parent, tmp_path / "out", tmp_path / "r.md", lambda: done.append(1))

    text = (tmp_path / "r.md").read_text(encoding="utf-8")
    assert len(done) == trainings(settings)
    assert [path.name for path in paths] == ["r.md", "tiles.png", "slides.png"]
    for part in (
        "## Synthetic",
        "| 30 % |",
        "## Real tiles",
        "softness alone",
        "It is a drawing.",
        "images/r/slides.png",
    ):
        assert part in text
    assert "| fl-3 |" not in text.split("## Real tiles")[0] or "unscored" in text


def test_a_study_whose_arms_have_no_manifest_is_refused(small: Make, manifest_path: Path, tmp_path: Path) -> None:
    settings = study(manifest_path, small, arms_at="50")

    with pytest.raises(SettingsError, match="there is no manifest 50; name one of 30"):
        run_study(settings, manifest_path.parent, tmp_path / "out", tmp_path / "r.md", lambda: None)


def test_ranks_give_the_auroc_of_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    target, score = rng.random(200) < 0.3, np.round(rng.normal(0, 1, 200), 1)

    found = ranked(TileScores(np.full(200, "a"), target, score))

    assert found == pytest.approx(roc_auc_score(target, score))


def test_tiles_of_one_slide_are_resampled_together(bank: Bank) -> None:
    rng = np.random.default_rng(0)
    target = np.repeat(np.arange(10) % 2 == 1, 20)
    tiles = TileScores(
        np.repeat(np.arange(10).astype(str), 20), target, rng.normal(np.repeat(rng.normal(0, 1, 10), 20))
    )

    by_slide = over_slides(tiles, ranked, 300)

    single = over_slides(TileScores(np.arange(200).astype(str), target, tiles.score), ranked, 300)
    assert by_slide.high - by_slide.low > 2 * (single.high - single.low)
