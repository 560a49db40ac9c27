import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from qc.config.lymphocytosis import LymphocytosisSettings, LymphocytosisStudySettings, PooledSettings
from qc.config.toml import load_settings

ROOT = Path(__file__).parents[3]


def test_settings_shown_on_the_page_are_accepted() -> None:
    page = (ROOT / "docs" / "downstream-lymphocytosis.md").read_text(encoding="utf-8")

    shown = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)

    assert [LymphocytosisSettings.model_validate(tomllib.loads(one)).model.kind for one in shown] == ["attention_mil"]


def test_the_first_line_of_the_study_is_the_default() -> None:
    study = load_settings(LymphocytosisStudySettings, ROOT / "datasets" / "lymphocytosis-study.toml")

    assert study.tables[0].arms[0].model == PooledSettings() == LymphocytosisSettings().model


def test_the_long_study_has_every_aggregation() -> None:
    study = load_settings(LymphocytosisStudySettings, ROOT / "datasets" / "lymphocytosis-long.toml")

    found = {getattr(arm.model, "aggregation", None) for table in study.tables[:1] for arm in table.arms}
    assert found == {"attention", "mean", "max", "mean_std"}


def test_a_model_that_sees_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="neither clinical values nor images"):
        PooledSettings(clinical=(), uses_images=False)
