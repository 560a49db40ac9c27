"""Cells as vectors of a fitted size. In: bags. Out: arrays of what was fitted, and (N_i, D) of each patient.

Codes, measures or what a network for types of cells sees, then mean 0 and deviation 1, then principal components: each
step can be left out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from qc.config.lymphocytosis import FeatureSettings
from qc.downstream.lymphocytosis.autoencoder import codes, encoder_tensors, fit_autoencoder
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.cell_types import fit_cell_types, type_features
from qc.downstream.lymphocytosis.linear import fit_scaler, scale
from qc.downstream.lymphocytosis.model import Bench
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed

Float = NDArray[np.float64]


def fit_features(bags: Bags, settings: FeatureSettings, bench: Bench, seed: int) -> Tensors:
    """What turns cells into vectors, learnt without labels; principal components from at most ten thousand cells."""
    found: Tensors = {}
    if settings.source == "autoencoder":
        found |= prefixed("encoder", encoder_tensors(fit_autoencoder(bags, settings.autoencoder, bench)))
    if settings.cell_types:
        found |= prefixed("encoder", fit_cell_types(settings.cell_types, bench))
    raw = np.concatenate(_raw(found, settings, bags, bench))
    if settings.is_standardised or settings.source == "morphology":
        found |= prefixed("scaler", fit_scaler(raw))
    if settings.components:
        scaled_rows = _scaled(found, raw)
        few = min(settings.components, *scaled_rows.shape)
        pca = PCA(few, svd_solver="covariance_eigh" if few > 400 else "randomized", random_state=seed)
        pca.fit(scaled_rows)
        found |= prefixed("pca", {"mean": np.asarray(pca.mean_), "components": np.asarray(pca.components_)})
    return found


def features_of(tensors: Tensors, settings: FeatureSettings, bags: Bags, bench: Bench) -> list[Float]:
    """(N_i, D) of each patient."""
    return [_reduced(tensors, _scaled(tensors, raw)) for raw in _raw(tensors, settings, bags, bench)]


def width_of(vectors: Sequence[NDArray[Any]]) -> int:
    """D."""
    return vectors[0].shape[1]


def _raw(tensors: Tensors, settings: FeatureSettings, bags: Bags, bench: Bench) -> list[Float]:
    if settings.source == "morphology":
        return [cells.values for cells in bags.cells]
    encoder = part("encoder", tensors)
    if settings.cell_types:
        made = type_features(encoder, settings.cell_types, bags, bench)
    else:
        made = codes(encoder, settings.autoencoder, bags, bench)
    return [one.astype(np.float64) for one in made]


def _scaled(tensors: Tensors, raw: Float) -> Float:
    scaler = part("scaler", tensors)
    return scale(scaler, raw) if scaler else raw


def _reduced(tensors: Tensors, rows: Float) -> Float:
    pca = part("pca", tensors)
    return (rows - pca["mean"]) @ pca["components"].T if pca else rows


def fewer_negatives(vectors: list[Float], target: NDArray[np.bool_], most: int, seed: int) -> list[Float]:
    """Vectors of each patient's cells, of negative patients at most so many, drawn by seed; 0 keeps all."""
    rng = np.random.default_rng(seed)
    return [
        own if is_one or not most else own[np.sort(rng.permutation(len(own))[:most])]
        for own, is_one in zip(vectors, target, strict=True)
    ]
