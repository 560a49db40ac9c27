"""The four arms: a plain ResNet-18, + stain normalisation, + mixup, + quality filter."""

from qc.config.downstream import ClassifierSettings, StainSettings
from qc.downstream.arms import Arm

FILTERED = "+ quality filter"


def follicular_arms(settings: ClassifierSettings) -> tuple[Arm, ...]:
    """Each arm adds one thing to the one before.

    Args:
        settings: Of the arms that have everything; where they say no normalisation or mixup, Reinhard's and a weight
            of 0.2 are added.
    """
    stain = settings.stain if settings.stain.method != "none" else StainSettings()
    plain = settings.model_copy(update={"stain": StainSettings(method="none"), "fit": _mixing(settings, 0.0)})
    normalised = plain.model_copy(update={"stain": stain})
    mixed = normalised.model_copy(update={"fit": _mixing(settings, settings.fit.mixup_alpha or 0.2)})
    return (
        Arm("baseline", plain),
        Arm("+ normalisation", normalised),
        Arm("+ mixup", mixed),
        Arm(FILTERED, mixed, filters_training=True, filters_inference=True),
    )


def filter_arms(settings: ClassifierSettings) -> tuple[Arm, ...]:
    """One classifier with the filter nowhere, at training, at inference, at both."""
    return (
        Arm("no filter", settings),
        Arm("at training", settings, filters_training=True),
        Arm("at inference", settings, filters_inference=True),
        Arm("at both", settings, filters_training=True, filters_inference=True),
    )


def _mixing(settings: ClassifierSettings, alpha: float) -> object:
    return settings.fit.model_copy(update={"mixup_alpha": alpha})
