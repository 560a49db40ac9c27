import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from qc.config.lymphocytosis import (
    AttentionMilSettings,
    DeepMilSettings,
    LymphocytosisSettings,
    LymphocytosisStudySettings,
    PooledSettings,
)
from qc.config.toml import load_settings

ROOT = Path(__file__).parents[3]


def test_settings_shown_on_the_page_are_accepted() -> None:
    page = (ROOT / "docs" / "downstream-lymphocytosis.md").read_text(encoding="utf-8")

    shown = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)

    assert [LymphocytosisSettings.model_validate(tomllib.loads(one)).model.kind for one in shown] == [
        "attention_mil",
        "deep_mil",
    ]


def test_the_first_line_of_the_study_is_the_default() -> None:
    study = load_settings(LymphocytosisStudySettings, ROOT / "datasets" / "lymphocytosis-study.toml")

    assert study.tables[0].arms[0].model == PooledSettings() == LymphocytosisSettings().model


def test_the_long_study_has_every_aggregation() -> None:
    study = load_settings(LymphocytosisStudySettings, ROOT / "datasets" / "lymphocytosis-long.toml")

    found = {getattr(arm.model, "aggregation", None) for table in study.tables[:1] for arm in table.arms}
    assert found == {"attention", "transformer", "mean", "max", "mean_std"}


def test_the_studies_have_every_kind_of_model_and_every_way_to_learn() -> None:
    for name in ("study", "long"):
        study = load_settings(LymphocytosisStudySettings, ROOT / "datasets" / f"lymphocytosis-{name}.toml")
        models = [arm.model for table in study.tables for arm in table.arms]
        fits = [model.fit.pace for model in models if isinstance(model, AttentionMilSettings | DeepMilSettings)]
        told = [pace for pace in fits if pace]

        assert {model.kind for model in models} >= {"deep_mil", "one_class_svm", "instance_mil"}
        assert {model.joint.turns for model in models if isinstance(model, DeepMilSettings) and model.joint} == {
            "together",
            "alternating",
        }
        assert {pace.schedule for pace in told} == {"cosine", "exponential", "plateau"}
        assert {pace.optimiser for pace in told} == {"adam", "sgd", "rmsprop"}
        assert any(pace.stop_epochs for pace in told)


def test_a_model_that_sees_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="neither clinical values nor images"):
        PooledSettings(clinical=(), uses_images=False)
