"""Models that label a slide by six figures of its heat map. In: figures and labels. Out: labels of slides not seen."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from qc.config.metastasis import LabelModelSettings, ModelName
from qc.downstream.metastasis.heat import FEATURES
from qc.downstream.metastasis.stages import NodeLabel, pn_stage
from qc.errors import ManifestError

NAMES: dict[ModelName, str] = {
    "tree": "decision tree",
    "forest": "random forest",
    "svm": "support vector machine",
    "bayes": "naive Bayes",
    "mlp": "multilayer perceptron",
}
"""Names for people."""
UNKNOWN = -1
"""In place of a part: a patient of whom a node has no label."""


def build_model(name: ModelName, seed: int) -> BaseEstimator:
    """A model of scikit-learn with first weights by seed; sizes are taken as logarithms where scale matters."""
    makers: dict[ModelName, Callable[[], BaseEstimator]] = {
        "tree": lambda: DecisionTreeClassifier(max_depth=5, min_samples_leaf=3, random_state=seed),
        "forest": lambda: RandomForestClassifier(n_estimators=100, min_samples_leaf=2, random_state=seed),
        "svm": lambda: _scaled(SVC(C=10.0, class_weight="balanced", random_state=seed)),
        "bayes": lambda: _scaled(GaussianNB()),
        "mlp": lambda: _scaled(
            MLPClassifier((16,), alpha=0.1, solver="lbfgs", max_iter=20_000, max_fun=200_000, random_state=seed)
        ),
    }
    return makers[name]()


def cross_labels(table: pd.DataFrame, name: ModelName, settings: LabelModelSettings) -> tuple[NodeLabel | None, ...]:
    """A label for each slide from a model that saw no slide of its patient.

    Slides of patients whose labels are not all known are labelled by a model of all that are.

    Args:
        table: A row per slide: `patient`, `label` and the columns `FEATURES`, NaN for a slide without a heat map.
        name: The model.
        settings: Parts and seed.

    Returns:
        In the table's order; None for a slide without a heat map, which nobody may label.

    Raises:
        ManifestError: If some part would be trained on one label only.
    """
    labels, values = table["label"].astype(str).to_numpy(), table[list(FEATURES)].to_numpy(np.float64)
    is_seen, fold = ~np.isnan(values).any(axis=1), patient_folds(table, settings)
    found: list[NodeLabel | None] = [None] * len(table)
    for part in np.unique(fold[is_seen]):
        train = np.flatnonzero(is_seen & (fold != part) & (fold != UNKNOWN))
        test = np.flatnonzero(is_seen & (fold == part))
        if len(set(labels[train])) < 2:
            raise ManifestError("some slides can only be labelled by models that saw one label", "use more patients")
        model = build_model(name, settings.seed)
        model.fit(values[train], labels[train])  # type: ignore[attr-defined]
        for row, label in zip(test, model.predict(values[test]), strict=True):  # type: ignore[attr-defined]
            found[row] = NodeLabel(label)
    return tuple(found)


def patient_folds(table: pd.DataFrame, settings: LabelModelSettings) -> NDArray[np.int64]:
    """(N,) part of each slide; a patient's slides are in one, patients of a stage are dealt out in turn.

    `UNKNOWN` for patients of whom a node has no label.
    """
    nodes: dict[str, list[str]] = {}
    for patient, label in zip(table["patient"].astype(str), table["label"].astype(str), strict=True):
        nodes.setdefault(patient, []).append(label)
    stages = {p: str(pn_stage([NodeLabel(x) for x in own])) for p, own in nodes.items() if set(own) <= set(NodeLabel)}
    drawn = [sorted(stages)[i] for i in np.random.default_rng(settings.seed).permutation(len(stages))]
    dealt = sorted(drawn, key=lambda patient: stages[patient])
    fold_of = {patient: i % settings.folds for i, patient in enumerate(dealt)}
    return np.array([fold_of.get(str(patient), UNKNOWN) for patient in table["patient"]], np.int64)


def stages_of(patients: Sequence[str], labels: Sequence[NodeLabel | None]) -> dict[str, str]:
    """Stage of each patient from the labels of the nodes; empty when a node has none."""
    nodes: dict[str, list[NodeLabel | None]] = {}
    for patient, label in zip(patients, labels, strict=True):
        nodes.setdefault(patient, []).append(label)
    known = {patient: [one for one in labels if one is not None] for patient, labels in nodes.items()}
    return {
        patient: str(pn_stage(known[patient])) if len(known[patient]) == len(labels) else ""
        for patient, labels in nodes.items()
    }


def _scaled(model: BaseEstimator) -> BaseEstimator:
    return make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), model)
