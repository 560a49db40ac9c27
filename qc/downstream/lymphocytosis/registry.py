"""From settings to models. In: settings with a `kind`. Out: the model."""

from typing import assert_never

from qc.config.lymphocytosis import (
    AttentionMilSettings,
    DeepMilSettings,
    MiSvmSettings,
    ModelSettings,
    PooledSettings,
    PseudoLabelSettings,
    VoteSettings,
)
from qc.downstream.lymphocytosis.bag_networks import attention_mil_model, deep_mil_model
from qc.downstream.lymphocytosis.model import Model
from qc.downstream.lymphocytosis.pooled import pooled_model
from qc.downstream.lymphocytosis.pseudo_model import pseudo_label_model
from qc.downstream.lymphocytosis.svm_model import mi_svm_model
from qc.downstream.lymphocytosis.vote import vote_model


def model_of(settings: ModelSettings) -> Model:
    """The model that settings describe."""
    match settings:
        case PooledSettings():
            return pooled_model(settings)
        case AttentionMilSettings():
            return attention_mil_model(settings)
        case DeepMilSettings():
            return deep_mil_model(settings)
        case MiSvmSettings():
            return mi_svm_model(settings)
        case PseudoLabelSettings():
            return pseudo_label_model(settings)
        case VoteSettings():
            return vote_model(settings, [model_of(one) for one in settings.members])
        case _:
            assert_never(settings)
