"""Several models asked at once. In: bags. Out: arrays of all; the share of models that say tumoral, or a mean."""

from collections.abc import Sequence

import numpy as np

from qc.config.lymphocytosis import VoteSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed


def vote_model(settings: VoteSettings, members: Sequence[Model]) -> Model:
    """The members' vote.

    Args:
        settings: The rule.
        members: Its models, in order.
    """

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        found: Tensors = {}
        for i, member in enumerate(members):
            found |= prefixed(f"member-{i}", member.fit(bags, bench, seed))
        return found

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        said = [one.judge(part(f"member-{i}", tensors), bags, bench) for i, one in enumerate(members)]
        votes = [one.is_tumoral.astype(float) if settings.rule == "majority" else one.chance for one in said]
        # cells are shown by the first member: weights of different models have no common scale
        return Judged(np.mean(votes, axis=0), said[0].weights, said[0].meaning)

    return Model(fit, judge)
