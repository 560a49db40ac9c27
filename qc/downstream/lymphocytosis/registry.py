"""From settings to models. In: settings with a `kind`. Out: the model."""

from typing import assert_never

from qc.config.lymphocytosis import (
    AttentionMilSettings,
    BoostedSettings,
    DeepMilSettings,
    InstanceMilSettings,
    MiSvmSettings,
    ModelSettings,
    OneClassSvmSettings,
    PooledSettings,
    PseudoLabelSettings,
    SelectSettings,
    VoteSettings,
)
from qc.downstream.lymphocytosis.model import Model


def model_of(settings: ModelSettings) -> Model:
    """The model that settings describe; only what it needs is imported, as networks take long to start."""
    match settings:
        case PooledSettings():
            from qc.downstream.lymphocytosis.pooled import pooled_model

            return pooled_model(settings)
        case AttentionMilSettings() | DeepMilSettings() | InstanceMilSettings():
            return _network_model(settings)
        case MiSvmSettings():
            from qc.downstream.lymphocytosis.svm_model import mi_svm_model

            return mi_svm_model(settings)
        case OneClassSvmSettings():
            from qc.downstream.lymphocytosis.one_class_model import one_class_svm_model

            return one_class_svm_model(settings)
        case PseudoLabelSettings():
            from qc.downstream.lymphocytosis.pseudo_model import pseudo_label_model

            return pseudo_label_model(settings)
        case BoostedSettings():
            from qc.downstream.lymphocytosis.svm_model import boosted_model

            return boosted_model(settings)
        case VoteSettings():
            from qc.downstream.lymphocytosis.vote import vote_model

            return vote_model(settings, [model_of(one) for one in settings.members])
        case SelectSettings():
            from qc.downstream.lymphocytosis.select import select_model

            return select_model(settings, [model_of(one) for one in settings.candidates])
        case _:
            assert_never(settings)


def _network_model(settings: AttentionMilSettings | DeepMilSettings | InstanceMilSettings) -> Model:
    from qc.downstream.lymphocytosis import bag_networks

    match settings:
        case AttentionMilSettings():
            return bag_networks.attention_mil_model(settings)
        case DeepMilSettings(joint=None):
            return bag_networks.deep_mil_model(settings)
        case DeepMilSettings():
            return bag_networks.joint_mil_model(settings)
        case InstanceMilSettings():
            return bag_networks.instance_mil_model(settings)
        case _:
            assert_never(settings)
