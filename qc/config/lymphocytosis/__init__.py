"""Settings of the lymphocytosis task: which cells are seen, how, by which model, and how it is judged."""

from qc.config.lymphocytosis.cells import CellSettings, PixelSettings, QualitySettings
from qc.config.lymphocytosis.features import AutoEncoderSettings, CellTypeSettings, FeatureSettings
from qc.config.lymphocytosis.fit import BagFitSettings, BoostingSettings, PaceSettings
from qc.config.lymphocytosis.machines import (
    BoostedSettings,
    MiSvmSettings,
    OneClassSvmSettings,
    PooledSettings,
    PseudoLabelSettings,
)
from qc.config.lymphocytosis.models import LymphocytosisSettings, ModelSettings, SelectSettings, VoteSettings
from qc.config.lymphocytosis.networks import (
    Aggregation,
    AttentionMilSettings,
    DeepMilSettings,
    InstanceMilSettings,
    JointSettings,
)
from qc.config.lymphocytosis.study import ArmSettings, LymphocytosisStudySettings, TableSettings

__all__ = [
    "Aggregation",
    "ArmSettings",
    "AttentionMilSettings",
    "AutoEncoderSettings",
    "BagFitSettings",
    "BoostedSettings",
    "BoostingSettings",
    "CellSettings",
    "CellTypeSettings",
    "DeepMilSettings",
    "FeatureSettings",
    "InstanceMilSettings",
    "JointSettings",
    "LymphocytosisSettings",
    "LymphocytosisStudySettings",
    "MiSvmSettings",
    "ModelSettings",
    "OneClassSvmSettings",
    "PaceSettings",
    "PixelSettings",
    "PooledSettings",
    "PseudoLabelSettings",
    "QualitySettings",
    "SelectSettings",
    "TableSettings",
    "VoteSettings",
]
