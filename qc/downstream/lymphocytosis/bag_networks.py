"""Networks on bags as models: end to end from pixels, or from features. In: bags. Out: arrays; chances, attention."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from qc.config.lymphocytosis import AttentionMilSettings, DeepMilSettings, InstanceMilSettings, PixelSettings
from qc.downstream.lymphocytosis.bag_fit import Cells, Lesson, fitted, judged
from qc.downstream.lymphocytosis.bags import Bags
from qc.downstream.lymphocytosis.boosting import boosted_chances, boosting_table, fit_boosting
from qc.downstream.lymphocytosis.features import features_of, fit_features, width_of
from qc.downstream.lymphocytosis.folds import of_others
from qc.downstream.lymphocytosis.joint import JointMil, joint_groups, joint_loss
from qc.downstream.lymphocytosis.model import Bench, Judged, Model
from qc.downstream.lymphocytosis.networks import AttentionMil, DeepMil, InstanceMil
from qc.downstream.lymphocytosis.pixels import Pixels
from qc.downstream.lymphocytosis.tensors import Tensors, part, prefixed
from qc.nets.pretrained import seeded

Float = NDArray[np.float64]
Rows = NDArray[np.intp]


def attention_mil_model(settings: AttentionMilSettings) -> Model:
    """A convolutional network, aggregation and clinical branch, trained at once."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        network = seeded(lambda: AttentionMil(settings), seed)
        lesson = Lesson(network, settings.fit, _known(settings, bench))
        return fitted(lesson, _seen(settings, bags, bench), bags, bench, seed)

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        # weights come from the file, so that pre-trained ones need not lie where they once did
        plain = settings.model_copy(update={"encoder_weights": None})
        return judged(AttentionMil(plain), _seen(settings, bags, bench), tensors, bags)

    return Model(fit, judge)


def deep_mil_model(settings: DeepMilSettings) -> Model:
    """D-MIL on features that stay as they are."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        features = fit_features(bags, settings.features, bench, seed)
        vectors = _single(features_of(features, settings.features, bags, bench))
        network = seeded(lambda: DeepMil(width_of(vectors), settings), seed)
        found = fitted(Lesson(network, settings.fit, _known(settings, bench)), vectors, bags, bench, seed)
        return {**found, **prefixed("features", features), "width": np.array([width_of(vectors)])}

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        vectors = _single(features_of(part("features", tensors), settings.features, bags, bench))
        return judged(DeepMil(int(tensors["width"][0]), settings), vectors, tensors, bags)

    return Model(fit, judge)


def joint_mil_model(settings: DeepMilSettings) -> Model:
    """D-MIL and its auto-encoder, which learn together."""

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        network = seeded(lambda: JointMil(settings), seed)
        groups = joint_groups(settings)
        lesson = Lesson(network, settings.fit, _known(settings, bench), joint_loss(settings), groups)
        return fitted(lesson, _pictures(settings.features.autoencoder.pixels, bags, bench), bags, bench, seed)

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        pictures = _pictures(settings.features.autoencoder.pixels, bags, bench)
        return judged(JointMil(settings), pictures, tensors, bags)

    return Model(fit, judge)


def instance_mil_model(settings: InstanceMilSettings) -> Model:
    """A network on single cells; the patient's chance may go to gradient boosting with count and age."""

    def network(bags: Bags, bench: Bench, seed: int) -> Tensors:
        alike = settings.model_copy(update={"boosting": None, "inner_folds": 0})  # what comes after changes no weight
        lesson = Lesson(seeded(lambda: InstanceMil(settings), seed), settings.fit, _known(alike, bench))
        return fitted(lesson, _pictures(settings.pixels, bags, bench), bags, bench, seed)

    def said(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        plain = settings.model_copy(update={"encoder_weights": None})
        pictures = _pictures(settings.pixels, bags, bench)
        return judged(InstanceMil(plain), pictures, tensors, bags, "chance that the cell is tumoral")

    def fit(bags: Bags, bench: Bench, seed: int) -> Tensors:
        def others(inside: Rows, outside: Rows) -> Float:
            return said(network(bags.at(inside), bench, seed), bags.at(outside), bench).chance

        found = network(bags, bench, seed)
        if settings.boosting is None:
            return found
        folds = settings.inner_folds
        chance = of_others(bags, folds, seed, others) if folds else said(found, bags, bench).chance
        boosted = fit_boosting(boosting_table(chance, bags), bags.target, settings.boosting, seed)
        return found | prefixed("boosting", boosted)

    def judge(tensors: Tensors, bags: Bags, bench: Bench) -> Judged:
        found = said(tensors, bags, bench)
        if settings.boosting is None:
            return found
        return replace(found, chance=boosted_chances(part("boosting", tensors), boosting_table(found.chance, bags)))

    return Model(fit, judge)


def _known(settings: BaseModel, bench: Bench) -> dict[str, object]:
    return {"settings": settings.model_dump(mode="json"), "cells": bench.cells.model_dump(mode="json")}


def _seen(settings: AttentionMilSettings, bags: Bags, bench: Bench) -> Cells:
    if not settings.uses_images:
        return [np.zeros((0, 1), np.float32) for _ in bags.cells]
    return _pictures(settings.pixels, bags, bench)


def _pictures(settings: PixelSettings, bags: Bags, bench: Bench) -> Cells:
    pixels = Pixels(settings, bench.cells, bench.folder / "pixels")
    return [pixels.of(cells) for cells in bags.cells]


def _single(vectors: Sequence[Float]) -> list[NDArray[np.generic]]:
    return [one.astype(np.float32) for one in vectors]
