"""From labels of lymph nodes to the pN stage of a patient, by the rules of CAMELYON17, and how well stages agree.

https://camelyon17.grand-challenge.org/Evaluation/ (Bandi et al. 2019, doi:10.1109/TMI.2018.2867350): a positive node
holds a micro- or macrometastasis; isolated tumour cells make no node positive.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np

_NODES_MAX = 9


class NodeLabel(StrEnum):
    """What the largest lesion of a node is, smallest first."""

    NEGATIVE = "negative"
    ITC = "itc"
    MICRO = "micro"
    MACRO = "macro"


class PNStage(StrEnum):
    """Pathological stage of the regional lymph nodes, as CAMELYON17 simplifies it, lowest first."""

    PN0 = "pN0"
    PN0_I = "pN0(i+)"
    PN1MI = "pN1mi"
    PN1 = "pN1"
    PN2 = "pN2"


def pn_stage(labels: Iterable[NodeLabel]) -> PNStage:
    """Stage of a patient.

    Args:
        labels: Of all nodes.

    Raises:
        ValueError: If there is no node, or more than nine are positive: that is pN3, which the challenge does not know.

    >>> str(pn_stage([NodeLabel.MACRO, NodeLabel.MICRO, NodeLabel.ITC]))
    'pN1'
    """
    nodes = list(labels)
    if not nodes:
        raise ValueError("a patient without a node has no stage")
    positive = sum(label in (NodeLabel.MICRO, NodeLabel.MACRO) for label in nodes)
    if positive > _NODES_MAX:
        raise ValueError(f"{positive} positive nodes are beyond pN2, which ends at {_NODES_MAX}")
    if NodeLabel.MACRO in nodes:
        return PNStage.PN2 if positive > 3 else PNStage.PN1
    if positive:
        return PNStage.PN1MI
    return PNStage.PN0_I if NodeLabel.ITC in nodes else PNStage.PN0


def quadratic_kappa(truth: Sequence[StrEnum], found: Sequence[StrEnum]) -> float:
    """Agreement beyond chance, 1 when all agree; a disagreement counts by the square of its steps (Cohen 1968).

    Args:
        truth: Labels or stages of one kind.
        found: The same of somebody else, in the same order.

    Returns:
        NaN where everybody has the same label, for agreement is then no merit, and for nobody.
    """
    if len({*truth, *found}) < 2:
        return float("nan")
    step_of = {one: step for step, one in enumerate(type(truth[0]))}
    one, other = (np.array([step_of[label] for label in labels], np.float64) for labels in (truth, found))
    # squared steps between all pairs, without making the pairs: this is done thousands of times for an interval
    by_chance = one.var() + other.var() + (one.mean() - other.mean()) ** 2
    return float(1 - np.mean((one - other) ** 2) / by_chance)
