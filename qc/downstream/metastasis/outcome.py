"""What came of one way to use the filter. In: slides with labels found and true. Out: kappas, shares, FROC."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qc.config.metastasis import ModelName
from qc.downstream.compare import Figure
from qc.downstream.metastasis.froc import SlideHits, froc
from qc.downstream.metastasis.slide_models import stages_of
from qc.downstream.metastasis.stages import NodeLabel, PNStage, quadratic_kappa
from qc.metrics.intervals import bootstrap_interval

Statistic = Callable[[Sequence["Patient"]], float]


@dataclass(frozen=True)
class Way:
    """Where the filter is used.

    Attributes:
        name: For tables.
        filters_training: The network is trained on kept tiles only.
        filters_inference: Heat maps hold kept tiles only.
    """

    name: str
    filters_training: bool
    filters_inference: bool


WAYS = (Way("no filter", False, False), Way("at inference", False, True), Way("at both", True, True))


@dataclass(frozen=True)
class Patient:
    """A patient as one model labels the nodes.

    Attributes:
        name: Who.
        truth: Label of each node; empty when one is not known.
        found: Label of each node; None for a node that was not scored.
        stage: True stage; None when a label is not known.
        found_stage: Stage from the labels found; None when a node was not scored.
        hits: What detections hit, of the nodes whose lesions are known.
    """

    name: str
    truth: tuple[NodeLabel, ...]
    found: tuple[NodeLabel | None, ...]
    stage: PNStage | None
    found_stage: PNStage | None
    hits: tuple[SlideHits, ...]


@dataclass(frozen=True)
class Outcome:
    """Everything found in one way.

    Attributes:
        way: Which.
        slides: A row per slide: `slide_id`, `path`, `patient`, `label`, size and mpp, `tiles`, six figures of the heat
            map, and a column of labels for each model (empty for a slide without a heat map).
        tiles: The tiles scored, with `probability`.
        hits: By slide id, of slides whose lesions are known.
    """

    way: Way
    slides: pd.DataFrame
    tiles: pd.DataFrame
    hits: Mapping[str, SlideHits]

    def patients(self, model: ModelName) -> tuple[Patient, ...]:
        """Patients by name."""
        return tuple(
            _patient(str(name), own.to_dict("records"), model, self.hits)
            for name, own in self.slides.groupby("patient", sort=True)
        )


def _patient(
    name: str, rows: Sequence[Mapping[object, object]], model: ModelName, hits: Mapping[str, SlideHits]
) -> Patient:
    labels, called = [str(row["label"]) for row in rows], [str(row[model]) for row in rows]
    truth = tuple(NodeLabel(one) for one in labels) if set(labels) <= set(NodeLabel) else ()
    found = tuple(NodeLabel(one) if one else None for one in called)
    own = tuple(hits[str(row["slide_id"])] for row in rows if row["slide_id"] in hits)
    return Patient(name, truth, found, _stage(truth), _stage(found), own)


def _stage(labels: Sequence[NodeLabel | None]) -> PNStage | None:
    stage = stages_of(["it"] * len(labels), labels).get("it", "")
    return PNStage(stage) if stage else None


def stage_kappa(patients: Sequence[Patient]) -> float:
    """Quadratic weighted kappa of pN stages; patients without one are left out."""
    both = [(one.stage, one.found_stage) for one in patients if one.stage and one.found_stage]
    return quadratic_kappa([truth for truth, _ in both], [found for _, found in both]) if both else float("nan")


def stages_right(patients: Sequence[Patient]) -> float:
    """Share of patients whose stage is right; one that could not be staged is not."""
    known = [one for one in patients if one.stage]
    return float(np.mean([one.stage == one.found_stage for one in known])) if known else float("nan")


def label_kappa(patients: Sequence[Patient]) -> float:
    """Quadratic weighted kappa of node labels; nodes without one are left out."""
    pairs = [(t, f) for one in patients for t, f in zip(one.truth, one.found, strict=False) if f is not None]
    return quadratic_kappa([t for t, _ in pairs], [f for _, f in pairs]) if pairs else float("nan")


def labels_right(patients: Sequence[Patient]) -> float:
    """Share of nodes whose label is right; one that was not scored is not."""
    right = [t == f for one in patients for t, f in zip(one.truth, one.found, strict=False)]
    return float(np.mean(right)) if right else float("nan")


def froc_score(patients: Sequence[Patient]) -> float:
    """Mean sensitivity at 1/4 to 8 false positives per slide."""
    return froc([hits for one in patients for hits in one.hits]).score


STATISTICS: Mapping[str, Statistic] = {
    "kappa of stages": stage_kappa,
    "stages right": stages_right,
    "kappa of node labels": label_kappa,
    "node labels right": labels_right,
}


def figure(patients: Sequence[Patient], statistic: Statistic, repeats: int) -> Figure:
    """A figure with its interval over patients."""
    low, high = bootstrap_interval(patients, statistic, np.random.default_rng(0), repeats)
    return Figure(statistic(patients), low, high)


def difference(before: Sequence[Patient], after: Sequence[Patient], statistic: Statistic, repeats: int) -> Figure:
    """What changed from one way to another, with its interval: patients are resampled for both together.

    Raises:
        ValueError: If the patients differ.
    """
    if [one.name for one in before] != [one.name for one in after]:
        raise ValueError("the two ways have different patients")
    pairs = list(zip(before, after, strict=True))

    def change(drawn: Sequence[tuple[Patient, Patient]]) -> float:
        return statistic([one for _, one in drawn]) - statistic([one for one, _ in drawn])

    low, high = bootstrap_interval(pairs, change, np.random.default_rng(0), repeats)
    return Figure(change(pairs), low, high)
