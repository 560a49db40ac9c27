"""Networks on bags as models: end to end from pixels, or from features. In: bags. Out: arrays; chances, attention."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from qc.config.lymphocytosis import AttentionMilSettings, BagFitSettings, DeepMilSettings
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.features import features_of, fit_features, width_of
from qc.downstream.lymphocytosis.linear import fit_scaler, scale
from qc.downstream.lymphocytosis.loader import BagBatch, BagDataset, bag_loader, padded
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.networks import AttentionMil, DeepMil
from qc.downstream.lymphocytosis.pixels import Pixels
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed
from qc.downstream.trainer import Loss, train

Float = NDArray[np.float64]
Cells = Sequence[NDArray[np.generic]]

N = TypeVar("N", bound=nn.Module)

_MEANING = "weight of the cell in the patient's vector; a patient's weights sum to 1"


def attention_mil_model(settings: AttentionMilSettings) -> Model:
    """A convolutional network, aggregation and clinical branch, trained at once."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        network = _seeded(lambda: AttentionMil(settings), seed)
        known = {"settings": settings.model_dump(mode="json"), "cells": bench.cells.model_dump(mode="json")}
        return _fitted(network, _pictures(settings, bags, bench), bags, settings.fit, known, bench, seed)

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        # weights come from the file, so that pre-trained ones need not lie where they once did
        plain = settings.model_copy(update={"encoder_weights": None})
        return _judged(AttentionMil(plain), _pictures(settings, bags, bench), tensors, bags)

    return Model(fit, judge)


def deep_mil_model(settings: DeepMilSettings) -> Model:
    """D-MIL on features that stay as they are."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        features = fit_features(bags, settings.features, bench, seed)
        vectors = _single(features_of(features, settings.features, bags, bench))
        network = _seeded(lambda: DeepMil(width_of(vectors), settings), seed)
        known = {"settings": settings.model_dump(mode="json"), "cells": bench.cells.model_dump(mode="json")}
        found = _fitted(network, vectors, bags, settings.fit, known, bench, seed)
        return {**found, **prefixed("features", features), "width": np.array([width_of(vectors)])}

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        vectors = _single(features_of(part("features", tensors), settings.features, bags, bench))
        return _judged(DeepMil(int(tensors["width"][0]), settings), vectors, tensors, bags)

    return Model(fit, judge)


def _pictures(settings: AttentionMilSettings, bags: Bags, bench: Bench) -> Cells:
    if not settings.uses_images:
        return [np.zeros((0, 1), np.float32) for _ in bags.cells]
    pixels = Pixels(settings.pixels, bench.cells, bench.folder / "pixels")
    return [pixels.of(cells) for cells in bags.cells]


def _single(vectors: Sequence[Float]) -> list[NDArray[np.generic]]:
    return [one.astype(np.float32) for one in vectors]


def _seeded(make: Callable[[], N], seed: int) -> N:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def _fitted(
    network: nn.Module,
    cells: Cells,
    bags: Bags,
    fit: BagFitSettings,
    known: Mapping[str, object],
    bench: Bench,
    seed: int,
) -> Tensors:
    scaler = fit_scaler(bags.clinical)
    dataset = BagDataset(cells, scale(scaler, bags.clinical), bags.target, fit.cells_max, seed)
    what = json.dumps([known, seed, bags.digest, bench.pool.digest if bench.pool else ""], sort_keys=True)
    home = bench.folder / "networks" / hashlib.sha256(what.encode()).hexdigest()[:20]
    loader = bag_loader(dataset, fit.batch_patients, seed)
    train(network, bag_loss(fit), loader, fit, seed, home, {**known, "patients": len(bags)})
    weights = {name: one.detach().numpy().copy() for name, one in network.state_dict().items()}
    return {**prefixed("network", weights), **prefixed("clinical", scaler)}


def bag_loss(fit: BagFitSettings) -> Loss:
    """Binary cross-entropy, each label with its weight."""

    def loss(network: nn.Module, batch: BagBatch, _rng: np.random.Generator) -> Tensor:
        logit, _ = network(batch["cells"], batch["mask"], batch["clinical"])
        weight = torch.where(batch["target"] > 0.5, fit.tumoral_weight, fit.reactive_weight)
        return functional.binary_cross_entropy_with_logits(logit.float(), batch["target"], weight)

    return loss


def _judged(network: nn.Module, cells: Cells, tensors: Tensors, bags: Bags) -> Judged:
    network.load_state_dict({name: torch.from_numpy(np.array(one)) for name, one in part("network", tensors).items()})
    network.eval()
    clinical = scale(part("clinical", tensors), bags.clinical)
    chance, weights = np.empty(len(bags)), []
    with torch.inference_mode():
        for i, own in enumerate(cells):
            batch = padded([{"cells": np.array(own), "clinical": clinical[i], "target": False}])
            logit, weight = network(batch["cells"], batch["mask"], batch["clinical"])
            chance[i] = float(torch.sigmoid(logit.double()[0]))
            is_seen = len(own) == bags.counts[i]
            weights.append(weight[0, : len(own)].double().numpy() if is_seen else np.zeros(bags.counts[i]))
    return Judged(chance, tuple(weights), _MEANING)
