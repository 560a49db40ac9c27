"""What the filter gives back as slides get worse. In: the same slides with more and more artefacts. Out: outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass

from qc.config.downstream import ClassifierSettings
from qc.downstream.arms import Outcome
from qc.downstream.experiment import Experiment
from qc.downstream.follicular.arms import filter_arms, follicular_arms


@dataclass(frozen=True)
class ArtefactStudy:
    """What was found.

    Attributes:
        by_share: For each share of artefacts, the outcomes of `filter_arms` by name.
        removed_share: Share of tiles that the filter removed, by share of artefacts.
        arms: Outcomes of the four arms at one share.
        arms_at: That share.
    """

    by_share: Mapping[str, Mapping[str, Outcome]]
    removed_share: Mapping[str, float]
    arms: tuple[Outcome, ...]
    arms_at: str


def artefact_study(
    experiments: Mapping[str, Experiment], classifier: ClassifierSettings, arms_at: str
) -> ArtefactStudy:
    """Train and test everything; trainings of the same tiles are shared.

    Args:
        experiments: By share of artefacts.
        classifier: Settings of all but the lesser arms.
        arms_at: Share of artefacts at which the four arms are compared.
    """
    by_share = {
        share: {arm.name: one.bench.outcome(arm) for arm in filter_arms(classifier)}
        for share, one in experiments.items()
    }
    removed = {share: one.removed_share for share, one in experiments.items()}
    arms = tuple(experiments[arms_at].bench.outcome(arm) for arm in follicular_arms(classifier))
    return ArtefactStudy(by_share, removed, arms, arms_at)
